"""The kinds of jobs, and what each calls its members, its log group and its resource.

Source: BC `CreateTrainingJob`, `CreateProcessingJob` and their siblings, whose members differ in one word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..errors import ValidationError
from .arns import ResourceName, Scope


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """One kind of job, by the word its members begin with: `TrainingJob`, `ProcessingJob`."""

    noun: str
    resource: str
    """What stands in its ARN: `training-job`."""
    words: str
    """What messages call it: `training job`."""
    log_group: str
    default_command: tuple[str, ...]
    """What an image is run with when the request gives neither an entrypoint nor arguments."""
    image_members: tuple[str, str]
    """Where the image stands in the request."""
    input_members: tuple[str, str]
    """The list of inputs in the request, and what an input calls its name."""

    @property
    def name_member(self) -> str:
        """`TrainingJobName`."""
        return f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        """`TrainingJobArn`."""
        return f"{self.noun}Arn"

    @property
    def status_member(self) -> str:
        """`TrainingJobStatus`."""
        return f"{self.noun}Status"

    def arn(self, scope: Scope, name: str) -> str:
        """Return a job's ARN, its identity. The service lower-cases the job name inside it (seen on real jobs).

        So names are unique without regard to case, for each kind, account and region.
        """
        return f"arn:{scope.partition}:sagemaker:{scope.region}:{scope.account}:{self.resource}/{name.lower()}"


TRAINING: Final = JobKind(
    noun="TrainingJob",
    resource="training-job",
    words="training job",
    log_group="/aws/sagemaker/TrainingJobs",
    default_command=("train",),
    image_members=("AlgorithmSpecification", "TrainingImage"),
    input_members=("InputDataConfig", "ChannelName"),
)
PROCESSING: Final = JobKind(
    noun="ProcessingJob",
    resource="processing-job",
    words="processing job",
    log_group="/aws/sagemaker/ProcessingJobs",
    default_command=(),
    image_members=("AppSpecification", "ImageUri"),
    input_members=("ProcessingInputs", "InputName"),
)

KINDS: Final = (TRAINING, PROCESSING)

_BY_RESOURCE: Final = {kind.resource: kind for kind in KINDS}


def job_kind(text: str) -> JobKind | None:
    """Return the kind of the job that an ARN names, or None for any other text."""
    try:
        return _BY_RESOURCE.get(ResourceName.parse(text).kind)
    except ValidationError:
        return None


def is_job(arn: str) -> bool:
    """Tell whether a SageMaker ARN is that of a job of one of these kinds.

    Raises:
        ValidationError: the text is no SageMaker ARN.
    """
    return ResourceName.parse(arn).kind in _BY_RESOURCE


def kind_of(job_arn: str) -> JobKind:
    """Return the kind of a job of ours by its ARN."""
    return _BY_RESOURCE[ResourceName.parse(job_arn).kind]
