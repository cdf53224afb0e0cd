"""Preprocess with an own image."""

import os

import boto3
import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor

session = sagemaker.Session()
bucket = session.default_bucket()
boto3.client("s3").put_object(Bucket=bucket, Key="raw/day=1/part-0.csv", Body=b"a,b\n1,2\n")

processor = Processor(
    image_uri=os.environ["PROCESS_IMAGE"],
    role="arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
    instance_count=1,
    instance_type="ml.m5.large",
    entrypoint=["python3", "/opt/program/preprocess.py"],
    env={"STAGE": "experiment"},
)
processor.run(
    inputs=[ProcessingInput(source=f"s3://{bucket}/raw", destination="/opt/ml/processing/input")],
    outputs=[ProcessingOutput(source="/opt/ml/processing/output", destination=f"s3://{bucket}/features")],
    arguments=["--date", "2023-04-07"],
)
print(processor.latest_job.describe()["ProcessingJobStatus"])
