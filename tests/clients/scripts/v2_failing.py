"""A program that fails: fit() raises, and says what the program said."""

import json
import os
from pathlib import Path

from sagemaker.estimator import Estimator
from sagemaker.exceptions import UnexpectedStatusException

estimator = Estimator(
    image_uri=os.environ["TRAIN_IMAGE"],
    entry_point="broken.py",
    source_dir=str(Path(__file__).with_name("program")),
    role="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
    instance_count=1,
    instance_type="ml.m5.large",
    base_job_name="failing",
)
try:
    estimator.fit(logs="All")
except UnexpectedStatusException as error:
    print(json.dumps({"error": str(error), "status": error.actual_status}))
