"""Job statuses, the history of secondary statuses, and the times that follow from it.

JobStatus, TERMINAL, `status_of` and `is_terminal` are for every kind of job; the rest is a training job's.
A processing job's is in processing_status.py.

Source: BC `TrainingJobStatus`, `ProcessingJobStatus`, `SecondaryStatus`, `SecondaryStatusTransition`;
messages and the way times join as seen in Describe answers of real jobs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from .kinds import KINDS


class JobStatus(StrEnum):
    """The coarse status, the same for every kind of job."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"


class SecondaryStatus(StrEnum):
    """The fine status; each one entered is kept in SecondaryStatusTransitions."""

    STARTING = "Starting"
    PENDING = "Pending"
    DOWNLOADING = "Downloading"
    TRAINING = "Training"
    UPLOADING = "Uploading"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"
    COMPLETED = "Completed"
    FAILED = "Failed"


TERMINAL: Final = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED})

_STAGES_BEFORE_STOPPING: Final = frozenset(
    {SecondaryStatus.STARTING, SecondaryStatus.PENDING, SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING}
)

STARTING: Final = "Starting the training job"
WAITING_FOR_CAPACITY: Final = "Training job waiting for capacity"
PREPARING_INSTANCES: Final = "Preparing the instances for training"
DOWNLOADING_INPUT: Final = "Downloading input data"
DOWNLOADING_IMAGE: Final = "Downloading the training image"
TRAINING: Final = "Training image download completed. Training in progress."
UPLOADING: Final = "Uploading generated training model"
STOPPING: Final = "Stopping the training job"

FINAL_MESSAGES: Final[dict[SecondaryStatus, str]] = {
    SecondaryStatus.COMPLETED: "Training job completed",
    SecondaryStatus.FAILED: "Training job failed",
    SecondaryStatus.STOPPED: "Training job stopped",
    # The service's own text for this one is unconfirmed.
    SecondaryStatus.MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds",
}

Facts = Mapping[str, Any]
"""The part of a Describe answer that is not the request: statuses, times, results."""


def status_of(facts: Facts) -> str:
    """Return the JobStatus that the facts, or a Describe answer, of any kind of job hold."""
    status: str = next(facts[kind.status_member] for kind in KINDS if kind.status_member in facts)
    return status


def is_terminal(facts: Facts) -> bool:
    """Tell whether nothing more will happen to the job."""
    return status_of(facts) in TERMINAL


def created(at: float) -> dict[str, Any]:
    """Return the facts of a job just created, `at` in epoch seconds."""
    return {
        "TrainingJobStatus": JobStatus.IN_PROGRESS.value,
        "SecondaryStatus": SecondaryStatus.STARTING.value,
        "CreationTime": at,
        "LastModifiedTime": at,
        "SecondaryStatusTransitions": [
            {"Status": SecondaryStatus.STARTING.value, "StartTime": at, "StatusMessage": STARTING}
        ],
    }


def entered(facts: Facts, status: SecondaryStatus, message: str, at: float) -> dict[str, Any]:
    """Return the facts with a secondary status entered at this time.

    The running record ends where the new one starts. When the status stays the same only the message
    of its record changes. A job that is being stopped enters no stage up to `Training` any more, as
    real ones do not: they go from `Stopping` to `Uploading` or to their end. TrainingStartTime is when
    `Downloading` began.
    """
    if facts["TrainingJobStatus"] == JobStatus.STOPPING and status in _STAGES_BEFORE_STOPPING:
        return dict(facts)
    transitions = [dict(one) for one in facts["SecondaryStatusTransitions"]]
    if transitions[-1]["Status"] == status:
        transitions[-1]["StatusMessage"] = message
    else:
        transitions[-1]["EndTime"] = at
        transitions.append({"Status": status.value, "StartTime": at, "StatusMessage": message})
    changed = {
        **facts,
        "SecondaryStatus": status.value,
        "SecondaryStatusTransitions": transitions,
        "LastModifiedTime": at,
    }
    if status is SecondaryStatus.DOWNLOADING:
        changed.setdefault("TrainingStartTime", at)
    return changed


def training_since(facts: Facts) -> float | None:
    """Return when the containers were started, in epoch seconds; None: no container of the job ever ran."""
    entered_at = (
        one["StartTime"] for one in facts["SecondaryStatusTransitions"] if one["Status"] == SecondaryStatus.TRAINING
    )
    return next(entered_at, None)


def stop_requested(facts: Facts, at: float) -> dict[str, Any]:
    """Return the facts of a job that StopTrainingJob was called on; twice changes nothing more."""
    if facts["TrainingJobStatus"] == JobStatus.STOPPING:
        return dict(facts)
    return {
        **entered(facts, SecondaryStatus.STOPPING, STOPPING, at),
        "TrainingJobStatus": JobStatus.STOPPING.value,
    }


def ended(
    facts: Facts,
    status: JobStatus,
    secondary: SecondaryStatus,
    *,
    at: float,
    failure_reason: str | None = None,
    failed_at: float | None = None,
) -> dict[str, Any]:
    """Return the facts of a job that has reached its end at this time.

    The terminal record's EndTime is its StartTime. TrainingEndTime is that time too, but for a failed
    job it is when the failure was seen. Training and billable seconds run from `Downloading` to
    TrainingEndTime, rounded up. All three are absent when that stage was never reached.
    """
    changed = entered(facts, secondary, FINAL_MESSAGES[secondary], at)
    changed["SecondaryStatusTransitions"][-1]["EndTime"] = at
    changed["TrainingJobStatus"] = status.value
    if failure_reason is not None:
        changed["FailureReason"] = failure_reason
    if "TrainingStartTime" in changed:
        changed["TrainingEndTime"] = at if failed_at is None else failed_at
        seconds = max(1, math.ceil(round(changed["TrainingEndTime"] - changed["TrainingStartTime"], 3)))
        changed["TrainingTimeInSeconds"] = changed["BillableTimeInSeconds"] = seconds
    return changed
