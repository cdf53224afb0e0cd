"""Starts training jobs through boto3 alone, and tells how they went."""

from __future__ import annotations

import io
import json
import tarfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sts import STSClient

ROLE = "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
TERMINAL = ("Completed", "Failed", "Stopped")
WAIT_SECONDS = 90


class Clients:
    """boto3 clients of one endpoint and account, whatever the machine's own AWS settings are."""

    def __init__(self, url: str, account: str = "123456789012", region: str = "us-east-1") -> None:
        self._arguments: dict[str, Any] = {
            "endpoint_url": url,
            "region_name": region,
            "aws_access_key_id": account,
            "aws_secret_access_key": "secret",
        }
        self._session = boto3.session.Session()

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return self._session.client("sagemaker", **self._arguments)

    @cached_property
    def s3(self) -> S3Client:
        return self._session.client("s3", **self._arguments)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self._session.client("logs", **self._arguments)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return self._session.client("cloudwatch", **self._arguments)

    @cached_property
    def iam(self) -> IAMClient:
        return self._session.client("iam", **self._arguments)

    @cached_property
    def sts(self) -> STSClient:
        return self._session.client("sts", **self._arguments)


def refusal_of(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Return code and message of the 400 with which a client's request is answered."""
    with pytest.raises(ClientError) as error:
        call(**request)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@dataclass(frozen=True)
class Job:
    """A job that was created, and everything a client can find out about it."""

    clients: Clients
    name: str
    bucket: str
    output_prefix: str = "out"

    def describe(self) -> dict[str, Any]:
        return dict(self.clients.sagemaker.describe_training_job(TrainingJobName=self.name))

    def ended(self) -> Job:
        """Wait for the end."""
        return self._until(lambda described: described["TrainingJobStatus"] in TERMINAL)

    def training(self) -> Job:
        """Wait until the container runs."""
        return self._until(lambda described: described["SecondaryStatus"] == "Training")

    def wrote(self, text: str) -> Job:
        """Wait until the log has a line with this text."""
        return self._until(lambda _: any(text in line for line in self.log()))

    def stop(self) -> Job:
        self.clients.sagemaker.stop_training_job(TrainingJobName=self.name)
        return self

    @property
    def status(self) -> str:
        return str(self.describe()["TrainingJobStatus"])

    @property
    def failure_reason(self) -> str:
        return str(self.describe().get("FailureReason", ""))

    @property
    def secondary_statuses(self) -> list[str]:
        return [one["Status"] for one in self.describe()["SecondaryStatusTransitions"]]

    def log(self) -> list[str]:
        """Return the messages of all streams, in order."""
        try:
            streams = self.clients.logs.describe_log_streams(
                logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self.name}/", orderBy="LogStreamName"
            )["logStreams"]
        except self.clients.logs.exceptions.ResourceNotFoundException:
            return []
        lines: list[str] = []
        for stream in streams:
            token: dict[str, Any] = {}
            while events := (
                page := self.clients.logs.get_log_events(
                    logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"], startFromHead=True, **token
                )
            )["events"]:
                lines += [event["message"] for event in events]
                token = {"nextToken": page["nextForwardToken"]}
        return lines

    def archive(self, name: str) -> dict[str, tarfile.TarInfo] | None:
        """Return the members of model.tar.gz or output.tar.gz by name; None if there is no such object."""
        content = self._artifact(name)
        if content is None:
            return None
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            return {member.name: member for member in tar}

    def read(self, archive: str, member: str) -> bytes:
        """Return one file of an archive."""
        content = self._artifact(archive)
        assert content is not None, f"{self.name} has no {archive}"
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            extracted = tar.extractfile(member)
            assert extracted is not None, f"{member} of {archive} is not a file"
            return extracted.read()

    def seen(self) -> dict[str, Any]:
        """Return what the probe image saw."""
        seen: dict[str, Any] = json.loads(self.read("model.tar.gz", "seen.json"))
        return seen

    def _artifact(self, name: str) -> bytes | None:
        key = "/".join(part for part in (self.output_prefix, self.name, "output", name) if part)
        try:
            return self.clients.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.clients.s3.exceptions.NoSuchKey:
            return None

    def _until(self, reached: Callable[[dict[str, Any]], bool]) -> Job:
        deadline = time.monotonic() + WAIT_SECONDS
        while not reached(described := self.describe()):
            in_time = time.monotonic() < deadline and described["TrainingJobStatus"] not in TERMINAL
            assert in_time, (
                f"{self.name} is {described['TrainingJobStatus']}/{described['SecondaryStatus']}: "
                f"{described.get('FailureReason')}\n" + "\n".join(self.log()[-20:])
            )
            time.sleep(0.02)
        return self


@dataclass(frozen=True)
class TrainingJobs:
    """Creates jobs; what a test does not name has a sensible value."""

    clients: Clients
    bucket: str
    image: Callable[[str], str]

    def running(self, program: str, *, image: str = "behaviour", **changes: Any) -> Job:
        """Start a job whose container runs a line of shell."""
        environment = {"PROGRAM": program, **changes.pop("Environment", {})}
        return self.create(image=image, Environment=environment, **changes)

    def create(self, *, image: str = "behaviour", **changes: Any) -> Job:
        """Start a job; `changes` are members of CreateTrainingJob."""
        request = self.request(image=image, **changes)
        self.clients.sagemaker.create_training_job(**request)
        return Job(self.clients, request["TrainingJobName"], self.bucket)

    def request(self, *, image: str = "behaviour", **changes: Any) -> dict[str, Any]:
        """Return a CreateTrainingJob request."""
        algorithm = {
            "TrainingImage": self.image(image),
            "TrainingInputMode": "File",
            **changes.pop("AlgorithmSpecification", {}),
        }
        request = {
            "TrainingJobName": f"job-{uuid.uuid4().hex[:12]}",
            "RoleArn": ROLE,
            "AlgorithmSpecification": algorithm,
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **changes,
        }
        return {name: value for name, value in request.items() if value is not None}

    def channel(self, name: str, objects: Mapping[str, bytes], suffix: str = "/", **changes: Any) -> dict[str, Any]:
        """Store objects below a prefix of their own and return the channel that reads them."""
        prefix = f"in/{uuid.uuid4().hex[:8]}/{name}"
        for key, body in objects.items():
            self.clients.s3.put_object(Bucket=self.bucket, Key=prefix + key, Body=body)
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://{self.bucket}/{prefix}{suffix}",
            "S3DataDistributionType": "FullyReplicated",
        }
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **changes}
