"""A processing program that finds the run it belongs to."""

import os

import boto3
from sagemaker.experiments.run import load_run
from sagemaker.session import Session

session = Session(boto3.session.Session(region_name=os.environ["AWS_REGION"]))
with load_run(sagemaker_session=session) as run:
    run.log_parameter("rows", 4)
