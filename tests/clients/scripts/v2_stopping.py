"""Two jobs that would last an hour, not waited for, and stopped in both ways."""

import json
import os
import time
from contextlib import suppress

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


def wait_until_ready(estimator):
    """The job is in Training before its program runs, and a program that is stopped too soon has nothing to say."""
    group = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": estimator.latest_training_job.name}
    while True:
        with suppress(logs.exceptions.ResourceNotFoundException):
            if logs.filter_log_events(**group, filterPattern="ready")["events"]:
                return
        time.sleep(0.2)


def status_in_the_end(estimator):
    while (described := estimator.latest_training_job.describe())["TrainingJobStatus"] in ("InProgress", "Stopping"):
        time.sleep(0.2)
    return described["TrainingJobStatus"]


session = sagemaker.Session()
logs = session.boto_session.client("logs")
first, second = started("first"), started("second")
for estimator in (first, second):
    wait_until_ready(estimator)
first.latest_training_job.stop()
session.stop_training_job(second.latest_training_job.name)
statuses = [status_in_the_end(estimator) for estimator in (first, second)]
session.logs_for_job(first.latest_training_job.name, wait=True)
print(json.dumps({"statuses": statuses}))
