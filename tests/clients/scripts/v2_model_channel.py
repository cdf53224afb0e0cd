"""A role by its name, a model to go on from, an output of one's own, and no log on the screen."""

import json
import os

import boto3
from sagemaker.estimator import Estimator

s3 = boto3.client("s3")
s3.create_bucket(Bucket="pretrained")
s3.put_object(Bucket="pretrained", Key="ctr/model.tar.gz", Body=b"an earlier model")

estimator = Estimator(
    image_uri=os.environ["TRAIN_IMAGE"],
    role="SageMakerRole",
    instance_count=1,
    instance_type="ml.m5.large",
    base_job_name="model-channel",
    model_uri="s3://pretrained/ctr/model.tar.gz",
    output_path="s3://pretrained/out",
)
estimator.fit("s3://pretrained/ctr/", wait=True, logs=False)
print(json.dumps({"job": estimator.latest_training_job.name, "model_data": estimator.model_data}))
