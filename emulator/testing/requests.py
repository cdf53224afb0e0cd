"""Create requests of jobs from the few words of a test. Pure: text and values in, a request out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from ..contract.kinds import PROCESSING, TRAINING
from ..contract.status import TERMINAL
from ..errors import UsageError

if TYPE_CHECKING:
    from .sagemaker_emulator import Identity

_LONGEST_STEM: Final = 40
_PROCESSING: Final = "/opt/ml/processing"
_OF_A_REQUEST: Final = frozenset({"DataSource", "S3Input", "DatasetDefinition"})


@dataclass(frozen=True, kw_only=True)
class JobWords:
    """What a test says of a job of any kind; what it leaves out is sensible.

    `inputs` are a training job's channels or a processing job's inputs: the URI of each, or its member of
    the request as it is. `request` has members of the request itself, which win over all else.
    """

    name: str
    image: str
    inputs: Mapping[str, str | Mapping[str, Any]] = field(default_factory=dict)
    environment: Mapping[str, str] | None = None
    hosts: int = 1
    instance_type: str = ""
    entrypoint: Sequence[str] | None = None
    arguments: Sequence[str] | None = None
    max_runtime: int = 3600
    request: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what is of another type than is meant, before it becomes a riddle further on.

        Raises:
            UsageError: something is.
        """
        require_names("environment", self.environment, "{'DEBUG': '1'}")
        require_names("request", self.request, "{'EnableNetworkIsolation': True}")
        require_list("entrypoint", self.entrypoint, "['python3', 'train.py']")
        require_list("arguments", self.arguments, "['--epochs', '3']")


def require_names(word: str, given: object, example: str) -> None:
    """Require that what a test gives, if anything, is something by names.

    Raises:
        UsageError: it is not; the text says what to write.
    """
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(f"{word}={given!r}: give it by name, as in {word}={example}.")


def require_list(word: str, given: object, example: str) -> None:
    """Require that what a test gives, if anything, is a list of texts and not one text.

    Raises:
        UsageError: it is not; the text says what to write.
    """
    if given is not None and (isinstance(given, str | bytes) or not isinstance(given, Sequence)):
        raise UsageError(f"{word}={given!r}: give a list of texts, as in {word}={example}.")


def require_end(expect: str | None) -> None:
    """Require that a job can end as a test expects it to.

    Raises:
        UsageError: none ever does.
    """
    if expect is not None and expect not in TERMINAL:
        raise UsageError(
            f"expect={expect!r}: a job never ends so. Write one of {', '.join(sorted(TERMINAL))}, or None for any."
        )


def is_in_s3(data: object) -> TypeGuard[str | Mapping[str, Any]]:
    """Tell whether what a test gives as data says itself where it is: a URI, or the member of the request."""
    if isinstance(data, Mapping):
        return bool(_OF_A_REQUEST & data.keys())
    return isinstance(data, str) and data.startswith("s3://")


def job_name(test: str, unique: str) -> str:
    """Return a job's name that says which test it is of: `test-it-trains-3f2a9c01`."""
    stem = re.sub(r"[^a-zA-Z0-9]+", "-", test).strip("-")[:_LONGEST_STEM].strip("-")
    return f"{stem or 'job'}-{unique}"


def training_request(
    words: JobWords,
    identity: Identity,
    bucket: str,
    *,
    hyperparameters: Mapping[str, object] | None = None,
    metrics: Mapping[str, str] | None = None,
    input_mode: str,
) -> dict[str, Any]:
    """Return a CreateTrainingJob request. Hyperparameters become texts, as the SDKs make them."""
    require_names("hyperparameters", hyperparameters, "{'epochs': 3}")
    require_names("metrics", metrics, "{'accuracy': 'accuracy=([0-9.]+)'}")
    algorithm: dict[str, Any] = {"TrainingImage": words.image, "TrainingInputMode": input_mode, **_command(words)}
    if metrics:
        algorithm["MetricDefinitions"] = [{"Name": name, "Regex": regex} for name, regex in metrics.items()]
    request = {
        TRAINING.name_member: words.name,
        "RoleArn": identity.role,
        "AlgorithmSpecification": algorithm,
        "HyperParameters": {name: str(one) for name, one in (hyperparameters or {}).items()},
        "Environment": dict(words.environment or {}),
        "InputDataConfig": [_channel(name, one) for name, one in words.inputs.items()],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/"},
        "ResourceConfig": _cluster(words, identity),
        "StoppingCondition": {"MaxRuntimeInSeconds": words.max_runtime},
    }
    return _with({name: one for name, one in request.items() if one not in ({}, [])}, words.request or {})


def processing_request(
    words: JobWords, identity: Identity, bucket: str, *, outputs: Sequence[str] | Mapping[str, str | Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a CreateProcessingJob request; outputs are names, or the folders in which the container writes each."""
    folders = outputs if isinstance(outputs, Mapping) else output_folders(outputs)
    app = {"ImageUri": words.image, **_command(words)}
    prefix = f"s3://{bucket}/{words.name}/output"
    request = {
        PROCESSING.name_member: words.name,
        "RoleArn": identity.role,
        "AppSpecification": app,
        "Environment": dict(words.environment or {}),
        "ProcessingInputs": [_input(name, one) for name, one in words.inputs.items()],
        "ProcessingResources": {"ClusterConfig": _cluster(words, identity)},
        "StoppingCondition": {"MaxRuntimeInSeconds": words.max_runtime},
    }
    if folders:
        request["ProcessingOutputConfig"] = {"Outputs": [_output(name, one, prefix) for name, one in folders.items()]}
    return _with({name: one for name, one in request.items() if one not in ({}, [])}, words.request or {})


def output_folders(names: Sequence[str]) -> dict[str, str]:
    """Return where a container writes outputs of which only the names are given.

    Raises:
        UsageError: they are not a list of names.
    """
    require_list("outputs", names, "['clean']")
    return {name: f"{_PROCESSING}/output/{name}" for name in names}


def _command(words: JobWords) -> dict[str, list[str]]:
    given = {"ContainerEntrypoint": words.entrypoint, "ContainerArguments": words.arguments}
    return {name: list(texts) for name, texts in given.items() if texts is not None}


def _cluster(words: JobWords, identity: Identity) -> dict[str, Any]:
    instance_type = words.instance_type or identity.instance_type
    return {"InstanceType": instance_type, "InstanceCount": words.hosts, "VolumeSizeInGB": 30}


def _channel(name: str, given: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {"ChannelName": name, **given}
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": given}}}


def _input(name: str, given: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {"InputName": name, **given}
    s3_input = {
        "S3Uri": given,
        "LocalPath": f"{_PROCESSING}/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": s3_input}


def _output(name: str, given: str | Mapping[str, Any], prefix: str) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {"OutputName": name, **given}
    s3_output = {"S3Uri": f"{prefix}/{name}", "LocalPath": given, "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": s3_output}


def _with(request: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request with changes: structures are joined, all else is replaced, None removes a member."""
    joined = dict(request)
    for name, change in changes.items():
        before = joined.get(name)
        joined[name] = _with(before, change) if isinstance(before, dict) and isinstance(change, Mapping) else change
    return {name: one for name, one in joined.items() if one is not None}
