"""A training job's request as the frozen values that the contract needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar, Final

from . import paths
from .arns import S3Uri, Scope
from .channels import Channel
from .job import DEFAULT_MAX_RUNTIME_SECONDS, Host, InputData, Job, hosts, optional_tuple
from .kinds import TRAINING, JobKind
from .metrics import MetricDefinition

LOG_GROUP: Final = TRAINING.log_group
METRIC_NAMESPACE: Final = "/aws/sagemaker/TrainingJobs"


@dataclass(frozen=True, kw_only=True)
class TrainingJob(Job):
    """What CreateTrainingJob asked for."""

    kind: ClassVar[JobKind] = TRAINING

    hyperparameters: Mapping[str, str]
    channels: tuple[Channel, ...]
    output: S3Uri
    metric_definitions: tuple[MetricDefinition, ...]
    debug_hook: Mapping[str, Any] | None

    @classmethod
    def parse(cls, request: Mapping[str, Any], scope: Scope) -> TrainingJob:
        """Read a validated CreateTrainingJob request."""
        algorithm = request["AlgorithmSpecification"]
        mode = algorithm["TrainingInputMode"]
        return cls(
            name=request["TrainingJobName"],
            arn=TRAINING.arn(scope, request["TrainingJobName"]),
            scope=scope,
            role_arn=request["RoleArn"],
            image=algorithm["TrainingImage"],
            entrypoint=optional_tuple(algorithm.get("ContainerEntrypoint")),
            arguments=optional_tuple(algorithm.get("ContainerArguments")),
            hyperparameters=dict(request.get("HyperParameters", {})),
            environment=dict(request.get("Environment", {})),
            channels=tuple(Channel.parse(one, mode) for one in request.get("InputDataConfig", ())),
            hosts=hosts(request["ResourceConfig"]),
            output=S3Uri.parse(request["OutputDataConfig"]["S3OutputPath"]),
            metric_definitions=tuple(MetricDefinition.parse(one) for one in algorithm.get("MetricDefinitions", ())),
            max_runtime_seconds=request["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS),
            network_isolation=request.get("EnableNetworkIsolation", False),
            debug_hook=request.get("DebugHookConfig"),
        )

    @property
    def model_artifacts(self) -> S3Uri:
        """Where /opt/ml/model goes, packed."""
        return self.output.joined(self.name, "output", "model.tar.gz")

    @property
    def output_artifacts(self) -> S3Uri:
        """Where /opt/ml/output/data goes, packed."""
        return self.output.joined(self.name, "output", "output.tar.gz")

    @property
    def input_data(self) -> tuple[InputData, ...]:
        """The channels."""
        return tuple(
            InputData(
                name=channel.name,
                source=channel.source,
                s3_data_type=channel.s3_data_type,
                distribution=channel.distribution,
                path=channel.container_path,
                receivers=channel.receivers(self.hosts),
                listed_at=channel.manifest_path,
            )
            for channel in self.channels
        )

    @property
    def mount_roots(self) -> tuple[PurePosixPath, ...]:
        """The directories that each host's container gets."""
        return paths.PLATFORM_ROOTS

    def directory_modes(self, host: Host) -> Mapping[PurePosixPath, int]:
        """Return the directories that exist before a host's container starts, and their modes.

        A channel's is there also when the host gets none of its objects, but not when it goes to other
        instance groups (unconfirmed).
        """
        received = (channel.container_path for channel in self.channels_of(host))
        channels = dict.fromkeys(received, paths.DIRECTORY_MODE)
        return {**paths.DIRECTORY_MODES, **channels}

    def channels_of(self, host: Host) -> tuple[Channel, ...]:
        """Return the channels that a host gets: all, but for those that go to other instance groups."""
        return tuple(channel for channel in self.channels if host in channel.receivers(self.hosts))
