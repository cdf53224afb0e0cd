"""Everything that a `Run` logs, a training inside of it whose program loads the run, and the ways to read it all."""

import json
import os
from contextlib import suppress
from pathlib import Path

import boto3
import numpy as np
import sagemaker
from sagemaker.analytics import ExperimentAnalytics, TrainingJobAnalytics
from sagemaker.estimator import Estimator
from sagemaker.experiments import Run, list_runs, load_run
from sagemaker.inputs import TrainingInput

session = sagemaker.Session()
bucket = session.default_bucket()
code = Path(__file__).with_name("program") / "tracked.py"
boto3.client("s3").upload_file(str(code), bucket, "code/tracked.py")
experiment = "Ads-Ranking"

with Run(experiment_name=experiment, run_name="Deep-1", sagemaker_session=session) as run:
    run.log_parameter("features", "v1")
    run.log_parameters({"layers": 3, "dropout": 0.25})
    Path("notes.txt").write_text("what we tried\n")
    run.log_file("notes.txt", name="notes")
    run.log_artifact("dataset", f"s3://{bucket}/data/", media_type="text/csv", is_output=False)
    labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    run.log_confusion_matrix(labels, (scores > 0.5).astype(int), title="confusion")
    run.log_roc_curve(labels, scores, title="roc")
    run.log_precision_recall(labels, scores, title="precision-recall")
    estimator = Estimator(
        image_uri=os.environ["TRAIN_IMAGE"],
        role="arn:aws:iam::123456789012:role/SageMakerRole",
        instance_count=1,
        instance_type="ml.m5.large",
        container_entry_point=["python3", "/opt/ml/input/data/code/tracked.py"],
        base_job_name="tracked",
        hyperparameters={"epochs": 4, "optimizer": "adam"},
        metric_definitions=[{"Name": "train:loss", "Regex": "train:loss=([0-9.]+)"}],
        sagemaker_session=session,
    )
    estimator.fit({"code": TrainingInput(f"s3://{bucket}/code/")}, logs="None")
    for step in range(25):
        run.log_metric("auc", 0.5 + step / 100, step=step)
    run.log_metric("accuracy", 0.875)

with load_run(experiment_name=experiment, run_name="Deep-1", sagemaker_session=session) as again:
    again.log_parameter("later", 1)

with suppress(ValueError), Run(experiment_name=experiment, run_name="wide", sagemaker_session=session):
    float("row 7 has no label")

job = estimator.latest_training_job.name
frame = ExperimentAnalytics(experiment_name=experiment, sagemaker_session=session).dataframe()
best = ExperimentAnalytics(
    experiment_name=experiment,
    search_expression={"Filters": [{"Name": "DisplayName", "Operator": "Contains", "Value": "deep"}]},
    sort_by="metrics.auc.max",
    sort_order="Descending",
    metric_names=["auc"],
    parameter_names=["layers"],
    sagemaker_session=session,
).dataframe()
result = {
    "job": job,
    "columns": list(frame.columns),
    "rows": json.loads(frame.to_json(orient="records")),
    "best": {"columns": list(best.columns), "rows": json.loads(best.to_json(orient="records"))},
    "runs": [one.run_name for one in list_runs(experiment_name=experiment, sagemaker_session=session)],
    "job_metrics": TrainingJobAnalytics(job, sagemaker_session=session).dataframe().to_dict("records"),
    "bucket": bucket,
}
print(json.dumps(result))
