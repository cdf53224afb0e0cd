"""CreateTrainingJob, CreateProcessingJob and their siblings: the same five operations for each kind of job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from ...contract.arns import Scope
from ...contract.constraints import epoch_seconds
from ...contract.kinds import JobKind
from ...contract.record import describe, summary
from ...runtime import Emulator

Document = dict[str, Any]

_TIMES: Final = ("CreationTimeAfter", "CreationTimeBefore", "LastModifiedTimeAfter", "LastModifiedTimeBefore")


def operations(kind: JobKind) -> dict[str, Callable[..., Document]]:
    """Return the operations of a kind of job by their names."""
    named = {
        f"Create{kind.noun}": create,
        f"Describe{kind.noun}": describe_job,
        f"List{kind.noun}s": list_jobs,
        f"Stop{kind.noun}": stop,
        f"Delete{kind.noun}": delete,
    }
    return {name: partial(operation, kind) for name, operation in named.items()}


def create(kind: JobKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Start a job; the answer comes as soon as it is accepted."""
    return {kind.arn_member: emulator.create_job(kind, scope, request).arn}


def describe_job(kind: JobKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return all that was asked for and all that happened."""
    return describe(emulator.jobs[kind].get(scope, request[kind.name_member]))


def list_jobs(kind: JobKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return one page of summaries."""
    moments = {name: epoch_seconds(request[name]) for name in _TIMES if name in request}
    page = emulator.jobs[kind].page(scope, {**request, **moments})
    answer: Document = {f"{kind.noun}Summaries": [summary(record) for record in page.records]}
    if page.next_token is not None:
        answer["NextToken"] = page.next_token
    return answer


def stop(kind: JobKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Ask a job to stop."""
    emulator.jobs[kind].stop(scope, request[kind.name_member])
    return {}


def delete(kind: JobKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Forget a job that has ended."""
    emulator.jobs[kind].delete(scope, request[kind.name_member])
    return {}
