"""A processing job's status and times. It has no secondary status and no history.

Source: BC `ProcessingJobStatus`, `DescribeProcessingJobResponse`, and the order of events seen on the service:
an InProgress job without a ProcessingStartTime waits for capacity, its image or its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .outcome import Outcome
from .status import Facts, JobStatus


def created(at: float) -> dict[str, Any]:
    """Return the facts of a job just created, `at` in epoch seconds. It is InProgress at once."""
    return {"ProcessingJobStatus": JobStatus.IN_PROGRESS.value, "CreationTime": at, "LastModifiedTime": at}


def started(facts: Facts, at: float) -> dict[str, Any]:
    """Return the facts of a job whose containers are started at this time."""
    return {**facts, "ProcessingStartTime": at, "LastModifiedTime": at}


def stop_requested(facts: Facts, at: float) -> dict[str, Any]:
    """Return the facts of a job that StopProcessingJob was called on; twice changes nothing more."""
    if facts["ProcessingJobStatus"] == JobStatus.STOPPING:
        return dict(facts)
    return {**facts, "ProcessingJobStatus": JobStatus.STOPPING.value, "LastModifiedTime": at}


def ended(facts: Facts, outcome: Outcome, at: float) -> dict[str, Any]:
    """Return the facts of a job that has reached its end, after its outputs were uploaded.

    ProcessingEndTime is there also for a job whose containers never started (unconfirmed). FailureReason and
    ExitMessage are there only when there is one; a job that is Failed always has a FailureReason.
    """
    changed = {
        **facts,
        "ProcessingJobStatus": outcome.status.value,
        "ProcessingEndTime": at,
        "LastModifiedTime": at,
    }
    if outcome.failure_reason is not None:
        changed["FailureReason"] = outcome.failure_reason
    if outcome.exit_message is not None:
        changed["ExitMessage"] = outcome.exit_message
    return changed


def steps(facts: Facts) -> Iterator[dict[str, Any]]:
    """Yield what a job went through as a training job's SecondaryStatusTransitions would tell it.

    The service has no such history: these steps follow from the job's times, and their names and messages are ours.
    """
    start, end = facts.get("ProcessingStartTime"), facts.get("ProcessingEndTime")
    preparing = "Waiting for capacity, downloading image and inputs"
    yield _step("Preparing", preparing, facts["CreationTime"], start or end)
    if start is not None:
        yield _step("Processing", "Containers run; outputs are uploaded when they have ended", start, end)
    if facts["ProcessingJobStatus"] == JobStatus.STOPPING:
        yield _step("Stopping", "Asked to stop", facts["LastModifiedTime"], None)
    if end is not None:
        yield _step(facts["ProcessingJobStatus"], "The job's end", end, end)


def _step(name: str, message: str, start: float, end: float | None) -> dict[str, Any]:
    step = {"Status": name, "StatusMessage": message, "StartTime": start}
    return step if end is None else {**step, "EndTime": end}
