"""A processing job's request as the frozen values that the contract needs.

Source: BC `CreateProcessingJobRequest` and the shapes in it, "Build your own processing container".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar, Final

from . import paths
from .arns import S3Uri, Scope
from .job import DEFAULT_MAX_RUNTIME_SECONDS, Host, InputData, Job, hosts, optional_tuple
from .kinds import PROCESSING, JobKind
from .s3_data import S3_PREFIX

CONTINUOUS: Final = "Continuous"
DEFAULT_INSTANCE_COUNT: Final = 1

S3_INPUT_DEFAULTS: Final = {
    "S3InputMode": "File",
    "S3DataDistributionType": "FullyReplicated",
    "S3CompressionType": "None",
}


@dataclass(frozen=True, kw_only=True)
class ProcessingInput:
    """One entry of ProcessingInputs. `source` and `local_path` are None only if the job's program manages it."""

    name: str
    source: S3Uri | None
    local_path: PurePosixPath | None
    s3_data_type: str = S3_PREFIX
    distribution: str = "FullyReplicated"
    app_managed: bool = False

    @property
    def is_downloaded(self) -> bool:
        """Whether the platform copies its objects to LocalPath."""
        return not self.app_managed

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> ProcessingInput:
        """Read one entry of a validated request."""
        sent = {**S3_INPUT_DEFAULTS, **document.get("S3Input", {})}
        return cls(
            name=document["InputName"],
            source=S3Uri.parse(sent["S3Uri"]) if "S3Uri" in sent else None,
            local_path=_path(sent.get("LocalPath")),
            s3_data_type=sent.get("S3DataType", S3_PREFIX),
            distribution=sent["S3DataDistributionType"],
            app_managed=document.get("AppManaged", False),
        )


@dataclass(frozen=True, kw_only=True)
class ProcessingOutput:
    """One entry of ProcessingOutputConfig.Outputs; what can be None is as in ProcessingInput."""

    name: str
    destination: S3Uri | None
    local_path: PurePosixPath | None
    upload_mode: str
    app_managed: bool = False

    @property
    def is_uploaded(self) -> bool:
        """Whether the platform stores what is below LocalPath, also after a failure or a stop."""
        return not self.app_managed

    @property
    def is_continuous(self) -> bool:
        """Whether it is uploaded while the job runs too; see uploads.py."""
        return self.is_uploaded and self.upload_mode == CONTINUOUS

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> ProcessingOutput:
        """Read one entry of a validated request."""
        sent = document.get("S3Output", {})
        return cls(
            name=document["OutputName"],
            destination=S3Uri.parse(sent["S3Uri"]) if sent else None,
            local_path=_path(sent.get("LocalPath")),
            upload_mode=sent.get("S3UploadMode", ""),
            app_managed=document.get("AppManaged", False),
        )


@dataclass(frozen=True, kw_only=True)
class ProcessingJob(Job):
    """What CreateProcessingJob asked for. `request` is the document itself, for processingjobconfig.json."""

    kind: ClassVar[JobKind] = PROCESSING

    inputs: tuple[ProcessingInput, ...]
    outputs: tuple[ProcessingOutput, ...]
    experiment_config: Mapping[str, str] | None
    request: Mapping[str, Any]

    @classmethod
    def parse(cls, request: Mapping[str, Any], scope: Scope) -> ProcessingJob:
        """Read a validated CreateProcessingJob request."""
        application = request["AppSpecification"]
        stopping = request.get("StoppingCondition", {})
        return cls(
            name=request["ProcessingJobName"],
            arn=PROCESSING.arn(scope, request["ProcessingJobName"]),
            scope=scope,
            role_arn=request["RoleArn"],
            image=application["ImageUri"],
            entrypoint=optional_tuple(application.get("ContainerEntrypoint")),
            arguments=optional_tuple(application.get("ContainerArguments")),
            environment=dict(request.get("Environment", {})),
            hosts=hosts(selected_instances(request["ProcessingResources"]["ClusterConfig"])),
            max_runtime_seconds=stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS),
            network_isolation=request.get("NetworkConfig", {}).get("EnableNetworkIsolation", False),
            inputs=tuple(ProcessingInput.parse(one) for one in request.get("ProcessingInputs", ())),
            outputs=tuple(
                ProcessingOutput.parse(one) for one in request.get("ProcessingOutputConfig", {}).get("Outputs", ())
            ),
            experiment_config=request.get("ExperimentConfig"),
            request=request,
        )

    @property
    def input_data(self) -> tuple[InputData, ...]:
        """The inputs, but for those that the program manages itself."""
        return tuple(
            InputData(
                name=one.name,
                source=one.source,
                s3_data_type=one.s3_data_type,
                distribution=one.distribution,
                path=one.local_path,
                receivers=self.hosts,
            )
            for one in self.inputs
            if one.is_downloaded and one.source is not None and one.local_path is not None
        )

    @property
    def local_paths(self) -> tuple[PurePosixPath, ...]:
        """The LocalPath of every input and output that has one, the program's own included, outer ones first."""
        given = {one.local_path for one in self.inputs} | {one.local_path for one in self.outputs}
        return tuple(sorted(path for path in given if path is not None))

    @property
    def mount_roots(self) -> tuple[PurePosixPath, ...]:
        """The config and output directories and every LocalPath that does not lie in another one."""
        return outermost((paths.CONFIG, paths.OUTPUT, *self.local_paths))

    def directory_modes(self, _: Host) -> Mapping[PurePosixPath, int]:
        """Return the directories that exist before any host's container starts, and their modes.

        Every LocalPath is writable, those of inputs too: the SDK unpacks its code in one. Whether also for
        images that run as another user than root is unconfirmed, as for training jobs.
        """
        return {paths.CONFIG: paths.DIRECTORY_MODE, paths.OUTPUT: 0o777, **dict.fromkeys(self.local_paths, 0o777)}


def selected_instances(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Return the InstanceType and InstanceCount that a ClusterConfig comes to.

    Of InstancePreferences it is the first, as there is always capacity here. The count stands in the
    preference or beside the list, and is 1 when it stands nowhere (BC `ProcessingClusterConfig`).
    """
    chosen = cluster["InstancePreferences"][0] if "InstancePreferences" in cluster else cluster
    count = cluster.get("InstanceCount", DEFAULT_INSTANCE_COUNT)
    return {"InstanceType": chosen["InstanceType"], "InstanceCount": chosen.get("InstanceCount", count)}


def outermost(directories: Iterable[PurePosixPath]) -> tuple[PurePosixPath, ...]:
    """Return the directories that lie in none of the others: mounted, none of them hides another."""
    found = set(directories)
    return tuple(sorted(path for path in found if not found.intersection(path.parents)))


def _path(text: str | None) -> PurePosixPath | None:
    return None if text is None else PurePosixPath(text)
