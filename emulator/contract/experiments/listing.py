"""ListExperiments, ListTrials, ListTrialComponents, ListArtifacts: filters, order and pages.

Source: BC; ten to a page and the newest first, unless asked otherwise. Entities of one name or moment keep the
order of their creation.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from ...errors import ValidationError
from .entities import EXPERIMENT, Entity, EntityKind

DEFAULT_MAX_RESULTS: Final = 10

Position = tuple[Any, int]
"""An entity's place in the list: the value it is sorted by, then its number."""


@dataclass(frozen=True, kw_only=True)
class EntityQuery:
    """A list request, read. Times are epoch seconds; None does not filter.

    `experiment`, `trial` and `component` are ARNs of what the entities must belong to, or have; the store knows
    that. `source` is as `Entity.source`. The rest is said by `wants` and `position`, and a store must agree.
    """

    kind: EntityKind = EXPERIMENT
    by_name: bool = False
    descending: bool = True
    size: int = DEFAULT_MAX_RESULTS
    after: Position | None = None
    created_after: float | None = None
    created_before: float | None = None
    experiment: str | None = None
    trial: str | None = None
    component: str | None = None
    source: str | None = None
    artifact_type: str | None = None

    @classmethod
    def parse(cls, kind: EntityKind, request: Mapping[str, Any], **belonging: str | None) -> Self:
        """Read a request that has the right shape, its times in epoch seconds.

        Raises:
            ValidationError: the token is not one of ours.
        """
        by_name = request.get("SortBy") == "Name"
        return cls(
            kind=kind,
            by_name=by_name,
            descending=request.get("SortOrder", "Descending") == "Descending",
            size=request.get("MaxResults", DEFAULT_MAX_RESULTS),
            after=_position(request["NextToken"], by_name=by_name) if "NextToken" in request else None,
            created_after=request.get("CreatedAfter"),
            created_before=request.get("CreatedBefore"),
            artifact_type=request.get("ArtifactType"),
            **belonging,
        )

    def position(self, entity: Entity) -> Position:
        """Return an entity's place in the list."""
        return (entity.name.lower() if self.by_name else entity.created), entity.number

    def wants(self, entity: Entity) -> bool:
        """Tell whether an entity that belongs where it should is in the list, on this page or a later one."""
        return (
            entity.kind is self.kind
            and (self.created_after is None or entity.created > self.created_after)
            and (self.created_before is None or entity.created < self.created_before)
            and self.source in (None, entity.source)
            and self.artifact_type in (None, entity.document.get("ArtifactType"))
            and self._follows(entity)
        )

    def _follows(self, entity: Entity) -> bool:
        if self.after is None:
            return True
        position = self.position(entity)
        return position < self.after if self.descending else position > self.after


@dataclass(frozen=True, kw_only=True)
class EntityPage:
    """One page of entities, and the token of the next one if there is one."""

    entities: tuple[Entity, ...]
    next_token: str | None


def entity_page(entities: Iterable[Entity], query: EntityQuery) -> EntityPage:
    """Return the page that a query asks for; `entities` are at least the first `size + 1` that it wants."""
    chosen = sorted(filter(query.wants, entities), key=query.position, reverse=query.descending)
    page, rest = chosen[: query.size], chosen[query.size :]
    return EntityPage(
        entities=tuple(page), next_token=_token(query.position(page[-1]), by_name=query.by_name) if rest else None
    )


def _token(position: Position, *, by_name: bool) -> str:
    return base64.urlsafe_b64encode(json.dumps([by_name, *position]).encode()).decode()


def _position(token: str, *, by_name: bool) -> Position:
    try:
        made_for, value, number = json.loads(base64.urlsafe_b64decode(token.encode()))
        valid = (
            made_for is by_name
            and isinstance(value, str if by_name else float)
            and isinstance(number, int)
            and abs(number) < 2**63
        )
    except (ValueError, TypeError, RecursionError):  # a binascii.Error is a ValueError
        valid = False
        value = number = None
    if not valid:
        raise ValidationError("Invalid NextToken: use the token of the previous page, with the same SortBy.")
    return value, number
