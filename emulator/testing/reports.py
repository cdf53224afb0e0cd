"""What a failed test's report says of its jobs."""

from __future__ import annotations

import difflib

import pytest

from .files import JobFiles
from .logs import JobLogs
from .results import JobEndError, JobResult
from .session import session_of

_NEAR = 5


def add_jobs(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Add a section for each job of a failed test that does not speak for itself."""
    raised = call.excinfo.value if call.excinfo is not None else None
    for job in session_of(item.config).jobs_of(item):
        if isinstance(raised, JobEndError) and job.name in str(raised):
            continue  # it is the failure's own text
        report.sections.append((f"SageMaker {job.kind.words} {job.name}", _told(job)))


def explained_membership(operator: str, left: object, right: object) -> list[str] | None:
    """Return what pytest shows of `assert name in result.model`, or of a text in a log, that does not hold."""
    if operator not in ("in", "not in"):
        return None
    if isinstance(right, JobFiles):
        near = difflib.get_close_matches(str(left), right.names, n=_NEAR, cutoff=0.5)
        lines = [f"{left!r} {operator} {right.what}", *(f"  {name}" for name in right.names)]
        if not right.names:
            lines.append("  which is empty" if right.exists else "  which the job did not leave")
        return [*lines, f"Did you mean {near[0]!r}?"] if near and operator == "in" else lines
    if isinstance(right, JobLogs):
        return [f"{left!r} {operator} the job's log, which ends with", *(f"  {line}" for line in right.tail(20))]
    return None


def _told(job: JobResult) -> str:
    """Say how a job is; a report must be made even where the emulator does not answer any more."""
    try:
        return job.explanation()
    except Exception as error:  # noqa: BLE001 - see above
        return f"It cannot be asked any more: {error}"
