"""What becomes of jobs that had not ended when an earlier emulator did."""

from __future__ import annotations

import logging

from ..contract import status
from ..contract.outcome import InternalServerError, failed_outcome
from ..contract.record import JobRecord
from .ports import Clock, JobStore

logger = logging.getLogger(__name__)

_REASON = "the emulator ended while the job ran, and what became of its containers is not known"


def end_unfinished(jobs: JobStore, clock: Clock) -> None:
    """End every job that nobody runs any more as Failed, saying why.

    To be called before the first job of this emulator is created. A job that can be taken up again must
    be taken up before: what is left is ended here, as no job may stay InProgress for ever.
    """
    for record in jobs.unfinished():
        logger.warning("The job %s ends Failed: %s", record.arn, _REASON)
        end_lost(jobs, record, clock.now())


def end_lost(jobs: JobStore, record: JobRecord, at: float) -> None:
    """End one job whose containers cannot be found again."""
    outcome = failed_outcome(InternalServerError(_REASON).failure_reason)

    def end(current: JobRecord) -> JobRecord:
        if current.number != record.number or status.is_terminal(current.facts):
            return current
        return current.with_facts(
            status.ended(current.facts, outcome.status, outcome.secondary, at=at, failure_reason=outcome.failure_reason)
        )

    jobs.update(record.scope, record.name, end)
