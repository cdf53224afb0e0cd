"""The Create request of a job file's job: what it leaves out is filled in, what is wrong is located."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from botocore.model import Shape

from ..contract.arns import Scope
from ..contract.kinds import PROCESSING
from ..errors import UsageError
from .document import IMAGE_AT, JobFile
from .request_check import faults
from .yaml_source import At, YamlSource

DEFAULT_ROLE: Final = "sagemaker-emulator"
_ONE_INSTANCE: Final = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
_VOLUME: Final = {"VolumeSizeInGB": 30}
_LONGEST_STEM: Final = 40
# What the service refuses names the member in one of these ways.
_MEMBERS: Final = (
    re.compile(r"at '(?P<path>[^']+)' failed"),
    re.compile(r"^Not emulated: (?P<path>[\w.\[\]]+):"),
)


def complete(
    job_file: JobFile, *, image: str, scope: Scope, values: Mapping[At, Any] | None = None, now: datetime | None = None
) -> dict[str, Any]:
    """Return the request with everything in it that the service requires, and values for its references."""
    given = job_file.request_with(values or {})
    structure, member = job_file.image_member
    request = {
        job_file.kind.name_member: _job_name(job_file, now or datetime.now(UTC)),
        "RoleArn": f"arn:{scope.partition}:iam::{scope.account}:role/{DEFAULT_ROLE}",
        **given,
        **(_processing(given) if job_file.kind is PROCESSING else _training(given, scope)),
        "StoppingCondition": _filled(given, "StoppingCondition", {"MaxRuntimeInSeconds": 3600}),
    }
    return {**request, structure: _filled(request, structure, {member: image})}


def _training(given: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    instance = {} if _has(given.get("ResourceConfig"), "InstanceGroups") else _ONE_INSTANCE
    bucket = f"sagemaker-{scope.region}-{scope.account}"
    return {
        "AlgorithmSpecification": _filled(given, "AlgorithmSpecification", {"TrainingInputMode": "File"}),
        "OutputDataConfig": _filled(given, "OutputDataConfig", {"S3OutputPath": f"s3://{bucket}/"}),
        "ResourceConfig": _filled(given, "ResourceConfig", {**instance, **_VOLUME}),
    }


def _processing(given: Mapping[str, Any]) -> dict[str, Any]:
    resources = _filled(given, "ProcessingResources", {})
    if isinstance(resources, dict):
        instance = {} if _has(resources.get("ClusterConfig"), "InstancePreferences") else _ONE_INSTANCE
        resources = {**resources, "ClusterConfig": _filled(resources, "ClusterConfig", {**instance, **_VOLUME})}
    return {"ProcessingResources": resources}


def check(yaml: YamlSource, request: dict[str, Any], shape: Shape) -> None:
    """Refuse a request that the service's model does not allow: unknown members, wrong types, values out of bounds.

    Raises:
        UsageError: with one line for each thing that is wrong.
    """
    lines = [str(yaml.error(_written_at(yaml, at), problem)) for at, problem in faults(yaml, request, shape)]
    if lines:
        raise UsageError("\n".join(lines))


def refused(yaml: YamlSource, message: str) -> UsageError:
    """Return the error that the service does not take the request, with the line it is about."""
    return UsageError(_located(yaml, message))


def _written_at(yaml: YamlSource, at: At) -> At:
    """Return where a place of the request stands in the file: the image may stand above the request."""
    named: At = ("image", "name")
    return named if at in IMAGE_AT and not yaml.has(at) and yaml.has(named) else at


def _has(value: Any, name: str) -> bool:
    """Tell whether a value of the request is a structure with this member."""
    return isinstance(value, dict) and name in value


def _filled(given: Mapping[str, Any], name: str, defaults: dict[str, Any]) -> Any:
    """Return a structure of the request with defaults in it; what is no structure stays, for `check` to see."""
    value = given.get(name, {})
    return {**defaults, **value} if isinstance(value, dict) else value


def _job_name(job_file: JobFile, now: datetime) -> str:
    """Return the name of the job file's folder (and its own, unless that is job.yaml) and the time."""
    path = job_file.path.absolute()
    parts = [path.parent.name] if path.stem == "job" else [path.parent.name, path.stem]
    stem = re.sub(r"[^a-zA-Z0-9]+", "-", "-".join(parts)).strip("-")[:_LONGEST_STEM].strip("-")
    return f"{stem or 'job'}-{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03}"


def _located(yaml: YamlSource, message: str) -> str:
    """Put file, line and key before a message that names a member of the request."""
    match = next((found for pattern in _MEMBERS if (found := pattern.search(message))), None)
    if match is None:
        return str(yaml.error(("request",), message))
    at: At = ("request", *_steps(match["path"], yaml.get(("request",))))
    return str(yaml.error(at, message))


def _steps(path: str, value: Any) -> Iterator[str | int]:
    """Turn `InputDataConfig[0].ChannelName`, or the service's `inputDataConfig.1.member.channelName`, into steps."""
    for name in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, list):
            if name == "member":
                continue
            # The service counts from 1 and says "member" after it; botocore and we count from 0.
            number = int(name) - (1 if "member" in path else 0) if name.isdigit() else 0
            yield number
            value = value[number] if number < len(value) else None
        elif name != "member":
            known = value if isinstance(value, dict) else {}
            key = next((key for key in known if key.lower() == name.lower()), name[:1].upper() + name[1:])
            yield key
            value = known.get(key)
