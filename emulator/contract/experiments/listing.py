"""ListExperiments, ListTrials, ListTrialComponents, ListArtifacts: filters, order and pages.

Source: BC; ten to a page and the newest first, unless asked otherwise. Entities of one name or moment keep the
order of their creation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from ..pages import NUMBERS, Position, first_page, follows, place_in, token
from .entities import EXPERIMENT, Entity, EntityKind

DEFAULT_MAX_RESULTS: Final = 10


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
            and follows(self.position(entity), self.after, descending=self.descending)
        )


@dataclass(frozen=True, kw_only=True)
class EntityPage:
    """One page of entities, and the token of the next one if there is one."""

    entities: tuple[Entity, ...]
    next_token: str | None


def entity_page(entities: Iterable[Entity], query: EntityQuery) -> EntityPage:
    """Return the page that a query asks for; `entities` are at least the first `size + 1` that it wants."""
    page, last = first_page(entities, query)
    return EntityPage(
        entities=tuple(page), next_token=None if last is None else token(_sort_by(by_name=query.by_name), last)
    )


def _sort_by(*, by_name: bool) -> str:
    return "Name" if by_name else "CreationTime"


def _position(text: str, *, by_name: bool) -> Position:
    def is_position(value: object, number: object) -> bool:
        return isinstance(value, str if by_name else float) and isinstance(number, int) and number in NUMBERS

    value, number = place_in(text, _sort_by(by_name=by_name), is_position)
    return value, number
