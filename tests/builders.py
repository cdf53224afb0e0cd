"""What unit tests are about, built: a test names only the members that matter to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.contract import processing_status, status
from emulator.contract.arns import S3Uri, Scope
from emulator.contract.channels import Channel
from emulator.contract.kinds import PROCESSING, TRAINING
from emulator.contract.processing_job import ProcessingJob
from emulator.contract.record import JobRecord
from emulator.contract.status import Facts
from emulator.contract.training_job import TrainingJob

SCOPE = Scope(account="123456789012", region="us-east-1")
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"


def training_request(**changes: Any) -> dict[str, Any]:
    """Return a CreateTrainingJob request; a change to None leaves the member out."""
    request: dict[str, Any] = {
        "TrainingJobName": "Job-1",
        "RoleArn": ROLE,
        "AlgorithmSpecification": algorithm(),
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    return without_none({**request, **changes})


def algorithm(**changes: Any) -> dict[str, Any]:
    """Return an AlgorithmSpecification."""
    return without_none({"TrainingImage": "image", "TrainingInputMode": "File", **changes})


def channel_request(
    name: str = "train", uri: str = "s3://bucket/train", *, source: Mapping[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """Return an entry of InputDataConfig; `source` adds members to its S3DataSource."""
    s3_source = {"S3DataType": "S3Prefix", "S3Uri": uri, **(source or {})}
    return without_none({"ChannelName": name, "DataSource": {"S3DataSource": s3_source}, **changes})


def processing_request(**changes: Any) -> dict[str, Any]:
    """Return a CreateProcessingJob request; a change to None leaves the member out."""
    request: dict[str, Any] = {
        "ProcessingJobName": "Prep-1",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {"ClusterConfig": cluster()},
    }
    return without_none({**request, **changes})


def cluster(**changes: Any) -> dict[str, Any]:
    """Return a ClusterConfig."""
    return without_none({"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30, **changes})


def processing_input(
    name: str = "in",
    uri: str = "s3://bucket/in",
    local_path: str | None = None,
    *,
    managed: bool | None = None,
    **s3: Any,
) -> dict[str, Any]:
    """Return an entry of ProcessingInputs; `s3` are members of its S3Input. Without a path it is `.../<name>`."""
    path = f"/opt/ml/processing/{name}" if local_path is None else local_path
    s3_input = {"S3Uri": uri, "S3DataType": "S3Prefix", "LocalPath": path, **s3}
    return without_none({"InputName": name, "AppManaged": managed, "S3Input": without_none(s3_input)})


def processing_output(
    name: str = "out",
    uri: str = "s3://bucket/out",
    local_path: str | None = None,
    *,
    managed: bool | None = None,
    **s3: Any,
) -> dict[str, Any]:
    """Return an entry of ProcessingOutputConfig.Outputs, as `processing_input` does."""
    path = f"/opt/ml/processing/{name}" if local_path is None else local_path
    s3_output = {"S3Uri": uri, "S3UploadMode": "EndOfJob", "LocalPath": path, **s3}
    return without_none({"OutputName": name, "AppManaged": managed, "S3Output": without_none(s3_output)})


def outputs(*entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ProcessingOutputConfig."""
    return {"Outputs": list(entries)}


def processing_job(**changes: Any) -> ProcessingJob:
    """Return the job that a request asks for; `changes` are members of CreateProcessingJob."""
    return ProcessingJob.parse(processing_request(**changes), SCOPE)


def processing_record(
    name: str = "Prep-1",
    *,
    facts: Facts | None = None,
    number: int = 0,
    scope: Scope = SCOPE,
    tags: Mapping[str, str] | None = None,
    **changes: Any,
) -> JobRecord:
    """Return the record of a processing job created at second 1000; see `job_record`."""
    return JobRecord(
        scope=scope,
        name=name,
        arn=PROCESSING.arn(scope, name),
        request=processing_request(ProcessingJobName=name, **changes),
        facts=facts if facts is not None else processing_status.created(1000.0),
        tags=tags or {},
        number=number,
    )


def instance_group(name: str, instance_type: str, count: int = 1) -> dict[str, Any]:
    """Return an entry of ResourceConfig.InstanceGroups."""
    return {"InstanceGroupName": name, "InstanceType": instance_type, "InstanceCount": count}


def training_job(**changes: Any) -> TrainingJob:
    """Return the job that a request asks for; `changes` are members of CreateTrainingJob."""
    return TrainingJob.parse(training_request(**changes), SCOPE)


def channel(uri: str = "s3://bucket/train", name: str = "train") -> Channel:
    """Return a File-mode channel."""
    return Channel(name=name, source=S3Uri.parse(uri))


def job_record(
    name: str = "Job-1",
    *,
    facts: Facts | None = None,
    number: int = 0,
    scope: Scope = SCOPE,
    tags: Mapping[str, str] | None = None,
    **changes: Any,
) -> JobRecord:
    """Return the record of a training job created at second 1000; `changes` are members of CreateTrainingJob."""
    return JobRecord(
        scope=scope,
        name=name,
        arn=TRAINING.arn(scope, name),
        request=training_request(TrainingJobName=name, **changes),
        facts=facts if facts is not None else status.created(1000.0),
        tags=tags or {},
        number=number,
    )


def tags(pairs: Mapping[str, str] | Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return a tag list as the API takes it."""
    entries = pairs.items() if isinstance(pairs, Mapping) else pairs
    return [{"Key": key, "Value": value} for key, value in entries]


def without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document without members that are None."""
    return {name: value for name, value in document.items() if value is not None}
