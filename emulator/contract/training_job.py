"""A training job's request as the frozen values that the contract needs.

The request document stays the truth: nothing here is stored, everything is read from it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from .arns import S3Uri, Scope
from .channels import Channel
from .metrics import MetricDefinition

LOG_GROUP: Final = "/aws/sagemaker/TrainingJobs"
METRIC_NAMESPACE: Final = "/aws/sagemaker/TrainingJobs"
HOMOGENEOUS_CLUSTER: Final = "homogeneousCluster"
DEFAULT_MAX_RUNTIME_SECONDS: Final = 86400
STOP_GRACE_SECONDS: Final = 120


@dataclass(frozen=True, kw_only=True)
class Host:
    """One container of the job's cluster."""

    name: str
    instance_type: str
    group: str = HOMOGENEOUS_CLUSTER

    @property
    def number(self) -> int:
        """1 for algo-1."""
        return int(self.name.removeprefix("algo-"))


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What CreateTrainingJob asked for."""

    name: str
    arn: str
    scope: Scope
    role_arn: str
    image: str
    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...] | None
    hyperparameters: Mapping[str, str]
    environment: Mapping[str, str]
    channels: tuple[Channel, ...]
    hosts: tuple[Host, ...]
    output: S3Uri
    metric_definitions: tuple[MetricDefinition, ...]
    max_runtime_seconds: int
    network_isolation: bool
    debug_hook: Mapping[str, Any] | None

    @classmethod
    def parse(cls, request: Mapping[str, Any], scope: Scope) -> TrainingJob:
        """Read a validated CreateTrainingJob request."""
        algorithm = request["AlgorithmSpecification"]
        mode = algorithm["TrainingInputMode"]
        return cls(
            name=request["TrainingJobName"],
            arn=scope.training_job_arn(request["TrainingJobName"]),
            scope=scope,
            role_arn=request["RoleArn"],
            image=algorithm["TrainingImage"],
            entrypoint=_optional_tuple(algorithm.get("ContainerEntrypoint")),
            arguments=_optional_tuple(algorithm.get("ContainerArguments")),
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

    def log_stream(self, host: Host, started_at: float) -> str:
        """Return the host's log stream: job name in its own case, host, epoch seconds of the start."""
        return f"{self.name}/{host.name}-{int(started_at)}"


def hosts(resource_config: Mapping[str, Any]) -> tuple[Host, ...]:
    """Return the job's hosts, algo-1 first; numbers run on across instance groups."""
    numbers = count(1)
    groups: Sequence[Mapping[str, Any]] = resource_config.get("InstanceGroups") or [
        {
            "InstanceGroupName": HOMOGENEOUS_CLUSTER,
            "InstanceType": resource_config.get("InstanceType", ""),
            "InstanceCount": resource_config.get("InstanceCount", 0),
        }
    ]
    return tuple(
        Host(name=f"algo-{next(numbers)}", instance_type=group["InstanceType"], group=group["InstanceGroupName"])
        for group in groups
        for _ in range(group["InstanceCount"])
    )


def container_command(
    entrypoint: Sequence[str] | None, arguments: Sequence[str] | None
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return the entrypoint to set (None: the image's own) and the command after it.

    With neither given the image is run with `train`. Each overrides on its own: a given entrypoint
    drops `train` and the image's CMD, given arguments drop `train` and keep the image's ENTRYPOINT.
    Source: "How Amazon SageMaker runs your training image", BC `AlgorithmSpecification`.
    """
    if entrypoint is None and arguments is None:
        return None, ("train",)
    return _optional_tuple(entrypoint), tuple(arguments or ())


def _optional_tuple(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
