"""What differs between two jobs: requests, ends, metrics, times, and what their containers found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..contract.kinds import JobKind
from .expectations import final_metrics
from .report import stages_of

# What is another for every job, and says nothing of how two differ.
_OWN: Final = {"CreationTime", "LastModifiedTime", "SecondaryStatusTransitions", "ResponseMetadata", "ModelArtifacts"}
_TIMES: Final = ("TrainingStartTime", "TrainingEndTime", "ProcessingStartTime", "ProcessingEndTime")
_MEASURED: Final = {"TrainingTimeInSeconds", "BillableTimeInSeconds"}
_NEVER_EQUAL: Final = {
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "ECS_CONTAINER_METADATA_URI",
    "ECS_CONTAINER_METADATA_URI_V4",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "S3_ENDPOINT_URL",
    "HOSTNAME",
    "TRAINING_JOB_NAME",
    "TRAINING_JOB_ARN",
}
_NOTHING: Final = "(nothing)"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not alike; texts for a person. `counts`: it is more than the time that something took."""

    part: str
    where: str
    left: str
    right: str
    counts: bool = True


@dataclass(frozen=True, kw_only=True)
class Job:
    """One of two jobs: its kind, Describe answer and container view, if its containers have started."""

    kind: JobKind
    description: Mapping[str, Any]
    view: Mapping[str, Any] | None

    @property
    def names(self) -> dict[str, str]:
        """What stands for the job in its own texts, so that only other differences show."""
        return {self.description[self.kind.arn_member]: "ARN", self.description[self.kind.name_member]: "NAME"}


def differences(left: Job, right: Job) -> Iterator[Difference]:
    """Yield what differs, in the order in which a person asks: how they ended, what was asked for, what they got."""
    if left.kind is not right.kind:
        yield Difference(part="kind", where="", left=left.kind.words, right=right.kind.words)
    status = (left.kind.status_member, right.kind.status_member)
    ends = {*status, "SecondaryStatus", "FailureReason", "ExitMessage"}
    yield from _unlike("status", _only(left, ends), _only(right, ends))
    yield from _unlike("metric", final_metrics(left.description), final_metrics(right.description))
    asked = ends | _OWN | _MEASURED | {*_TIMES, "FinalMetricDataList"}
    yield from _unlike("request", _without(left, asked), _without(right, asked))
    yield from _unlike("container", _container(left), _container(right))
    yield from _unlike("seconds", _seconds(left), _seconds(right), counts=False)


def _only(job: Job, members: set[str]) -> dict[str, Any]:
    status = job.kind.status_member
    found = {name: job.description[name] for name in members if name in job.description}
    found["Status"] = found.pop(status, None)
    return {name: _neutral(value, job) for name, value in found.items()}


def _without(job: Job, members: set[str]) -> dict[str, Any]:
    own = {job.kind.arn_member, job.kind.name_member}
    return {name: _neutral(value, job) for name, value in job.description.items() if name not in members | own}


def _container(job: Job) -> dict[str, Any]:
    if job.view is None:
        return {}
    hosts = {}
    for name, host in job.view["hosts"].items():
        environment = {key: value for key, value in host["environment"].items() if key not in _NEVER_EQUAL}
        hosts[name] = {**host, "environment": environment, "hostname": ""}
    document: dict[str, Any] = _neutral({"image": job.view["image"], "hosts": hosts}, job)
    return document


def _seconds(job: Job) -> dict[str, Any]:
    stages: dict[str, Any] = {}
    for stage in stages_of(job.description):
        stages[stage.status] = round(stages.get(stage.status, 0) + stage.seconds, 1)
    if "ProcessingStartTime" in job.description and "ProcessingEndTime" in job.description:
        took = job.description["ProcessingEndTime"] - job.description["ProcessingStartTime"]
        stages["Processing"] = round(took.total_seconds(), 1)
    return stages


def _neutral(value: Any, job: Job) -> Any:
    """Put words in the place of the job's own name and ARN, wherever they stand."""
    if isinstance(value, dict):
        return {_neutral(key, job): _neutral(one, job) for key, one in value.items()}
    if isinstance(value, list):
        return [_neutral(one, job) for one in value]
    if isinstance(value, str):
        for text, word in job.names.items():
            value = value.replace(text, word).replace(text.lower(), word)
    return value


def _unlike(part: str, left: Any, right: Any, where: str = "", *, counts: bool = True) -> Iterator[Difference]:
    """Yield the places at which two documents differ, as deep in them as they can be named."""
    if left == right:
        return
    if isinstance(left, dict) and isinstance(right, dict):
        for key in dict.fromkeys([*left, *right]):
            separator = "" if not where else (" " if str(key).startswith("/") else ".")
            yield from _unlike(
                part, left.get(key, _NOTHING), right.get(key, _NOTHING), f"{where}{separator}{key}", counts=counts
            )
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _unlike(part, one, other, f"{where}[{index}]", counts=counts)
    else:
        yield Difference(part=part, where=where, left=str(left), right=str(right), counts=counts)
