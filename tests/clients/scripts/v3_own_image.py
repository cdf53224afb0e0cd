"""Train with an own image, as estimator_fit.py does with the SDK before this one."""

import json
import logging
import os
import sys

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, StoppingCondition
from sagemaker.train import ModelTrainer

# The SDK logs what the job logs: without this line nothing of it is seen.
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

session = Session()
bucket = session.default_bucket()
boto3.client("s3").put_object(Bucket=bucket, Key="own-image/data.csv", Body=b"1,2,3\n4,5,6\n")

trainer = ModelTrainer(
    training_image=os.environ["TRAIN_IMAGE"],
    role="arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
    hyperparameters={"epochs": 3, "learning-rate": 0.1, "optimizer": "adam"},
    environment={"STAGE": "experiment", "SECONDS_PER_EPOCH": "2"},
)
trainer.train(
    input_data_config=[InputData(channel_name="train", data_source=f"s3://{bucket}/own-image/")], wait=True, logs=True
)
job = trainer._latest_training_job
print(json.dumps({"job": job.training_job_name, "model_data": job.model_artifacts.s3_model_artifacts}))
