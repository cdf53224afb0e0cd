"""Train a linear classifier of irises, under the SageMaker Training Toolkit.

The toolkit turns hyperparameters into arguments and the container's directories into SM_* variables.
"""

import argparse
import csv
import json
import math
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
LABEL = "species"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--learning-rate", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    for name, variable, default in [
        ("--train", "SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"),
        ("--validation", "SM_CHANNEL_VALIDATION", "/opt/ml/input/data/validation"),
        ("--model-dir", "SM_MODEL_DIR", "/opt/ml/model"),
        ("--output-data-dir", "SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"),
    ]:
        parser.add_argument(name, type=Path, default=os.environ.get(variable, default))
    return parser.parse_args()


def number(text: str | None, where: str) -> float:
    try:
        value = float(text or "nan")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{where}: expected a number, found {text!r}")
    return value


def read_channel(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the measurements and labels of all CSV files of a channel; say which line is wrong if one is."""
    files = sorted(folder.glob("**/*.csv"))
    if not files:
        raise ValueError(f"{folder}: there is no CSV file in this channel")
    measurements, labels = [], []
    for path in files:
        with path.open(newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in [*FEATURES, LABEL] if name not in (rows.fieldnames or [])]
            if missing:
                raise ValueError(f"{path}: missing column {', '.join(missing)}; it has {rows.fieldnames}")
            for row in rows:
                where = f"{path} line {rows.line_num}"
                measurements.append([number(row[name], f"{where}, column {name}") for name in FEATURES])
                if (row[LABEL] or "").strip().lower() in {"", "nan"}:
                    raise ValueError(f"{where}, column {LABEL}: the label is missing (found {row[LABEL]!r})")
                labels.append(row[LABEL])
    return np.array(measurements), np.array(labels)


def confusion_matrix(expected: np.ndarray, predicted: np.ndarray, labels: list[str]) -> list[list[int]]:
    """One row for each true label, one column for each predicted one."""
    return [[int(np.sum((expected == t) & (predicted == p))) for p in labels] for t in labels]


def main() -> None:
    args = parse_arguments()
    train_x, train_y = read_channel(args.train)
    validation_x, validation_y = read_channel(args.validation)
    print(f"read {len(train_y)} rows to train on and {len(validation_y)} to validate with", flush=True)

    labels = sorted(set(train_y.tolist()))
    # Without the squares and products no straight line parts versicolor from the other two.
    features = make_pipeline(StandardScaler(), PolynomialFeatures(2)).fit(train_x)
    classifier = SGDClassifier(
        loss="log_loss",
        learning_rate="constant",
        eta0=args.learning_rate,
        average=True,
        random_state=args.seed,
    )
    model = make_pipeline(features, classifier)
    accuracy = {}
    for epoch in range(1, args.epochs + 1):
        classifier.partial_fit(features.transform(train_x), train_y, classes=labels)
        accuracy = {
            "train": model.score(train_x, train_y),
            "validation": model.score(validation_x, validation_y),
        }
        values = " ".join(f"{channel}:accuracy={value:.4f}" for channel, value in accuracy.items())
        print(f"epoch={epoch} {values}", flush=True)

    args.model_dir.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, args.model_dir / "model.joblib")
    report = {
        "accuracy": accuracy,
        "labels": labels,
        "confusion_matrix": confusion_matrix(validation_y, model.predict(validation_x), labels),
    }
    args.output_data_dir.mkdir(parents=True, exist_ok=True)
    (args.output_data_dir / "report.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        # Left to itself the toolkit reports the exit code only. It keeps a failure file that is already
        # there, and SageMaker makes it the job's FailureReason.
        Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output"), "failure").write_text(f"{error}\n")
        raise
