"""What differs between two jobs: requests, ends, metrics, times, and what their containers found."""

from __future__ import annotations

import re
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

    def neutral(self, value: Any) -> Any:
        """Put words in the place of the job's own name and ARN, wherever they stand for themselves in a text."""
        if isinstance(value, list):
            return [self.neutral(one) for one in value]
        if isinstance(value, str):
            names = ((self.description[self.kind.arn_member], "ARN"), (self.description[self.kind.name_member], "NAME"))
            for text, word in names:
                value = re.sub(rf"(?<![\w-]){re.escape(text)}(?![\w-])", word, value, flags=re.IGNORECASE)
        return value


def differences(left: Job, right: Job) -> Iterator[Difference]:
    """Yield what differs, in the order in which a person asks: how they ended, what was asked for, what they got."""
    unlike = _Comparison(left, right).unlike
    if left.kind is not right.kind:
        yield Difference(part="kind", where="", left=left.kind.words, right=right.kind.words)
    ends = {left.kind.status_member, right.kind.status_member, "SecondaryStatus", "FailureReason", "ExitMessage"}
    yield from unlike("status", _only(left, ends), _only(right, ends))
    yield from unlike("metric", final_metrics(left.description), final_metrics(right.description))
    asked = ends | _OWN | _MEASURED | {*_TIMES, "FinalMetricDataList"}
    yield from unlike("request", _without(left, asked), _without(right, asked))
    yield from unlike("container", _container(left), _container(right))
    yield from unlike("seconds", _seconds(left), _seconds(right), counts=False)


def _only(job: Job, members: set[str]) -> dict[str, Any]:
    found = {name: job.description[name] for name in members if name in job.description}
    return {"Status": found.pop(job.kind.status_member, None), **found}


def _without(job: Job, members: set[str]) -> dict[str, Any]:
    own = {job.kind.arn_member, job.kind.name_member}
    return {name: value for name, value in job.description.items() if name not in members | own}


def _container(job: Job) -> dict[str, Any]:
    if job.view is None:
        return {}
    hosts = {}
    for name, host in job.view["hosts"].items():
        environment = {key: value for key, value in host["environment"].items() if key not in _NEVER_EQUAL}
        hosts[name] = {**host, "environment": environment, "hostname": ""}
    return {"image": job.view["image"], "hosts": hosts}


def _seconds(job: Job) -> dict[str, Any]:
    stages: dict[str, Any] = {}
    for stage in stages_of(job.description):
        stages[stage.status] = round(stages.get(stage.status, 0) + stage.seconds, 1)
    if "ProcessingStartTime" in job.description and "ProcessingEndTime" in job.description:
        took = job.description["ProcessingEndTime"] - job.description["ProcessingStartTime"]
        stages["Processing"] = round(took.total_seconds(), 1)
    return stages


class _Comparison:
    """Goes through two documents side by side."""

    def __init__(self, left: Job, right: Job) -> None:
        self._left = left
        self._right = right

    def unlike(self, part: str, left: Any, right: Any, where: str = "", *, counts: bool = True) -> Iterator[Difference]:
        """Yield the places at which two documents differ, as deep in them as they can be named."""
        if left == right:
            return
        if isinstance(left, dict) and isinstance(right, dict):
            for key in dict.fromkeys([*left, *right]):
                separator = "" if not where else (" " if str(key).startswith("/") else ".")
                one, other = left.get(key, _NOTHING), right.get(key, _NOTHING)
                yield from self.unlike(part, one, other, f"{where}{separator}{key}", counts=counts)
        elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            for index, (one, other) in enumerate(zip(left, right, strict=True)):
                yield from self.unlike(part, one, other, f"{where}[{index}]", counts=counts)
        elif self._left.neutral(left) != self._right.neutral(right):
            yield Difference(part=part, where=where, left=str(left), right=str(right), counts=counts)
