"""What CreateTrainingJob and the tag operations refuse beyond the shape of the request, and answers about jobs.

Source: BC documentation of the members, and messages seen from the service where one is quoted in
docs/fidelity.md; the rest are this emulator's words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..errors import ResourceInUseError, ResourceLimitExceededError, UnknownJobError, ValidationError
from .arns import S3Uri
from .job import DEFAULT_MAX_RUNTIME_SECONDS, MOST_HOSTS
from .kinds import TRAINING, JobKind, kind_of
from .metrics import MetricDefinition

MOST_TAGS: Final = 50

# Required for every job but serverless ones, which are refused before.
_REQUIRED: Final = ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition")


def check_training_job(request: Mapping[str, Any]) -> None:
    """Refuse a CreateTrainingJob request whose shape is right but whose content is not.

    Raises:
        ValidationError: with the service's text where it is known.
    """
    _check_required(request)
    _check_algorithm(request["AlgorithmSpecification"])
    _check_channels(request.get("InputDataConfig", ()))
    _check_resources(request["ResourceConfig"])
    check_process_texts(request, "AlgorithmSpecification")
    _check_groups(request.get("InputDataConfig", ()), request["ResourceConfig"])
    _check_stopping(request)
    S3Uri.parse(request["OutputDataConfig"]["S3OutputPath"])
    check_tags(request.get("Tags", ()))
    for definition in request["AlgorithmSpecification"].get("MetricDefinitions", ()):
        MetricDefinition.parse(definition).pattern  # noqa: B018 - compiling it is the check


def _check_required(request: Mapping[str, Any]) -> None:
    missing = [name for name in _REQUIRED if name not in request]
    if missing:
        paths = [name[0].lower() + name[1:] for name in missing]
        errors = "; ".join(
            f"Value null at '{path}' failed to satisfy constraint: Member must not be null" for path in paths
        )
        raise ValidationError(f"{len(paths)} validation error{'s' if len(paths) > 1 else ''} detected: {errors}")


def _check_algorithm(algorithm: Mapping[str, Any]) -> None:
    if not algorithm.get("TrainingImage"):
        raise ValidationError(
            "AlgorithmSpecification must have exactly one of TrainingImage and AlgorithmName. Give TrainingImage."
        )


def _check_channels(channels: Sequence[Mapping[str, Any]]) -> None:
    counted = Counter(channel["ChannelName"] for channel in channels)
    repeated = sorted(name for name, count in counted.items() if count > 1)
    if repeated:
        raise ValidationError(f"Channel names must be unique within InputDataConfig; repeated: {', '.join(repeated)}")
    names = set(counted)
    for channel in channels:
        name = channel["ChannelName"]
        if name in (".", ".."):
            raise ValidationError(f"The channel name {name!r} cannot be a directory name.")
        if f"{name}-manifest" in names:
            raise ValidationError(
                f"The channel {name + '-manifest'!r} needs the path of the manifest file of the channel {name!r}."
            )
        if "S3DataSource" not in channel.get("DataSource", {}):
            raise ValidationError(f"The channel {name!r} must have a DataSource with an S3DataSource.")
        S3Uri.parse(channel["DataSource"]["S3DataSource"]["S3Uri"])


def _check_resources(resources: Mapping[str, Any]) -> None:
    groups = resources.get("InstanceGroups")
    if groups and ("InstanceType" in resources or "InstanceCount" in resources):
        raise ValidationError("ResourceConfig has InstanceGroups: leave out InstanceType and InstanceCount.")
    for group in groups or [resources]:
        missing = [name for name in ("InstanceType", "InstanceCount") if name not in group]
        if missing:
            raise ValidationError(f"ResourceConfig must have {' and '.join(missing)}.")
    count = sum(group["InstanceCount"] for group in groups or [resources])
    if count < 1:
        raise ValidationError("ResourceConfig must ask for at least one instance: InstanceCount is 0.")
    check_host_count(TRAINING, count)
    if groups and len({group.get("InstanceGroupName") for group in groups}) < len(groups):
        raise ValidationError("Every entry of ResourceConfig.InstanceGroups must have a name of its own.")


def _check_groups(channels: Sequence[Mapping[str, Any]], resources: Mapping[str, Any]) -> None:
    """A channel goes to the instance groups it names, so each must be there (the text is ours)."""
    known = {group["InstanceGroupName"] for group in resources.get("InstanceGroups", ())}
    for channel in channels:
        unknown = sorted(set(channel["DataSource"]["S3DataSource"].get("InstanceGroupNames", ())) - known)
        if unknown:
            raise ValidationError(
                f"The channel {channel['ChannelName']!r} names instance groups that ResourceConfig.InstanceGroups "
                f"does not have: {', '.join(unknown)}"
            )


def _check_stopping(request: Mapping[str, Any]) -> None:
    stopping = request["StoppingCondition"]
    spot = request.get("EnableManagedSpotTraining", False)
    max_wait = stopping.get("MaxWaitTimeInSeconds")
    if max_wait is not None and not spot:
        raise ValidationError(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
        )
    if spot and (max_wait is None or max_wait < stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)):
        raise ValidationError(
            "Invalid MaxWaitTimeInSeconds. With EnableManagedSpotTraining it is required and must be equal to or "
            "greater than MaxRuntimeInSeconds"
        )
    if stopping.get("MaxRuntimeInSeconds", 1) > 28 * 86400:
        raise ValidationError("Invalid MaxRuntimeInSeconds. The maximum is 2419200 seconds (28 days)")


def check_host_count(kind: JobKind, count: int) -> None:
    """Refuse more hosts than one job may have here.

    Raises:
        ResourceLimitExceededError: in the words of the service's quotas, which are for each instance type.
    """
    if count > MOST_HOSTS:
        raise ResourceLimitExceededError(
            f"The account-level service limit 'instances for {kind.words} usage' is {MOST_HOSTS} Instances, with "
            f"current utilization of 0 Instances and a request delta of {count} Instances."
        )


def check_process_texts(request: Mapping[str, Any], specification: str) -> None:
    """Refuse NUL characters in what becomes an argument, a variable or a file: no process can be given one.

    `specification` is the member that holds ContainerEntrypoint and ContainerArguments.

    Raises:
        ValidationError: naming the member.
    """
    texts = {
        "HyperParameters": [*request.get("HyperParameters", {}).items()],
        "Environment": [*request.get("Environment", {}).items()],
        f"{specification}.ContainerEntrypoint": request[specification].get("ContainerEntrypoint", ()),
        f"{specification}.ContainerArguments": request[specification].get("ContainerArguments", ()),
    }
    for where, values in texts.items():
        if any("\0" in "".join(value) for value in values):
            raise ValidationError(f"{where} holds a NUL character, which no container can be given.")


def check_tags(tags: Sequence[Mapping[str, str]]) -> None:
    """Refuse a tag list that names a key twice.

    Raises:
        ValidationError: naming the keys.
    """
    counted = Counter(tag["Key"] for tag in tags)
    repeated = sorted(key for key, count in counted.items() if count > 1)
    if repeated:
        raise ValidationError(f"Tag keys must be unique; repeated: {', '.join(repeated)}")


def merged_tags(existing: Mapping[str, str], added: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the tags of a resource after AddTags, which replaces the values of known keys.

    Raises:
        ValidationError: a key stands twice in the list, or the resource would have more than 50 tags.
    """
    check_tags(added)
    merged = {**existing, **{tag["Key"]: tag["Value"] for tag in added}}
    if len(merged) > MOST_TAGS:
        raise ValidationError(f"A resource can have at most {MOST_TAGS} tags; this one would have {len(merged)}.")
    return merged


def no_objects(source: S3Uri, role_arn: str, region: str) -> ValidationError:
    """Return the service's answer to input data whose prefix matches nothing, or whose bucket is missing."""
    return ValidationError(
        f'No S3 objects found under S3 URL "{source}" given in input data source. Please ensure that the '
        f"bucket exists in the selected region ({region}), that objects exist under that S3 prefix, and that the "
        f'role "{role_arn}" has "s3:ListBucket" permissions on bucket "{source.bucket}".'
    )


def name_taken(arn: str) -> ResourceInUseError:
    """Return the service's answer to a job name that is in use; each kind of job has its own words."""
    kind = kind_of(arn)
    subject, again = ("Training job names", "a training job") if kind is TRAINING else ("Job name", "a job")
    return ResourceInUseError(
        f"{subject} must be unique within an AWS account and region, and {again} with this name already exists ({arn})"
    )


def not_found(kind: JobKind, name: str) -> UnknownJobError:
    """Return the service's answer to an unknown job: a ValidationException, which clients count on."""
    if kind is TRAINING:
        return UnknownJobError("Requested resource not found.")
    return UnknownJobError(f"Could not find requested job with name: {name}")


def not_stoppable(kind: JobKind, status: str) -> ValidationError:
    """Return the service's answer to stopping a job that has ended."""
    return ValidationError(f"The request was rejected because the {kind.words} is in status {status}.")


def not_deletable(arn: str, status: str) -> ResourceInUseError:
    """Return the answer to deleting a job that has not ended (text unconfirmed)."""
    return ResourceInUseError(
        f"The {kind_of(arn).words} {arn} is in status {status}. "
        "Only a job that is Completed, Failed or Stopped can be deleted."
    )
