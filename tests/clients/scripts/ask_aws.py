"""Runs in a training container: asks AWS who it is, what is stored, and which job it belongs to."""

import json
import os

import boto3

region = os.environ["AWS_REGION"]
caller = boto3.client("sts", region_name=region).get_caller_identity()
s3 = boto3.client("s3")
bucket = os.environ["BUCKET"]
listed = s3.list_objects_v2(Bucket=bucket, Prefix=os.environ["PREFIX"])
s3.upload_file(__file__, bucket, "uploaded/by-the-job.py")
name = os.environ["TRAINING_JOB_ARN"].split("/")[-1]
job = boto3.client("sagemaker", region_name=region).describe_training_job(TrainingJobName=name)
told = {
    "caller": caller["Arn"],
    "account": caller["Account"],
    "listed": [one["Key"] for one in listed["Contents"]],
    "asked_for": name,
    "job": job["TrainingJobName"],
    "status": job["SecondaryStatus"],
}
with open("/opt/ml/model/told.json", "w") as file:
    json.dump(told, file)
