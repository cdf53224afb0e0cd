"""A job as it is stored: the request that created it, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .arns import Scope
from .job import DEFAULT_MAX_RUNTIME_SECONDS
from .kinds import PROCESSING, TRAINING, JobKind, kind_of
from .metrics import MetricDefinition
from .processing_job import selected_instances
from .status import Facts
from .training_job import TrainingJob

_ALWAYS_SHOWN = {
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
}
_SUMMARIES = {
    TRAINING: ("CreationTime", "TrainingEndTime", "LastModifiedTime", "TrainingJobStatus", "SecondaryStatus"),
    PROCESSING: (
        "CreationTime",
        "ProcessingEndTime",
        "LastModifiedTime",
        "ProcessingJobStatus",
        "FailureReason",
        "ExitMessage",
    ),
}


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """One job of any kind: documents in the service's own spelling.

    Its identity is the ARN. `number` counts jobs in order of creation, so that jobs of one instant keep an order.
    """

    scope: Scope
    name: str
    arn: str
    request: Mapping[str, Any]
    facts: Facts
    tags: Mapping[str, str] = field(default_factory=dict)
    number: int = 0

    @property
    def kind(self) -> JobKind:
        """What kind of job it is."""
        return kind_of(self.arn)

    @property
    def unique_name(self) -> str:
        """A name that no other job ever has, also none that gets the name of this one after its deletion."""
        return f"{self.number}-{self.name}"

    @property
    def image(self) -> str:
        """The image of its containers."""
        structure, member = self.kind.image_members
        return str(self.request.get(structure, {}).get(member) or "")

    def with_facts(self, facts: Facts) -> JobRecord:
        """Return the record after something happened to the job."""
        return replace(self, facts=facts)


def describe(record: JobRecord) -> dict[str, Any]:
    """Return the Describe answer of a job: the request as it was sent, defaults filled, and the facts.

    Tags are not part of it, and what there is not is left out, never null.
    """
    return describe_training(record) if record.kind is TRAINING else describe_processing(record)


def describe_training(record: JobRecord) -> dict[str, Any]:
    """Return the DescribeTrainingJob answer. ModelArtifacts is a required member, so it is there from the start."""
    job = TrainingJob.parse(record.request, record.scope)
    answer = {**_ALWAYS_SHOWN, **record.request}
    answer.pop("Tags", None)
    answer["TrainingJobArn"] = record.arn
    answer["AlgorithmSpecification"] = _algorithm(answer["AlgorithmSpecification"], job.metric_definitions)
    answer["OutputDataConfig"] = {"KmsKeyId": "", **answer["OutputDataConfig"]}
    answer["StoppingCondition"] = {
        "MaxRuntimeInSeconds": job.max_runtime_seconds,
        **answer["StoppingCondition"],
    }
    if "InputDataConfig" in answer:
        answer["InputDataConfig"] = [
            {"CompressionType": "None", "RecordWrapperType": "None", **channel} for channel in answer["InputDataConfig"]
        ]
    answer["ModelArtifacts"] = {"S3ModelArtifacts": str(job.model_artifacts)}
    return {**answer, **record.facts}


def describe_processing(record: JobRecord) -> dict[str, Any]:
    """Return the DescribeProcessingJob answer.

    InstanceCount is there also when it was not sent, or in InstancePreferences only, as the SDK counts on it.
    """
    answer = {**record.request}
    answer.pop("Tags", None)
    cluster = answer["ProcessingResources"]["ClusterConfig"]
    selected = selected_instances(cluster)
    shown = {"InstanceCount": selected["InstanceCount"], **cluster}
    if "InstancePreferences" in cluster:
        shown |= {f"Selected{name}": value for name, value in selected.items()}
    answer["ProcessingResources"] = {"ClusterConfig": shown}
    answer.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS})
    return {**answer, "ProcessingJobArn": record.arn, **record.facts}


def summary(record: JobRecord) -> dict[str, Any]:
    """Return the job's entry in a list answer."""
    kind = record.kind
    return {
        kind.name_member: record.name,
        kind.arn_member: record.arn,
        **{name: record.facts[name] for name in _SUMMARIES[kind] if name in record.facts},
    }


def _algorithm(sent: Mapping[str, Any], definitions: tuple[MetricDefinition, ...]) -> dict[str, Any]:
    """EnableSageMakerMetricsTimeSeries turns true by itself when there is a metric definition."""
    return {"EnableSageMakerMetricsTimeSeries": True, **sent} if definitions else dict(sent)
