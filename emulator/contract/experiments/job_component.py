"""The trial component that every training and processing job has, and where ExperimentConfig puts it.

Source: Describe answers of such components, test fixtures of the SDK (training.md 9.2, 9.3). Unconfirmed: see
docs/fidelity.md, "Experiments".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ...errors import ResourceNotFoundError, ValidationError
from ..arns import Scope
from ..job import Job
from ..kinds import TRAINING, JobKind
from ..life import parse
from ..processing_job import ProcessingJob
from ..record import JobRecord
from ..status import JobStatus, is_terminal, status_of
from ..training_job import TrainingJob
from .entities import EXPERIMENT, TRIAL, TRIAL_COMPONENT, Entity, EntityKind
from .updates import MOST_ENTRIES

_LONGEST_NAME: Final = 120
_LONGEST_MESSAGE: Final = 1024
_LONGEST_STRING: Final = 2500
_LONGEST_ARTIFACT: Final = 2048

MAPS: Final = ("Parameters", "InputArtifacts", "OutputArtifacts")


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig:
    """Where a job's component belongs; what is None was not asked for."""

    experiment: str | None = None
    trial: str | None = None
    display_name: str | None = None
    run: str | None = None
    """The name of the trial component of a Run."""

    @classmethod
    def parse(cls, request: Mapping[str, Any]) -> ExperimentConfig:
        """Read the ExperimentConfig of a request for a job."""
        sent = request.get("ExperimentConfig", {})
        return cls(
            experiment=sent.get("ExperimentName"),
            trial=sent.get("TrialName"),
            display_name=sent.get("TrialComponentDisplayName"),
            run=sent.get("RunName"),
        )

    def named(self) -> list[tuple[EntityKind, str]]:
        """Return what must exist before the job is created."""
        every = ((EXPERIMENT, self.experiment), (TRIAL, self.trial), (TRIAL_COMPONENT, self.run))
        return [(kind, name) for kind, name in every if name is not None]

    def check_trial(self, trial: Entity) -> None:
        """Refuse a trial of another experiment (the text is ours).

        Raises:
            ValidationError: naming both.
        """
        belongs_to = trial.document["ExperimentName"]
        if self.experiment is not None and belongs_to.lower() != self.experiment.lower():
            raise ValidationError(
                f"ExperimentConfig: the trial '{trial.name}' belongs to the experiment '{belongs_to}', not to "
                f"'{self.experiment}'."
            )


def missing(kind: EntityKind, name: str) -> ResourceNotFoundError:
    """Return the answer to an ExperimentConfig that names what is not there (text unconfirmed)."""
    return ResourceNotFoundError(f"ExperimentConfig: {kind.words} '{name}' does not exist. Create it first.")


def component_name(kind: JobKind, job: str) -> str:
    """Return the name of a job's component."""
    return f"{job}-aws-{kind.resource}"[:_LONGEST_NAME]


def trial_name(kind: JobKind, job: str) -> str:
    """Return the name of the trial that is made for a job whose ExperimentConfig names an experiment only."""
    return f"{job}-aws-{kind.resource}-trial"[:_LONGEST_NAME]


def job_trial(record: JobRecord, experiment: str) -> Entity:
    """Return the trial that is made for a job."""
    name = trial_name(record.kind, record.name)
    at = record.facts["CreationTime"]
    return Entity(
        scope=record.scope,
        kind=TRIAL,
        name=name,
        arn=TRIAL.arn(record.scope, name),
        created=at,
        modified=at,
        document={"ExperimentName": experiment, "DisplayName": name, "Source": source_of(record)},
    )


def component_arn(kind: JobKind, scope: Scope, job: str) -> str:
    """Return the ARN of a job's component."""
    return TRIAL_COMPONENT.arn(scope, component_name(kind, job))


def job_component(record: JobRecord) -> Entity:
    """Return the component of a job as it stands."""
    name = component_name(record.kind, record.name)
    config = ExperimentConfig.parse(record.request)
    return Entity(
        scope=record.scope,
        kind=TRIAL_COMPONENT,
        name=name,
        arn=TRIAL_COMPONENT.arn(record.scope, name),
        created=record.facts["CreationTime"],
        modified=record.facts["LastModifiedTime"],
        document={"DisplayName": config.display_name or name, **described_job(record), "Source": source_of(record)},
    )


def updated_component(known: Entity, record: JobRecord) -> Entity:
    """Return the component of a job after something happened to the job.

    What clients have added to it stays; one of an earlier job of that name becomes the new job's.
    """
    fresh = job_component(record)
    if known.created != fresh.created:
        return replace(fresh, number=known.number)
    maps = {name: {**known.document.get(name, {}), **fresh.document.get(name, {})} for name in MAPS}
    document = {**known.document, **fresh.document, **{name: entries for name, entries in maps.items() if entries}}
    display_name = known.document.get("DisplayName", fresh.name)
    return known.changed({**document, "DisplayName": display_name}, max(known.modified, fresh.modified))


def attached_to_run(run: Entity, record: JobRecord) -> Entity:
    """Return the component of a Run with a job of its own: the job is one of its Sources.

    The job's parameters and artifacts are added where the run has none of the same name and has room.
    """
    document = dict(run.document)
    source = source_of(record)
    sources = [one for one in document.get("Sources", ()) if one["SourceArn"] != source["SourceArn"]]
    document["Sources"] = [*sources, source]
    job = described_job(record)
    for name in MAPS:
        entries = dict(document.get(name, {}))
        for key, value in job.get(name, {}).items():
            if len(entries) < MOST_ENTRIES[name]:
                entries.setdefault(key, value)
        if entries:
            document[name] = entries
    if document == run.document:
        return run
    return run.changed(document, max(run.modified, record.facts["LastModifiedTime"]))


def source_of(record: JobRecord) -> dict[str, str]:
    """Return the Source of what is made for a job."""
    return {"SourceArn": record.arn, "SourceType": f"SageMaker{record.kind.noun}"}


def described_job(record: JobRecord) -> dict[str, Any]:
    """Return what a job's component says of it: parameters, artifacts, status and times."""
    job = parse(record.kind, record.request, record.scope)
    facts = record.facts
    prefix = "Training" if record.kind is TRAINING else "Processing"
    times = {"StartTime": facts.get(f"{prefix}StartTime"), "EndTime": facts.get(f"{prefix}EndTime")}
    maps = {
        "Parameters": _parameters(record, job),
        "InputArtifacts": _inputs(job),
        "OutputArtifacts": _outputs(record, job),
    }
    return {
        "Status": {"PrimaryStatus": status_of(facts), "Message": _message(record)},
        **{name: at for name, at in times.items() if at is not None},
        **{name: dict(list(entries.items())[: MOST_ENTRIES[name]]) for name, entries in maps.items() if entries},
    }


def _message(record: JobRecord) -> str:
    """The form was seen of a processing job that had completed; whatever there is not is null in it."""
    facts = record.facts
    exit_message, reason = facts.get("ExitMessage", "null"), facts.get("FailureReason", "null")
    text = f"Status: {status_of(facts)}, exit message: {exit_message}, failure reason: {reason}"
    return " ".join(text.split())[:_LONGEST_MESSAGE]


def _parameters(record: JobRecord, job: Job) -> dict[str, Any]:
    """The instances, the image of a training job, and hyperparameters or environment."""
    first = job.hosts[0].instance_type
    parameters: dict[str, Any] = {
        "SageMaker.InstanceCount": {"NumberValue": float(len(job.hosts))},
        "SageMaker.InstanceType": {"StringValue": first},
    }
    if isinstance(job, TrainingJob):
        parameters["SageMaker.ImageUri"] = _text(job.image)
        volume = record.request["ResourceConfig"].get("VolumeSizeInGB")
        given = dict(job.hyperparameters)
    else:
        volume = record.request["ProcessingResources"]["ClusterConfig"].get("VolumeSizeInGB")
        given = dict(job.environment)
    if volume is not None:
        parameters["SageMaker.VolumeSizeInGB"] = {"NumberValue": float(volume)}
    return parameters | {name: parameter(value) for name, value in given.items()}


def parameter(text: str) -> dict[str, Any]:
    """Return a hyperparameter as a component has it: numbers as such, what is quoted keeps its quotes (seen)."""
    try:
        number = math.nan if "_" in text else float(text)  # Python alone takes 1_000 for a number
    except ValueError:
        number = math.nan
    return {"NumberValue": number} if math.isfinite(number) else _text(text)


def _text(text: str) -> dict[str, Any]:
    return {"StringValue": text[:_LONGEST_STRING]}


def _inputs(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(job, TrainingJob):
        for channel in job.channels:
            media_type = {"MediaType": channel.content_type} if channel.content_type else {}
            found[channel.name] = {**media_type, **_artifact(str(channel.source))}
    elif isinstance(job, ProcessingJob):
        found["SageMaker.ImageUri"] = _artifact(job.image)
        found |= {one.name: _artifact(str(one.source)) for one in job.inputs if one.source is not None}
    return found


def _outputs(record: JobRecord, job: Job) -> dict[str, Any]:
    """The model of a training job, once it has ended well or was stopped; where its debug hook writes; outputs."""
    found: dict[str, Any] = {}
    if isinstance(job, TrainingJob):
        if is_terminal(record.facts) and status_of(record.facts) != JobStatus.FAILED:
            found["SageMaker.ModelArtifact"] = _artifact(str(job.model_artifacts))
        if job.debug_hook is not None:
            found["SageMaker.DebugHookOutput"] = _artifact(job.debug_hook["S3OutputPath"])
    elif isinstance(job, ProcessingJob):
        found |= {one.name: _artifact(str(one.destination)) for one in job.outputs if one.destination is not None}
    return found


def _artifact(value: str) -> dict[str, str]:
    return {"Value": value[:_LONGEST_ARTIFACT]}
