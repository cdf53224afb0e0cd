"""What becomes of every member of a CreateProcessingJob request."""

from __future__ import annotations

from typing import Final

from .fidelity_rows import LEAVE_OUT, PIPE_ONLY, MemberTable, honoured, only, recorded, refused

_APPLICATION: Final = "AppSpecification"
_INPUT: Final = "ProcessingInputs[]"
_S3_INPUT: Final = "ProcessingInputs[].S3Input"
_OUTPUT: Final = "ProcessingOutputConfig.Outputs[]"
_S3_OUTPUT: Final = "ProcessingOutputConfig.Outputs[].S3Output"
_CLUSTER: Final = "ProcessingResources.ClusterConfig"

_AN_ANSWER: Final = "It is an answer of the service"

PROCESSING_JOB_MEMBERS: Final = MemberTable(
    (
        honoured("ProcessingJobName", "Names the job and its log streams; in its ARN it is lower case."),
        honoured("RoleArn", "The container's credentials are this role's. Its policies are not evaluated."),
        honoured("Environment", "Set in the container; a name the platform sets too takes this value."),
        honoured(f"{_APPLICATION}.ImageUri", "The image, or on the process engine the program, that is run."),
        honoured(f"{_APPLICATION}.ContainerEntrypoint", "Replaces the image's ENTRYPOINT and drops its CMD."),
        honoured(f"{_APPLICATION}.ContainerArguments", "Replaces the image's CMD."),
        honoured(f"{_INPUT}.InputName", "Written to processingjobconfig.json; no two inputs may have the same."),
        honoured(f"{_INPUT}.AppManaged", "When true nothing is downloaded: the program reads its source itself."),
        honoured(f"{_S3_INPUT}.S3Uri", "The prefix or manifest, in the emulator's own S3; it must be there."),
        honoured(f"{_S3_INPUT}.LocalPath", "The directory the objects are in before the container starts; writable."),
        honoured(f"{_S3_INPUT}.S3DataType", "All objects below a prefix, or those that a manifest lists."),
        only(
            f"{_S3_INPUT}.S3InputMode",
            ("File",),
            "Objects are copied before the container starts.",
            "there are no named pipes",
            "use File, which puts the same objects into LocalPath",
        ),
        honoured(f"{_S3_INPUT}.S3DataDistributionType", "All objects to each host, or each object to one host."),
        only(
            f"{_S3_INPUT}.S3CompressionType",
            ("None",),
            "Objects arrive as they are.",
            PIPE_ONLY,
            "send None, and unpack in the program",
        ),
        refused(
            f"{_INPUT}.DatasetDefinition",
            "There is no Athena and no Redshift to query here",
            "put the result of the query into S3 and give it as S3Input",
        ),
        honoured(f"{_OUTPUT}.OutputName", "Written to processingjobconfig.json; no two outputs may have the same."),
        honoured(f"{_OUTPUT}.AppManaged", "When true nothing is uploaded: the program stores its output itself."),
        honoured(f"{_S3_OUTPUT}.S3Uri", "Each file goes to `<S3Uri>/<path below LocalPath>` in our own S3."),
        honoured(f"{_S3_OUTPUT}.LocalPath", "A directory that exists before the container starts; writable."),
        honoured(
            f"{_S3_OUTPUT}.S3UploadMode",
            "EndOfJob: when the containers have ended. Continuous: also while they run, once a file rests.",
        ),
        refused(
            f"{_OUTPUT}.FeatureStoreOutput",
            "There is no Feature Store here",
            "write the records to an S3Output",
        ),
        recorded("ProcessingOutputConfig.KmsKeyId", "Outputs are not encrypted."),
        honoured(
            f"{_CLUSTER}.InstanceType",
            "Written to processingjobconfig.json; on request its CPU and memory are the limits.",
        ),
        honoured(f"{_CLUSTER}.InstanceCount", "Containers algo-1 to algo-N, which find each other by these names."),
        honoured(f"{_CLUSTER}.InstancePreferences[].InstanceType", "The first one is taken: there is capacity."),
        honoured(f"{_CLUSTER}.InstancePreferences[].InstanceCount", "As ClusterConfig.InstanceCount."),
        refused(f"{_CLUSTER}.SelectedInstanceType", _AN_ANSWER, LEAVE_OUT),
        refused(f"{_CLUSTER}.SelectedInstanceCount", _AN_ANSWER, LEAVE_OUT),
        recorded(f"{_CLUSTER}.VolumeSizeInGB", "The disk of this machine is the limit."),
        recorded(f"{_CLUSTER}.VolumeKmsKeyId", "The volume is not encrypted."),
        honoured("StoppingCondition.MaxRuntimeInSeconds", "Then SIGTERM, 120 s of grace, SIGKILL; the job is Stopped."),
        honoured("NetworkConfig.EnableNetworkIsolation", "No credentials, and no network but the job's own hosts."),
        recorded(
            "NetworkConfig.EnableInterContainerTrafficEncryption",
            "Traffic between hosts stays on this machine, in the clear.",
        ),
        recorded("NetworkConfig.VpcConfig", "There is no VPC; the container reaches what this machine reaches."),
        honoured("Tags[].Key", "Kept with the job; see ListTags."),
        honoured("Tags[].Value", "Kept with the job; see ListTags."),
        honoured("ExperimentConfig.ExperimentName", "Must exist. Without TrialName a trial is made for the job."),
        honoured("ExperimentConfig.TrialName", "Must exist; the job's trial component is in it."),
        honoured("ExperimentConfig.TrialComponentDisplayName", "The DisplayName of the job's trial component."),
        honoured("ExperimentConfig.RunName", "A run's trial component, which gets what the job's own has."),
    )
)
