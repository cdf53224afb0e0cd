"""AddAssociation, ListAssociations and DeleteAssociation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...contract.arns import Scope
from ...runtime import Emulator
from .entities import with_seconds

Document = dict[str, Any]


def add(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Associate two entities."""
    emulator.lineage.add(scope, request)
    return {name: request[name] for name in ("SourceArn", "DestinationArn")}


def list_associations(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return one page of associations."""
    return emulator.lineage.page(scope, with_seconds(request))


def delete(emulator: Emulator, _: Scope, request: Mapping[str, Any]) -> Document:
    """Forget an association."""
    emulator.lineage.delete(request)
    return {name: request[name] for name in ("SourceArn", "DestinationArn")}


OPERATIONS: dict[str, Callable[..., Document]] = {
    "AddAssociation": add,
    "ListAssociations": list_associations,
    "DeleteAssociation": delete,
}
