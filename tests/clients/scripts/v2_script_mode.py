"""Script mode: the program goes to S3 by itself and runs in an image that has the training toolkit."""

import json
import os
from pathlib import Path

import boto3
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

session = sagemaker.Session()
bucket = session.default_bucket()
boto3.client("s3").put_object(Bucket=bucket, Key="script-mode/data.csv", Body=b"1,2,3\n")

role = sagemaker.get_execution_role()
estimator = Estimator(
    image_uri=os.environ["TRAIN_IMAGE"],
    entry_point="train.py",
    source_dir=str(Path(__file__).with_name("program")),
    role=role,
    instance_count=1,
    instance_type="ml.m5.large",
    base_job_name="script-mode",
    hyperparameters={"epochs": 3, "learning-rate": 0.1, "optimizer": "adam", "layers": {"hidden": 8}},
    metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
    tags=[{"Key": "team", "Value": "ranking"}],
    sagemaker_session=session,
)
estimator.fit({"train": TrainingInput(f"s3://{bucket}/script-mode/")}, wait=True, logs="All")

name = estimator.latest_training_job.name
attached = Estimator.attach(name)
metrics = attached.training_job_analytics.dataframe()
result = {
    "job": name,
    "role": role,
    "attached": {
        "hyperparameters": attached.hyperparameters(),
        "model_data": attached.model_data,
        "role": attached.role,
        "tags": attached.tags,
    },
    "metrics": metrics.to_dict("records"),
    "status": session.describe_training_job(name)["TrainingJobStatus"],
}
print(json.dumps(result))
