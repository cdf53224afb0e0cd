"""Script mode without a network: the program comes in a channel."""

import json
import os
from pathlib import Path

from sagemaker.estimator import Estimator

estimator = Estimator(
    image_uri=os.environ["TRAIN_IMAGE"],
    entry_point="train.py",
    source_dir=str(Path(__file__).with_name("program")),
    role="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
    instance_count=1,
    instance_type="ml.m5.large",
    base_job_name="isolated",
    enable_network_isolation=True,
)
estimator.fit(logs="All")
print(json.dumps({"job": estimator.latest_training_job.name}))
