"""A job that outlasts fit()'s first look at it, so that fit() follows its log."""

import json
import os

from sagemaker.estimator import Estimator

estimator = Estimator(
    image_uri=os.environ["TRAIN_IMAGE"],
    role="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
    instance_count=1,
    instance_type="ml.m5.large",
    base_job_name="long-job",
    environment={"SECONDS_PER_EPOCH": "4"},
)
estimator.fit(wait=True, logs="All")
print(json.dumps({"job": estimator.latest_training_job.name}))
