"""What a training job tells SageMaker Experiments by itself: what neither its request nor its log lines say.

By boto3, which comes with the training toolkit; the SageMaker SDK in the image would be many times as large.
"""

import functools
import json
import os
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

MOST_METRICS = 10  # of one BatchPutMetrics


def or_untracked(method: Callable[..., None]) -> Callable[..., None]:
    """Let a training go on where its tracking is refused; that is printed once, and nothing more is sent."""

    @functools.wraps(method)
    def guarded(tracking: "Tracking", *args: Any, **values: Any) -> None:
        if tracking.arn is None:
            return
        try:
            method(tracking, *args, **values)
        except (BotoCoreError, ClientError) as error:
            tracking.arn = None
            print(f"this job is not tracked any further: {error}", flush=True)

    return guarded


class Tracking:
    """The run that the job belongs to; without one, the trial component that each job has of its own.

    A program that no job runs has none of both: then nothing is sent.
    """

    def __init__(self) -> None:
        self.arn = os.environ.get("TRAINING_JOB_ARN")

    @or_untracked
    def log_parameters(self, **values: float) -> None:
        """Set parameters beside the hyperparameters, which are there already."""
        numbers = {name: {"NumberValue": float(value)} for name, value in values.items()}
        self._client("sagemaker").update_trial_component(TrialComponentName=self._component, Parameters=numbers)

    @or_untracked
    def log_metrics(self, name: str, values: list[float], first_step: int) -> None:
        """Send the values of a metric at one step after the other."""
        now = time.time()
        data = [
            {"MetricName": name, "Timestamp": now, "Step": step, "Value": value}
            for step, value in enumerate(values, first_step)
        ]
        for start in range(0, len(data), MOST_METRICS):
            answer = self._client("sagemaker-metrics").batch_put_metrics(
                TrialComponentName=self._component.lower(), MetricData=data[start : start + MOST_METRICS]
            )
            if answer.get("Errors"):  # of some values; the others are stored
                print(f"not all of {name} is tracked: {answer['Errors']}", flush=True)

    @or_untracked
    def log_charts(self, charts: list[dict[str, Any]]) -> None:
        """Store charts with the job's output, as artifacts that the run has produced."""
        sagemaker = self._client("sagemaker")
        component = sagemaker.describe_trial_component(TrialComponentName=self._component)["TrialComponentArn"]
        output = self._job["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        for chart in charts:
            uri = f"{output}/{self._job['TrainingJobName']}/charts/{chart['title']}.json"
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            stored = self._client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(chart).encode())
            artifact = sagemaker.create_artifact(
                ArtifactName=chart["title"],
                ArtifactType=chart["type"],
                Source={"SourceUri": uri, "SourceTypes": [{"SourceIdType": "S3ETag", "Value": stored["ETag"]}]},
            )
            sagemaker.add_association(
                SourceArn=component, DestinationArn=artifact["ArtifactArn"], AssociationType="Produced"
            )

    @functools.cached_property
    def _job(self) -> dict[str, Any]:
        return self._client("sagemaker").describe_training_job(TrainingJobName=self.arn.rpartition("/")[2])

    @property
    def _component(self) -> str:
        run = self._job.get("ExperimentConfig", {}).get("RunName")
        return run or f"{self._job['TrainingJobName']}-aws-training-job"

    @functools.cache  # noqa: B019 - there is one Tracking in a program
    def _client(self, service: str) -> Any:
        # A job's ARN has its region; AWS_REGION has it too, and boto3 does not read that.
        return boto3.client(service, region_name=self.arn.split(":")[3])
