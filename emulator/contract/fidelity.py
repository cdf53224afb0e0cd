"""What becomes of every member of a CreateTrainingJob request and of every operation, as data.

docs/fidelity.md is this table printed (scripts/fidelity_doc.py), and `refusals` is this table applied:
what is published and what happens cannot differ. Nothing is silently ignored: a member without a row
(one that a newer service model brings) is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Treatment(StrEnum):
    """What the emulator does with a member or an operation."""

    HONOURED = "honoured"
    RECORDED = "recorded"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One member; a row for a structure, or a list of structures, stands for all it holds.

    A row with `at_most` limits how many entries a list may have, and its entries' members have rows of
    their own. `accepted` names the only values that are taken; others are refused for the reason `why`.
    A refused member's `meaning` is its reason. `instead` says what to do.
    """

    path: str
    treatment: Treatment
    meaning: str
    accepted: tuple[object, ...] = ()
    at_most: int | None = None
    why: str = ""
    instead: str = ""

    def refusal(self, value: object) -> str:
        """Return why this value is refused and what to do; empty when it is not."""
        if self.treatment is Treatment.REFUSED:
            return f"{self.meaning}; {self.instead}"
        if self.accepted and value not in self.accepted:
            return f"{value_text(value)} is not emulated: {self.why}; {self.instead}"
        if self.at_most is not None and isinstance(value, list) and len(value) > self.at_most:
            return f"{len(value)} entries are not emulated: {self.why}; {self.instead}"
        return ""


def value_text(value: object) -> str:
    """Return a plain JSON value as a request spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _honoured(path: str, meaning: str) -> Row:
    return Row(path=path, treatment=Treatment.HONOURED, meaning=meaning)


def _only(path: str, accepted: tuple[object, ...], meaning: str, why: str, instead: str) -> Row:
    return Row(path=path, treatment=Treatment.HONOURED, meaning=meaning, accepted=accepted, why=why, instead=instead)


def _recorded(path: str, meaning: str) -> Row:
    return Row(path=path, treatment=Treatment.RECORDED, meaning=meaning)


def _refused(path: str, why: str, instead: str) -> Row:
    return Row(path=path, treatment=Treatment.REFUSED, meaning=why, instead=instead)


_ALGORITHM: Final = "AlgorithmSpecification"
_CHANNEL: Final = "InputDataConfig[]"
_SOURCE: Final = "InputDataConfig[].DataSource"
_S3: Final = "InputDataConfig[].DataSource.S3DataSource"
_RESOURCES: Final = "ResourceConfig"

_FILE_ONLY: Final = "objects are copied before the container starts, and there are no FIFOs and no FastFile mount"
_USE_FILE: Final = "use File, which puts the same objects into the channel's directory"
_ONE_HOST: Final = "a job runs on one host"
_USE_ONE_HOST: Final = "ask for one, or run this job on the real service"
_PIPE_ONLY: Final = "the service has it for Pipe mode only, which is not emulated"
_LEAVE_OUT: Final = "leave it out"
_REAL_SERVICE: Final = "leave it out, or run this job on the real service"

TRAINING_JOB_ROWS: Final = (
    _honoured("TrainingJobName", "Names the job, its outputs and its log streams; in its ARN it is lower case."),
    _honoured("RoleArn", "The container's credentials are this role's. Its policies are not evaluated."),
    _honoured("HyperParameters", "Written to hyperparameters.json; every value stays a string."),
    _honoured("Environment", "Set in the container; a name the platform sets too takes this value."),
    _honoured(f"{_ALGORITHM}.TrainingImage", "The image, or on the process engine the program, that is run."),
    _only(
        f"{_ALGORITHM}.TrainingInputMode",
        ("File",),
        "Each channel's objects are in its directory before the container starts.",
        _FILE_ONLY,
        _USE_FILE,
    ),
    _honoured(f"{_ALGORITHM}.MetricDefinitions[].Name", "Names the metric in FinalMetricDataList and CloudWatch."),
    _honoured(f"{_ALGORITHM}.MetricDefinitions[].Regex", "Searched in every log line of the container."),
    _honoured(f"{_ALGORITHM}.EnableSageMakerMetricsTimeSeries", "Shown by Describe; true by itself with metrics."),
    _honoured(f"{_ALGORITHM}.ContainerEntrypoint", "Replaces the image's ENTRYPOINT and drops its CMD."),
    _honoured(f"{_ALGORITHM}.ContainerArguments", "Replaces the argument `train`."),
    _recorded(f"{_ALGORITHM}.TrainingImageConfig", "The image comes from this machine or its registry log-ins."),
    _refused(
        f"{_ALGORITHM}.AlgorithmName",
        "Algorithm resources and AWS Marketplace algorithms do not exist here",
        "give their image as TrainingImage",
    ),
    _honoured(f"{_CHANNEL}.ChannelName", "Names the channel's directory below `/opt/ml/input/data`."),
    _honoured(f"{_CHANNEL}.ContentType", "Written to inputdataconfig.json."),
    _only(
        f"{_CHANNEL}.InputMode",
        ("File",),
        "Overrides TrainingInputMode for this channel.",
        _FILE_ONLY,
        _USE_FILE,
    ),
    _only(
        f"{_CHANNEL}.CompressionType",
        ("None",),
        "Objects arrive as they are.",
        _PIPE_ONLY,
        "send None, and unpack in the program",
    ),
    _only(
        f"{_CHANNEL}.RecordWrapperType",
        ("None",),
        "Objects arrive as they are; written to inputdataconfig.json.",
        _PIPE_ONLY,
        "send None",
    ),
    _refused(f"{_CHANNEL}.ShuffleConfig", "The order of objects is not shuffled", "leave it out"),
    _only(
        f"{_S3}.S3DataType",
        ("S3Prefix",),
        "Every object below the prefix is copied.",
        "manifests are not read",
        "name the objects by a prefix (S3Prefix)",
    ),
    _honoured(f"{_S3}.S3Uri", "The prefix, in the emulator's own S3; it must hold at least one object."),
    _honoured(f"{_S3}.S3DataDistributionType", "With one host both types give that host every object."),
    _honoured(f"{_S3}.InstanceGroupNames", "The channel goes to the hosts of these groups."),
    _refused(f"{_S3}.AttributeNames", "Augmented manifests are not read", _LEAVE_OUT),
    _refused(f"{_S3}.ModelAccessConfig", "There are no gated models here", "copy the model to S3 and leave it out"),
    _refused(f"{_S3}.HubAccessConfig", "There are no hubs here", "copy the content to S3 and leave it out"),
    _refused(f"{_SOURCE}.FileSystemDataSource", "EFS and FSx do not exist here", "copy the files to S3"),
    _refused(f"{_SOURCE}.DatasetSource", "Hub data sets do not exist here", "copy the data to S3"),
    _honoured(
        "OutputDataConfig.S3OutputPath",
        "model.tar.gz and output.tar.gz go to `<S3OutputPath>/<job>/output/`.",
    ),
    _only(
        "OutputDataConfig.CompressionType",
        ("GZIP",),
        "Artifacts are packed as .tar.gz.",
        "artifacts are always packed",
        "send GZIP or leave it out",
    ),
    _recorded("OutputDataConfig.KmsKeyId", "Artifacts are not encrypted."),
    _honoured(
        f"{_RESOURCES}.InstanceType",
        "Written to resourceconfig.json; on request its CPU and memory are the limits.",
    ),
    _only(f"{_RESOURCES}.InstanceCount", (1,), "One container, algo-1.", _ONE_HOST, _USE_ONE_HOST),
    Row(
        path=f"{_RESOURCES}.InstanceGroups",
        treatment=Treatment.HONOURED,
        meaning="One group of one host, written to resourceconfig.json.",
        at_most=1,
        why=_ONE_HOST,
        instead=_USE_ONE_HOST,
    ),
    _honoured(f"{_RESOURCES}.InstanceGroups[].InstanceGroupName", "Written to resourceconfig.json."),
    _honoured(f"{_RESOURCES}.InstanceGroups[].InstanceType", "As ResourceConfig.InstanceType."),
    _only(f"{_RESOURCES}.InstanceGroups[].InstanceCount", (1,), "One container.", _ONE_HOST, _USE_ONE_HOST),
    _recorded(f"{_RESOURCES}.VolumeSizeInGB", "The disk of this machine is the limit."),
    _recorded(f"{_RESOURCES}.VolumeKmsKeyId", "The volume is not encrypted."),
    _recorded(f"{_RESOURCES}.KeepAlivePeriodInSeconds", "There are no warm pools: every job starts cold."),
    _recorded(f"{_RESOURCES}.TrainingPlanArn", "No capacity is reserved."),
    _recorded(f"{_RESOURCES}.InstancePlacementConfig", "There are no UltraServers to place hosts on."),
    _refused(f"{_RESOURCES}.InstancePreferences", "No instance type is chosen here", "send InstanceType"),
    _refused(f"{_RESOURCES}.SelectedInstanceType", "It is an answer of the service", _LEAVE_OUT),
    _refused(f"{_RESOURCES}.SelectedInstanceCount", "It is an answer of the service", _LEAVE_OUT),
    _honoured("StoppingCondition.MaxRuntimeInSeconds", "Then SIGTERM, 120 s of grace, SIGKILL; the job is Stopped."),
    _recorded("StoppingCondition.MaxWaitTimeInSeconds", "There is no wait for spot capacity."),
    _recorded("StoppingCondition.MaxPendingTimeInSeconds", "There is no wait for capacity."),
    _honoured("Tags[].Key", "Kept with the job; see ListTags."),
    _honoured("Tags[].Value", "Kept with the job; see ListTags."),
    _honoured("EnableNetworkIsolation", "No credentials, and no network but the job's own hosts."),
    _recorded("EnableInterContainerTrafficEncryption", "Traffic between hosts stays on this machine, in the clear."),
    _recorded("EnableManagedSpotTraining", "Capacity is never reclaimed: the job is never interrupted."),
    _recorded("VpcConfig", "There is no VPC; the container reaches what this machine reaches."),
    _refused(
        "CheckpointConfig",
        "Checkpoints are neither restored nor uploaded",
        "leave it out, and write what must be kept to /opt/ml/model or /opt/ml/output/data",
    ),
    _honoured("DebugHookConfig.LocalPath", "Written to debughookconfig.json."),
    _honoured("DebugHookConfig.S3OutputPath", "Written to debughookconfig.json; tensors are the image's own affair."),
    _honoured("DebugHookConfig.HookParameters", "Written to debughookconfig.json."),
    _honoured("DebugHookConfig.CollectionConfigurations[].CollectionName", "Written to debughookconfig.json."),
    _honoured("DebugHookConfig.CollectionConfigurations[].CollectionParameters", "Written to debughookconfig.json."),
    _recorded("DebugRuleConfigurations", "Rules do not run, and Describe shows no evaluation of them."),
    _recorded("ProfilerConfig", "Nothing is profiled, and profilerconfig.json is not written."),
    _recorded("ProfilerRuleConfigurations", "Rules do not run, and Describe shows no evaluation of them."),
    _refused(
        "TensorBoardOutputConfig",
        "TensorBoard files are not uploaded while the job runs",
        "leave it out, and write them to /opt/ml/output/data",
    ),
    _recorded("ExperimentConfig", "Shown by Describe; no trial component is made for the job."),
    _recorded("RetryStrategy", "A job that fails is not tried again."),
    Row(
        path="RemoteDebugConfig.EnableRemoteDebug",
        treatment=Treatment.RECORDED,
        meaning="Off, as it always is here.",
        accepted=(False,),
        why="no session can be opened through AWS Systems Manager",
        instead="send false, and use the container engine's own exec",
    ),
    _recorded("InfraCheckConfig", "There are no instances to check."),
    _recorded("SessionChainingConfig", "Sessions of the container's role carry no tags."),
    _refused("ServerlessJobConfig", "Serverless customisation of hub models does not exist here", _REAL_SERVICE),
    _refused("MlflowConfig", "There is no managed MLflow here", _REAL_SERVICE),
    _refused("ModelPackageConfig", "No model package is made from a job's result", _REAL_SERVICE),
)

_JOBS: Final = {
    "CreateTrainingJob": "Really runs the image.",
    "DescribeTrainingJob": "The request as it was sent, and what happened to the job.",
    "ListTrainingJobs": "Filters, sorts and pages as the service does.",
    "StopTrainingJob": "SIGTERM, 120 s of grace, SIGKILL; artifacts are still uploaded.",
    "DeleteTrainingJob": "Forgets a job that has ended; its name is free again.",
    "AddTags": "Tags of training jobs.",
    "ListTags": "Tags of training jobs.",
    "DeleteTags": "Tags of training jobs.",
}
_KEPT: Final = "Records kept by moto; nothing runs. Members and filters that moto does not know are lost."
_RECORDS: Final[Mapping[tuple[str, ...], str]] = {
    ("CreateModel", "DescribeModel", "ListModels", "DeleteModel"): _KEPT,
    ("CreateEndpointConfig", "DescribeEndpointConfig", "ListEndpointConfigs", "DeleteEndpointConfig"): _KEPT,
    ("CreateModelPackageGroup", "DescribeModelPackageGroup", "ListModelPackageGroups"): _KEPT,
    ("CreateModelPackage", "DescribeModelPackage", "ListModelPackages", "UpdateModelPackage"): (
        f"{_KEPT} Every package is shown as Completed, though nothing validated or scanned it."
    ),
}

OPERATIONS: Final[Mapping[str, tuple[Treatment, str]]] = {
    **{name: (Treatment.HONOURED, meaning) for name, meaning in _JOBS.items()},
    **{name: (Treatment.RECORDED, meaning) for names, meaning in _RECORDS.items() for name in names},
}
"""Every operation that is answered; any other is refused."""


def operation_treatment(operation: str) -> Treatment:
    """Return what the emulator does with an operation of the service."""
    return OPERATIONS[operation][0] if operation in OPERATIONS else Treatment.REFUSED


def operation_refusal(operation: str) -> str:
    """Return the text of the error that answers an operation which is not emulated."""
    return (
        f"{operation} is not emulated: sagemaker-emulator would have nothing true to answer. "
        "Its docs/fidelity.md lists the operations that are; call this one on the real service."
    )


_BY_PATH: Final = {row.path: row for row in TRAINING_JOB_ROWS}


def _inner(path: str) -> Iterator[str]:
    """Yield what lies above a member: `A` and `A[]` for `A[].B`."""
    above = ""
    for name in path.split(".")[:-1]:
        above = f"{above}.{name}" if above else name
        yield from {above, above.removesuffix("[]")}


_INNER: Final = frozenset(above for row in TRAINING_JOB_ROWS for above in _inner(row.path))


def refusals(request: Mapping[str, object]) -> list[str]:
    """Return one sentence for each member of a valid CreateTrainingJob request that cannot be emulated."""
    return [sentence for name, value in request.items() for sentence in _refusals(name, name, value)]


def _refusals(path: str, where: str, value: object) -> Iterator[str]:
    """Walk one member: `path` finds its row, `where` names it in this request (`InputDataConfig[0]`)."""
    row = _BY_PATH.get(path)
    if value is None:
        return
    if row is not None and (reason := row.refusal(value)):
        yield f"{where}: {reason}."
    elif path in _INNER and isinstance(value, Mapping):
        for name, member in value.items():
            yield from _refusals(f"{path}.{name}", f"{where}.{name}", member)
    elif path in _INNER and isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _refusals(f"{path}[]", f"{where}[{number}]", entry)
    elif row is None:
        yield f"{where}: The emulator does not know this member yet; {_REAL_SERVICE}."
