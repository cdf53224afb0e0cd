"""The text of each file the platform writes: below /opt/ml/input/config for training, /opt/ml/config for processing.

Shapes are those of files printed by real training jobs, and of "Build your own processing container". All are
written compactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from . import paths
from .channels import Channel
from .job import Host, Job
from .processing_job import S3_INPUT_DEFAULTS, ProcessingJob
from .training_job import TrainingJob

_CAMEL_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def config_files(job: Job, host: Host) -> dict[PurePosixPath, str]:
    """Return every config file of one host: its path in the container and its text."""
    match job:
        case TrainingJob():
            return training_config_files(job, host)
        case ProcessingJob():
            return {
                paths.CONFIG / "processingjobconfig.json": processingjobconfig_json(job),
                paths.CONFIG / "resourceconfig.json": processing_resourceconfig_json(job.hosts, host),
            }
        case _:
            raise TypeError(f"{type(job).__name__} is no kind of job")


def training_config_files(job: TrainingJob, host: Host) -> dict[PurePosixPath, str]:
    """Return the config files of a training job's host."""
    texts = {
        "hyperparameters.json": hyperparameters_json(job.hyperparameters),
        "inputdataconfig.json": inputdataconfig_json(job.channels_of(host)),
        "resourceconfig.json": resourceconfig_json(job.hosts, host),
        "init-config.json": init_config_json(job, host),
        "metric-definition-regex.json": metric_definition_regex_json(job),
    }
    if job.debug_hook is not None:
        texts["debughookconfig.json"] = debughookconfig_json(job.name, job.debug_hook)
    return {paths.INPUT_CONFIG / name: text for name, text in texts.items()}


def hyperparameters_json(hyperparameters: Mapping[str, str]) -> str:
    """Return hyperparameters.json.

    Every value stays a string, byte for byte: the service never parses them, and training code that
    forgets `int(...)` must fail here as it would in AWS.
    """
    return _compact(dict(hyperparameters))


def inputdataconfig_json(channels: Iterable[Channel]) -> str:
    """Return inputdataconfig.json: four keys a channel, ContentType only if it was given.

    The key is S3DistributionType, unlike the request's S3DataDistributionType.
    """
    document: dict[str, dict[str, str]] = {}
    for channel in channels:
        entry = document[channel.name] = {}
        if channel.content_type is not None:
            entry["ContentType"] = channel.content_type
        entry["TrainingInputMode"] = channel.input_mode
        entry["S3DistributionType"] = channel.distribution
        entry["RecordWrapperType"] = channel.record_wrapper
    return _compact(document)


def resourceconfig_json(hosts: Iterable[Host], current: Host) -> str:
    """Return resourceconfig.json as one host finds it; `hosts` is in lexicographic order."""
    hosts = tuple(hosts)
    groups = [
        {
            "instance_group_name": group,
            "instance_type": members[0].instance_type,
            "hosts": sorted(host.name for host in members),
        }
        for group, members in _by_group(hosts).items()
    ]
    return _compact(
        {
            "current_group_name": current.group,
            "current_host": current.name,
            "current_instance_type": current.instance_type,
            "hosts": sorted(host.name for host in hosts),
            "instance_groups": groups,
            "network_interface_name": "eth0",
        }
    )


def init_config_json(job: TrainingJob, host: Host) -> str:
    """Return init-config.json: the platform's own downloader's settings, enums in UPPER_SNAKE."""
    return _compact(
        {
            "inputMode": _upper_snake(job.channels[0].input_mode if job.channels else "File"),
            "channels": {channel.name: _init_channel(channel) for channel in job.channels},
            "checkpointChannel": None,
            "hostConfig": {"clusterSize": len(job.hosts), "hostNumber": host.number},
            "enableAdditionalPlatformLoggingForCustomer": False,
            "jobRunInfo": {"jobRunNumber": 1},
        }
    )


def metric_definition_regex_json(job: TrainingJob) -> str:
    """Return metric-definition-regex.json: `[]` without definitions; otherwise unconfirmed."""
    return _compact([{"Name": one.name, "Regex": one.regex} for one in job.metric_definitions])


def debughookconfig_json(job_name: str, config: Mapping[str, Any]) -> str:
    """Return debughookconfig.json: the S3 path has the job's own prefix appended."""
    return _compact(
        {
            "S3OutputPath": f"{config['S3OutputPath'].rstrip('/')}/{job_name}/debug-output",
            "LocalPath": config.get("LocalPath", "/opt/ml/output/tensors"),
            "HookParameters": config.get("HookParameters", {}),
            "CollectionConfigurations": config.get("CollectionConfigurations", []),
        }
    )


def processingjobconfig_json(job: ProcessingJob) -> str:
    """Return processingjobconfig.json: the request with its ARN, what was not sent as null, in the documented order.

    Inputs have a member S3DownloadMode that the API does not know. AppManaged, NetworkConfig, ExperimentConfig
    and Tags are not in the documented file, and so not in this one (unconfirmed).
    """
    request = job.request
    cluster = request["ProcessingResources"]["ClusterConfig"]
    return _compact(
        {
            "ProcessingJobArn": job.arn,
            "ProcessingJobName": job.name,
            "AppSpecification": _members(
                request["AppSpecification"], "ImageUri", "ContainerEntrypoint", "ContainerArguments"
            ),
            "Environment": request.get("Environment"),
            "ProcessingInputs": _config_inputs(request.get("ProcessingInputs")),
            "ProcessingOutputConfig": _config_outputs(request.get("ProcessingOutputConfig")),
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": len(job.hosts),
                    "InstanceType": job.hosts[0].instance_type,
                    **_members(cluster, "VolumeSizeInGB", "VolumeKmsKeyId"),
                }
            },
            "RoleArn": job.role_arn,
            "StoppingCondition": {"MaxRuntimeInSeconds": job.max_runtime_seconds},
        }
    )


def processing_resourceconfig_json(hosts: Iterable[Host], current: Host) -> str:
    """Return a processing job's resourceconfig.json, which is documented with two members only."""
    return _compact({"current_host": current.name, "hosts": sorted(host.name for host in hosts)})


def _config_inputs(inputs: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    if inputs is None:
        return None
    return [{"InputName": one["InputName"], "S3Input": _config_s3_input(one.get("S3Input"))} for one in inputs]


def _config_s3_input(s3_input: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if s3_input is None:
        return None
    names = ("LocalPath", "S3Uri", "S3DataDistributionType", "S3DataType", "S3InputMode", "S3CompressionType")
    return {**_members({**S3_INPUT_DEFAULTS, **s3_input}, *names), "S3DownloadMode": "StartOfJob"}


def _config_outputs(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if config is None:
        return None
    outputs = [
        {
            "OutputName": one["OutputName"],
            "S3Output": _members(one["S3Output"], "LocalPath", "S3Uri", "S3UploadMode") if "S3Output" in one else None,
        }
        for one in config["Outputs"]
    ]
    return {"Outputs": outputs, "KmsKeyId": config.get("KmsKeyId")}


def _members(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: document.get(name) for name in names}


def _init_channel(channel: Channel) -> dict[str, Any]:
    return {
        "s3DataSource": {
            "s3DataType": _upper_snake(channel.s3_data_type),
            "s3Uri": str(channel.source),
            "s3DataDistributionType": _upper_snake(channel.distribution),
            "attributeNames": None,
        },
        "fileSystemDataSource": None,
        "compressionType": _upper_snake(channel.compression),
        "recordWrapper": _upper_snake(channel.record_wrapper),
        "shuffleConfig": None,
        "inputMode": _upper_snake(channel.input_mode),
        "sharded": channel.distribution == "ShardedByS3Key",
    }


def _upper_snake(enum: str) -> str:
    """`ShardedByS3Key` becomes SHARDED_BY_S3_KEY, as the downloader spells its enums."""
    return _CAMEL_BOUNDARY.sub("_", enum).upper().replace("FAST_FILE", "FASTFILE")


def _by_group(hosts: Iterable[Host]) -> dict[str, list[Host]]:
    groups: dict[str, list[Host]] = {}
    for host in hosts:
        groups.setdefault(host.group, []).append(host)
    return groups


def _compact(document: object) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
