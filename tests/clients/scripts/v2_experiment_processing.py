"""A processing job inside of a run, whose program loads the run."""

import json
import os
from pathlib import Path

import sagemaker
from sagemaker.experiments import Run
from sagemaker.processing import ScriptProcessor

session = sagemaker.Session()
with Run(experiment_name="prepared", run_name="one", sagemaker_session=session):
    processor = ScriptProcessor(
        image_uri=os.environ["TRAIN_IMAGE"],
        command=["python3"],
        role="arn:aws:iam::123456789012:role/SageMakerRole",
        instance_count=1,
        instance_type="ml.m5.large",
        base_job_name="prepared",
        sagemaker_session=session,
    )
    processor.run(code=str(Path(__file__).with_name("program") / "prepared.py"), logs=False)
print()  # behind the dots of the waiting
print(json.dumps({"job": processor.latest_job.job_name}))
