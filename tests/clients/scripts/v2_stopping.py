"""Two jobs that would last an hour, not waited for, and stopped in both ways."""

import json
import os
import time

import sagemaker
from sagemaker.estimator import Estimator


def started(name):
    estimator = Estimator(
        image_uri=os.environ["TRAIN_IMAGE"],
        role="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        instance_count=1,
        instance_type="ml.m5.large",
        base_job_name=name,
        environment={"PROGRAM": "trap 'echo asked to stop; exit 0' TERM; echo ready; sleep 3600 & wait"},
        sagemaker_session=session,
    )
    estimator.fit(wait=False)
    return estimator


def wait_until(estimator, statuses):
    while (described := estimator.latest_training_job.describe())["SecondaryStatus"] not in statuses:
        time.sleep(0.2)
    return described["TrainingJobStatus"]


session = sagemaker.Session()
first, second = started("first"), started("second")
for estimator in (first, second):
    wait_until(estimator, ["Training"])
first.latest_training_job.stop()
session.stop_training_job(second.latest_training_job.name)
statuses = [wait_until(estimator, ["Stopped", "Completed", "Failed"]) for estimator in (first, second)]
session.logs_for_job(first.latest_training_job.name, wait=True)
print(json.dumps({"statuses": statuses}))
