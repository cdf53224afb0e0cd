"""Starts training jobs through boto3 alone, and tells how they went."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import boto3
import pytest
from botocore.exceptions import ClientError

from tests import programs

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sts import STSClient

# Seconds of the service: more than any test takes, also where a hundred of them take one.
LONG = 86_400

ROLE = "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
TERMINAL = ("Completed", "Failed", "Stopped")
WAIT_SECONDS = 150

_JOIN_AND_RUN = 'for piece; do program="$program$piece"; done; eval "$program"'


_SESSION = boto3.session.Session()
_SESSION_LOCK = threading.Lock()


@contextmanager
def _shared_session() -> Iterator[boto3.session.Session]:
    """Yield the session of all clients, to one thread at a time.

    It keeps what it has read of the services, as reading that costs more than most tests.
    """
    with _SESSION_LOCK:
        yield _SESSION


class Clients:
    """boto3 clients of one endpoint and account, whatever the machine's own AWS settings are."""

    def __init__(self, url: str, account: str = "123456789012", region: str = "us-east-1") -> None:
        self._arguments: dict[str, Any] = {
            "endpoint_url": url,
            "region_name": region,
            "aws_access_key_id": account,
            "aws_secret_access_key": "secret",
        }

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        with _shared_session() as session:
            return session.client("sagemaker", **self._arguments)

    @cached_property
    def metrics(self) -> Any:
        with _shared_session() as session:
            return session.client("sagemaker-metrics", **self._arguments)

    @cached_property
    def s3(self) -> S3Client:
        with _shared_session() as session:
            return session.client("s3", **self._arguments)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        with _shared_session() as session:
            return session.client("logs", **self._arguments)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        with _shared_session() as session:
            return session.client("cloudwatch", **self._arguments)

    @cached_property
    def iam(self) -> IAMClient:
        with _shared_session() as session:
            return session.client("iam", **self._arguments)

    @cached_property
    def sts(self) -> STSClient:
        with _shared_session() as session:
            return session.client("sts", **self._arguments)


def experiment_config(clients: Clients) -> dict[str, str]:
    """Make an experiment with a run of its own, and return the ExperimentConfig of a job that joins it."""
    name = f"exp-{uuid.uuid4().hex[:8]}"
    clients.sagemaker.create_experiment(ExperimentName=name)
    clients.sagemaker.create_trial_component(TrialComponentName=f"{name}-run")
    return {"ExperimentName": name, "RunName": f"{name}-run"}


def new_name() -> str:
    return f"job-{uuid.uuid4().hex[:12]}"


def new_bucket(clients: Clients) -> str:
    name = f"tests-{uuid.uuid4().hex[:8]}"
    clients.s3.create_bucket(Bucket=name)
    return name


def refusal_of(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Return code and message of the 400 with which a client's request is answered."""
    with pytest.raises(ClientError) as error:
        call(**request)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@dataclass(frozen=True)
class AnyJob:
    """A job that was created, and what clients can find out about it whatever its kind is."""

    noun: ClassVar[str]

    clients: Clients
    name: str
    bucket: str
    output_prefix: str = "out"

    def call(self, verb: str) -> dict[str, Any]:
        """Call DescribeTrainingJob, StopProcessingJob ... on the job."""
        method = getattr(self.clients.sagemaker, f"{verb}_{self.noun.lower()}_job")
        return dict(method(**{f"{self.noun}JobName": self.name}))

    def describe(self) -> dict[str, Any]:
        return self.call("describe")

    def ended(self) -> Self:
        """Wait for the end."""
        return self._until(lambda described: described[f"{self.noun}JobStatus"] in TERMINAL)

    def wrote(self, text: str, times: int = 1) -> Self:
        """Wait until the log has a line with this text, or several: one of each host."""
        return self._until(lambda _: sum(text in line for line in self.log()) >= times)

    def stop(self) -> Self:
        self.call("stop")
        return self

    def stored(self, key: str, content: bytes) -> Self:
        """Wait until one of its outputs' objects has this content, while it runs."""
        return self._until(lambda _: self.objects(key).get("") == content)

    def go(self, sign: str = "go") -> Self:
        """Give the sign for which the job's program waits: see `programs.until`."""
        self.clients.s3.put_object(Bucket=self.bucket, Key=f"signs/{self.name}/{sign}", ACL="public-read")
        return self

    @property
    def status(self) -> str:
        return str(self.describe()[f"{self.noun}JobStatus"])

    @property
    def failure_reason(self) -> str:
        return str(self.describe().get("FailureReason", ""))

    def log(self, host: str = "") -> list[str]:
        """Return the messages of all streams (of one host), in order."""
        group = f"/aws/sagemaker/{self.noun}Jobs"
        try:
            streams = self.clients.logs.describe_log_streams(
                logGroupName=group, logStreamNamePrefix=f"{self.name}/{host}", orderBy="LogStreamName"
            )["logStreams"]
        except self.clients.logs.exceptions.ResourceNotFoundException:
            return []
        lines: list[str] = []
        for stream in streams:
            token: dict[str, Any] = {}
            while events := (
                page := self.clients.logs.get_log_events(
                    logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, **token
                )
            )["events"]:
                lines += [event["message"] for event in events]
                token = {"nextToken": page["nextForwardToken"]}
        return lines

    def objects(self, below: str = "") -> dict[str, bytes]:
        """Return the objects of the job's outputs, by their keys below its prefix."""
        prefix = f"{self.output_prefix}/{self.name}/{below}"
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        return {
            key.removeprefix(prefix): self.clients.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            for key in keys
        }

    def _until(self, reached: Callable[[dict[str, Any]], bool]) -> Self:
        deadline, pause = time.monotonic() + WAIT_SECONDS, 0.02
        while not reached(described := self.describe()):
            status = described[f"{self.noun}JobStatus"]
            in_time = time.monotonic() < deadline and status not in TERMINAL
            assert in_time, (
                f"{self.name} is {status}/{described.get('SecondaryStatus', '')}: "
                f"{described.get('FailureReason')}\n" + "\n".join(self.log()[-20:])
            )
            time.sleep(pause)
            pause = min(pause * 1.2, 0.25)  # each look costs both sides a request
        return self


@dataclass(frozen=True)
class Job(AnyJob):
    """A training job."""

    noun: ClassVar[str] = "Training"

    def training(self) -> Self:
        """Wait until the container runs."""
        return self._until(lambda described: described["SecondaryStatus"] == "Training")

    @property
    def secondary_statuses(self) -> list[str]:
        return [one["Status"] for one in self.describe()["SecondaryStatusTransitions"]]

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


@dataclass(frozen=True)
class ProcessingJob(AnyJob):
    """A processing job. Its outputs go to `<output_prefix>/<name>/<output>/`."""

    noun: ClassVar[str] = "Processing"


@dataclass(frozen=True)
class AnyJobs:
    """Creates jobs; what a test does not name has a sensible value."""

    clients: Clients
    bucket: str
    image: Callable[[str], str]

    def signs(self, program: str, name: str) -> dict[str, str]:
        """Return the variables of a job with which its program waits for signs, if it does."""
        return programs.waiting(f"/{self.bucket}/signs/{name}/") if programs.WAIT in program else {}

    def source(self, name: str, objects: Mapping[str, bytes], suffix: str = "/") -> str:
        """Store objects below a prefix of their own and return its URI."""
        prefix = f"in/{uuid.uuid4().hex[:8]}/{name}"
        for key, body in objects.items():
            self.clients.s3.put_object(Bucket=self.bucket, Key=prefix + key, Body=body)
        return f"s3://{self.bucket}/{prefix}{suffix}"


@dataclass(frozen=True)
class TrainingJobs(AnyJobs):
    """Creates training jobs."""

    def running(self, program: str, *, image: str = "behaviour", **changes: Any) -> Job:
        """Start a job whose container runs a line of shell."""
        name = changes.setdefault("TrainingJobName", new_name())
        environment = {"PROGRAM": program, **self.signs(program, name), **changes.pop("Environment", {})}
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
            "TrainingJobName": new_name(),
            "RoleArn": ROLE,
            "AlgorithmSpecification": algorithm,
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": LONG},
            **changes,
        }
        return {name: value for name, value in request.items() if value is not None}

    def channel(self, name: str, objects: Mapping[str, bytes], suffix: str = "/", **changes: Any) -> dict[str, Any]:
        """Store objects below a prefix of their own and return the channel that reads them."""
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": self.source(name, objects, suffix),
            "S3DataDistributionType": "FullyReplicated",
        }
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **changes}


@dataclass(frozen=True)
class ProcessingJobs(AnyJobs):
    """Creates processing jobs."""

    def running(self, program: str, *, image: str = "behaviour", hosts: int = 1, **changes: Any) -> ProcessingJob:
        """Start a job whose containers run a line of shell, in pieces if it is longer than an argument may be."""
        pieces = [program[start : start + 256] for start in range(0, len(program), 256)]
        command = ["sh", "-c", *pieces] if len(pieces) == 1 else ["sh", "-c", _JOIN_AND_RUN, "sh", *pieces]
        name = changes.setdefault("ProcessingJobName", new_name())
        if signs := self.signs(program, name):
            changes["Environment"] = {**signs, **changes.get("Environment", {})}
        return self.create(image=image, hosts=hosts, AppSpecification={"ContainerEntrypoint": command}, **changes)

    def create(self, *, image: str = "behaviour", hosts: int = 1, **changes: Any) -> ProcessingJob:
        """Start a job; `changes` are members of CreateProcessingJob."""
        request = self.request(image=image, hosts=hosts, **changes)
        self.clients.sagemaker.create_processing_job(**request)
        return ProcessingJob(self.clients, request["ProcessingJobName"], self.bucket)

    def request(self, *, image: str = "behaviour", hosts: int = 1, **changes: Any) -> dict[str, Any]:
        """Return a CreateProcessingJob request; the outputs' S3Uris are filled in if they have none."""
        name = changes.pop("ProcessingJobName", new_name())
        cluster = {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 10}
        request = {
            "ProcessingJobName": name,
            "RoleArn": ROLE,
            "AppSpecification": {"ImageUri": self.image(image), **changes.pop("AppSpecification", {})},
            "ProcessingResources": {"ClusterConfig": cluster},
            "StoppingCondition": {"MaxRuntimeInSeconds": LONG},
            **changes,
        }
        for output in request.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            output["S3Output"].setdefault("S3Uri", f"s3://{self.bucket}/out/{name}/{output['OutputName']}")
        return {name: value for name, value in request.items() if value is not None}

    def input(self, name: str, objects: Mapping[str, bytes], suffix: str = "/", **changes: Any) -> dict[str, Any]:
        """Store objects below a prefix of their own and return the input that reads them."""
        source = {
            "S3Uri": self.source(name, objects, suffix),
            "LocalPath": f"/opt/ml/processing/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            **changes,
        }
        return {"InputName": name, "S3Input": source}

    def outputs(self, *names: str, mode: str = "EndOfJob") -> dict[str, Any]:
        """Return a ProcessingOutputConfig of outputs at /opt/ml/processing/<name>."""
        return {
            "Outputs": [
                {"OutputName": name, "S3Output": {"LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": mode}}
                for name in names
            ]
        }
