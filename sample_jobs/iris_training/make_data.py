"""Write data/: the iris measurements that scikit-learn ships (Fisher, 1936). Needs scikit-learn."""

import csv
from pathlib import Path

from sklearn.datasets import load_iris

HERE = Path(__file__).parent
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
VALIDATION_EVERY = 5  # the rows are sorted by species, so this takes a fifth of each
BROKEN_ROW = 41


def write(path: Path, rows: list[list[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


def main() -> None:
    iris = load_iris()
    rows = [
        [*map(str, measurements), str(iris.target_names[species])]
        for measurements, species in zip(iris.data.tolist(), iris.target, strict=True)
    ]
    train = [row for number, row in enumerate(rows) if number % VALIDATION_EVERY]
    write(HERE / "data/train/iris.csv", train)
    write(HERE / "data/validation/iris.csv", rows[::VALIDATION_EVERY])
    train[BROKEN_ROW] = [*train[BROKEN_ROW][:-1], "NaN"]
    write(HERE / "data/bad/iris.csv", train)


if __name__ == "__main__":
    main()
