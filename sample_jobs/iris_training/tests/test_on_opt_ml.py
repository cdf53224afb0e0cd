"""Unit tests of train.py in this process: `pytest sample_jobs/iris_training/tests`. Needs scikit-learn and pandas."""

from pathlib import Path

import pandas as pd

SAMPLE = Path(__file__).parents[1]
SCRIPT = SAMPLE / "train.py"
METRICS = {"validation:accuracy": "validation:accuracy=([0-9.]+)"}
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]


def test_it_learns(opt_ml):
    job = opt_ml.training_job(
        channels={"train": SAMPLE / "data/train", "validation": SAMPLE / "data/validation"},
        hyperparameters={"epochs": 20, "learning-rate": 0.02, "seed": 7},
        metrics=METRICS,
    )
    result = job.run_script(SCRIPT)
    assert result.metrics["validation:accuracy"] >= 0.9
    assert len(result.metric_values["validation:accuracy"]) == 20
    model = result.model.load("model.joblib")
    assert model.predict([[5.1, 3.5, 1.4, 0.2]]) == ["setosa"]
    assert result.output.load("report.json")["labels"] == ["setosa", "versicolor", "virginica"]


def test_two_kinds_from_a_data_frame(opt_ml):
    rows = [[5.0, 3.4, 1.5, 0.2, "setosa"], [6.3, 3.3, 6.0, 2.5, "virginica"]] * 10
    frame = pd.DataFrame(rows, columns=COLUMNS)
    job = opt_ml.training_job(channels={"train": frame, "validation": frame}, hyperparameters={"epochs": 5})
    report = job.run_script(SCRIPT).output.load("report.json")
    assert report["confusion_matrix"] == [[10, 0], [0, 10]]


def test_a_broken_row_is_named(opt_ml):
    job = opt_ml.training_job(
        channels={"train": SAMPLE / "data/bad", "validation": SAMPLE / "data/validation"}, expect="Failed"
    )
    result = job.run_script(SCRIPT)
    assert "iris.csv line 43, column species: the label is missing" in result.failure_reason
