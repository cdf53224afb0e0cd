"""The life of a job of any kind: each function asks the rules of the job's own kind.

A job passes through the stages in their order; what shows of them is a matter of the kind. Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from . import processing_status, status
from .arns import Scope
from .job import Job
from .kinds import TRAINING, JobKind
from .outcome import Outcome
from .processing_job import ProcessingJob
from .processing_requests import check_processing_job
from .requests import check_training_job
from .status import Facts, JobStatus, SecondaryStatus
from .training_job import TrainingJob


class Stage(Enum):
    """What the platform does with a job."""

    WAITING_FOR_CAPACITY = auto()
    PREPARING = auto()
    DOWNLOADING_INPUT = auto()
    DOWNLOADING_IMAGE = auto()
    RUNNING = auto()
    UPLOADING = auto()


_SECONDARY: Final = {
    Stage.WAITING_FOR_CAPACITY: (SecondaryStatus.PENDING, status.WAITING_FOR_CAPACITY),
    Stage.PREPARING: (SecondaryStatus.PENDING, status.PREPARING_INSTANCES),
    Stage.DOWNLOADING_INPUT: (SecondaryStatus.DOWNLOADING, status.DOWNLOADING_INPUT),
    Stage.DOWNLOADING_IMAGE: (SecondaryStatus.DOWNLOADING, status.DOWNLOADING_IMAGE),
    Stage.RUNNING: (SecondaryStatus.TRAINING, status.TRAINING),
    Stage.UPLOADING: (SecondaryStatus.UPLOADING, status.UPLOADING),
}


def parse(kind: JobKind, request: Mapping[str, Any], scope: Scope) -> Job:
    """Read a validated request that creates a job."""
    return TrainingJob.parse(request, scope) if kind is TRAINING else ProcessingJob.parse(request, scope)


def check(kind: JobKind, request: Mapping[str, Any]) -> None:
    """Refuse a request for a job whose shape is right but whose content is not.

    Raises:
        ValidationError: with the service's text where it is known.
    """
    if kind is TRAINING:
        check_training_job(request)
    else:
        check_processing_job(request)


def created(kind: JobKind, at: float) -> dict[str, Any]:
    """Return the facts of a job just created."""
    return status.created(at) if kind is TRAINING else processing_status.created(at)


def entered(kind: JobKind, facts: Facts, stage: Stage, at: float) -> dict[str, Any]:
    """Return the facts with a stage entered at this time.

    A job that is being stopped starts no containers any more. Of a processing job's stages only RUNNING shows.
    """
    if kind is TRAINING:
        secondary, message = _SECONDARY[stage]
        return status.entered(facts, secondary, message, at)
    if stage is Stage.RUNNING and facts[kind.status_member] != JobStatus.STOPPING:
        return processing_status.started(facts, at)
    return dict(facts)


def running_since(kind: JobKind, facts: Facts) -> float | None:
    """Return when the containers were started; None: no container of the job ever ran."""
    return status.training_since(facts) if kind is TRAINING else facts.get("ProcessingStartTime")


def stop_requested(kind: JobKind, facts: Facts, at: float) -> dict[str, Any]:
    """Return the facts of a job that was asked to stop; twice changes nothing more."""
    return status.stop_requested(facts, at) if kind is TRAINING else processing_status.stop_requested(facts, at)


def ended(kind: JobKind, facts: Facts, outcome: Outcome, at: float, failed_at: float | None = None) -> dict[str, Any]:
    """Return the facts of a job that has reached its end at this time.

    `failed_at` is when a failure was seen: a training job that is Failed says that it ended then.
    """
    if kind is not TRAINING:
        return processing_status.ended(facts, outcome, at)
    return status.ended(
        facts,
        outcome.status,
        outcome.secondary,
        at=at,
        failure_reason=outcome.failure_reason,
        failed_at=failed_at if outcome.status is JobStatus.FAILED else None,
    )
