"""What becomes of every member of a CreateTrainingJob request."""

from __future__ import annotations

from typing import Final

from .fidelity_rows import (
    LEAVE_OUT,
    PIPE_ONLY,
    REAL_SERVICE,
    MemberTable,
    Row,
    Treatment,
    honoured,
    only,
    recorded,
    refused,
)

_ALGORITHM: Final = "AlgorithmSpecification"
_CHANNEL: Final = "InputDataConfig[]"
_SOURCE: Final = "InputDataConfig[].DataSource"
_S3: Final = "InputDataConfig[].DataSource.S3DataSource"
_RESOURCES: Final = "ResourceConfig"

_FILE_ONLY: Final = "objects are copied before the container starts, and there are no FIFOs and no FastFile mount"
_USE_FILE: Final = "use File, which puts the same objects into the channel's directory"

TRAINING_JOB_MEMBERS: Final = MemberTable(
    (
        honoured("TrainingJobName", "Names the job, its outputs and its log streams; in its ARN it is lower case."),
        honoured("RoleArn", "The container's credentials are this role's. Its policies are not evaluated."),
        honoured("HyperParameters", "Written to hyperparameters.json; every value stays a string."),
        honoured("Environment", "Set in the container; a name the platform sets too takes this value."),
        honoured(f"{_ALGORITHM}.TrainingImage", "The image, or on the process engine the program, that is run."),
        only(
            f"{_ALGORITHM}.TrainingInputMode",
            ("File",),
            "Each channel's objects are in its directory before the container starts.",
            _FILE_ONLY,
            _USE_FILE,
        ),
        honoured(f"{_ALGORITHM}.MetricDefinitions[].Name", "Names the metric in FinalMetricDataList and CloudWatch."),
        honoured(f"{_ALGORITHM}.MetricDefinitions[].Regex", "Searched in every log line of the container."),
        honoured(f"{_ALGORITHM}.EnableSageMakerMetricsTimeSeries", "Shown by Describe; true by itself with metrics."),
        honoured(f"{_ALGORITHM}.ContainerEntrypoint", "Replaces the image's ENTRYPOINT and drops its CMD."),
        honoured(f"{_ALGORITHM}.ContainerArguments", "Replaces the argument `train`."),
        recorded(f"{_ALGORITHM}.TrainingImageConfig", "The image comes from this machine or its registry log-ins."),
        refused(
            f"{_ALGORITHM}.AlgorithmName",
            "Algorithm resources and AWS Marketplace algorithms do not exist here",
            "give their image as TrainingImage",
        ),
        honoured(f"{_CHANNEL}.ChannelName", "Names the channel's directory below `/opt/ml/input/data`."),
        honoured(f"{_CHANNEL}.ContentType", "Written to inputdataconfig.json."),
        only(
            f"{_CHANNEL}.InputMode",
            ("File",),
            "Overrides TrainingInputMode for this channel.",
            _FILE_ONLY,
            _USE_FILE,
        ),
        only(
            f"{_CHANNEL}.CompressionType",
            ("None",),
            "Objects arrive as they are.",
            PIPE_ONLY,
            "send None, and unpack in the program",
        ),
        only(
            f"{_CHANNEL}.RecordWrapperType",
            ("None",),
            "Objects arrive as they are; written to inputdataconfig.json.",
            PIPE_ONLY,
            "send None",
        ),
        refused(f"{_CHANNEL}.ShuffleConfig", "The order of objects is not shuffled", "leave it out"),
        only(
            f"{_S3}.S3DataType",
            ("S3Prefix",),
            "Every object below the prefix is copied.",
            "manifests are not read",
            "name the objects by a prefix (S3Prefix)",
        ),
        honoured(f"{_S3}.S3Uri", "The prefix, in the emulator's own S3; it must hold at least one object."),
        honoured(f"{_S3}.S3DataDistributionType", "All objects to each host, or each object to one host."),
        honoured(f"{_S3}.InstanceGroupNames", "Only the hosts of these groups have the channel."),
        refused(f"{_S3}.AttributeNames", "Augmented manifests are not read", LEAVE_OUT),
        refused(f"{_S3}.ModelAccessConfig", "There are no gated models here", "copy the model to S3 and leave it out"),
        refused(f"{_S3}.HubAccessConfig", "There are no hubs here", "copy the content to S3 and leave it out"),
        refused(f"{_SOURCE}.FileSystemDataSource", "EFS and FSx do not exist here", "copy the files to S3"),
        refused(f"{_SOURCE}.DatasetSource", "Hub data sets do not exist here", "copy the data to S3"),
        honoured(
            "OutputDataConfig.S3OutputPath",
            "model.tar.gz and output.tar.gz, of all hosts together, go to `<S3OutputPath>/<job>/output/`.",
        ),
        only(
            "OutputDataConfig.CompressionType",
            ("GZIP",),
            "Artifacts are packed as .tar.gz.",
            "artifacts are always packed",
            "send GZIP or leave it out",
        ),
        recorded("OutputDataConfig.KmsKeyId", "Artifacts are not encrypted."),
        honoured(
            f"{_RESOURCES}.InstanceType",
            "Written to resourceconfig.json; on request its CPU and memory are the limits.",
        ),
        honoured(f"{_RESOURCES}.InstanceCount", "Containers algo-1 to algo-N, which find each other by these names."),
        honoured(f"{_RESOURCES}.InstanceGroups[].InstanceGroupName", "Written to resourceconfig.json."),
        honoured(f"{_RESOURCES}.InstanceGroups[].InstanceType", "As ResourceConfig.InstanceType."),
        honoured(
            f"{_RESOURCES}.InstanceGroups[].InstanceCount",
            "As ResourceConfig.InstanceCount; the hosts' numbers run on across groups.",
        ),
        recorded(f"{_RESOURCES}.VolumeSizeInGB", "The disk of this machine is the limit."),
        recorded(f"{_RESOURCES}.VolumeKmsKeyId", "The volume is not encrypted."),
        recorded(f"{_RESOURCES}.KeepAlivePeriodInSeconds", "There are no warm pools: every job starts cold."),
        recorded(f"{_RESOURCES}.TrainingPlanArn", "No capacity is reserved."),
        recorded(f"{_RESOURCES}.InstancePlacementConfig", "There are no UltraServers to place hosts on."),
        refused(f"{_RESOURCES}.InstancePreferences", "No instance type is chosen here", "send InstanceType"),
        refused(f"{_RESOURCES}.SelectedInstanceType", "It is an answer of the service", LEAVE_OUT),
        refused(f"{_RESOURCES}.SelectedInstanceCount", "It is an answer of the service", LEAVE_OUT),
        honoured("StoppingCondition.MaxRuntimeInSeconds", "Then SIGTERM, 120 s of grace, SIGKILL; the job is Stopped."),
        recorded("StoppingCondition.MaxWaitTimeInSeconds", "There is no wait for spot capacity."),
        recorded("StoppingCondition.MaxPendingTimeInSeconds", "There is no wait for capacity."),
        honoured("Tags[].Key", "Kept with the job; see ListTags."),
        honoured("Tags[].Value", "Kept with the job; see ListTags."),
        honoured("EnableNetworkIsolation", "No credentials, and no network but the job's own hosts."),
        recorded("EnableInterContainerTrafficEncryption", "Traffic between hosts stays on this machine, in the clear."),
        recorded("EnableManagedSpotTraining", "Capacity is never reclaimed: the job is never interrupted."),
        recorded("VpcConfig", "There is no VPC; the container reaches what this machine reaches."),
        refused(
            "CheckpointConfig",
            "Checkpoints are neither restored nor uploaded",
            "leave it out, and write what must be kept to /opt/ml/model or /opt/ml/output/data",
        ),
        honoured("DebugHookConfig.LocalPath", "Written to debughookconfig.json."),
        honoured(
            "DebugHookConfig.S3OutputPath", "Written to debughookconfig.json; tensors are the image's own affair."
        ),
        honoured("DebugHookConfig.HookParameters", "Written to debughookconfig.json."),
        honoured("DebugHookConfig.CollectionConfigurations[].CollectionName", "Written to debughookconfig.json."),
        honoured("DebugHookConfig.CollectionConfigurations[].CollectionParameters", "Written to debughookconfig.json."),
        recorded("DebugRuleConfigurations", "Rules do not run, and Describe shows no evaluation of them."),
        recorded("ProfilerConfig", "Nothing is profiled, and profilerconfig.json is not written."),
        recorded("ProfilerRuleConfigurations", "Rules do not run, and Describe shows no evaluation of them."),
        refused(
            "TensorBoardOutputConfig",
            "TensorBoard files are not uploaded while the job runs",
            "leave it out, and write them to /opt/ml/output/data",
        ),
        honoured("ExperimentConfig.ExperimentName", "Must exist. Without TrialName a trial is made for the job."),
        honoured("ExperimentConfig.TrialName", "Must exist; the job's trial component is in it."),
        honoured("ExperimentConfig.TrialComponentDisplayName", "The DisplayName of the job's trial component."),
        honoured("ExperimentConfig.RunName", "A run's trial component, which gets what the job's own has."),
        recorded("RetryStrategy", "A job that fails is not tried again."),
        Row(
            path="RemoteDebugConfig.EnableRemoteDebug",
            treatment=Treatment.RECORDED,
            meaning="Off, as it always is here.",
            accepted=(False,),
            why="no session can be opened through AWS Systems Manager",
            instead="send false, and use the container engine's own exec",
        ),
        recorded("InfraCheckConfig", "There are no instances to check."),
        recorded("SessionChainingConfig", "Sessions of the container's role carry no tags."),
        refused("ServerlessJobConfig", "Serverless customisation of hub models does not exist here", REAL_SERVICE),
        refused("MlflowConfig", "There is no managed MLflow here", REAL_SERVICE),
        refused("ModelPackageConfig", "No model package is made from a job's result", REAL_SERVICE),
    )
)
