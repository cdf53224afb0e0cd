"""What the operations of experiments, trials, trial components and artifacts have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from ...contract.arns import Scope
from ...contract.constraints import epoch_seconds
from ...contract.experiments.entities import EntityKind, summary_of
from ...runtime import Emulator

Document = dict[str, Any]

_TIMES: Final = ("CreatedAfter", "CreatedBefore", "StartTime", "EndTime")


def operations(kind: EntityKind) -> dict[str, Callable[..., Document]]:
    """Return the operations that every kind has, by their names."""
    named = {
        f"Create{kind.noun}": create,
        f"Describe{kind.noun}": describe,
        f"Update{kind.noun}": update,
        f"Delete{kind.noun}": delete,
        f"List{kind.noun}s": list_entities,
    }
    return {name: partial(operation, kind) for name, operation in named.items()}


def create(kind: EntityKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Store a new entity."""
    return {kind.arn_member: emulator.tracking.create(kind, scope, with_seconds(request)).arn}


def describe(kind: EntityKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return all that is known of an entity."""
    return emulator.tracking.describe(emulator.tracking.get(kind, scope, _identity(kind, request)))


def update(kind: EntityKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Change what the request names."""
    return {kind.arn_member: emulator.tracking.update(kind, scope, with_seconds(request)).arn}


def delete(kind: EntityKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Forget an entity that nothing belongs to."""
    return {kind.arn_member: emulator.tracking.delete(kind, scope, _identity(kind, request)).arn}


def list_entities(kind: EntityKind, emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return one page of summaries."""
    page = emulator.tracking.page(kind, scope, with_seconds(request))
    answer: Document = {f"{kind.noun}Summaries": [summary_of(one) for one in page.entities]}
    if page.next_token is not None:
        answer["NextToken"] = page.next_token
    return answer


def with_seconds(request: Mapping[str, Any]) -> Document:
    """Return a request with its times in epoch seconds."""
    return {**request, **{name: epoch_seconds(request[name]) for name in _TIMES if name in request}}


def _identity(kind: EntityKind, request: Mapping[str, Any]) -> str:
    name: str = request[kind.name_member if kind.name_member in request else kind.arn_member]
    return name
