"""Pages of a list that is sorted, and NextToken: the place that the next page goes on from, and the list's order.

The form of a token is ours; clients only hand it back.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol, TypeVar

from ..errors import ValidationError

Position = tuple[Any, int]
"""A resource's place in a list: the value it is sorted by, then its number."""

NUMBERS: Final = range(-(2**63), 2**63)
"""What a number in a token may be: ours are counted from 1 and end far below this; a store may keep 64 bits."""

_Resource = TypeVar("_Resource")
_Listed_contra = TypeVar("_Listed_contra", contravariant=True)


class Query(Protocol[_Listed_contra]):
    """A list request, read: what it wants, in which order, and how much of it."""

    @property
    def size(self) -> int: ...

    @property
    def descending(self) -> bool: ...

    def wants(self, resource: _Listed_contra, /) -> bool: ...

    def position(self, resource: _Listed_contra, /) -> Position: ...


def first_page(resources: Iterable[_Resource], query: Query[_Resource]) -> tuple[list[_Resource], Position | None]:
    """Return the first of what a query wants, and the place that the next page goes on from, if there is one."""
    chosen = sorted(filter(query.wants, resources), key=query.position, reverse=query.descending)
    page = chosen[: query.size]
    return page, query.position(page[-1]) if len(chosen) > len(page) else None


def follows(position: Position, after: Position | None, *, descending: bool) -> bool:
    """Tell whether a place comes behind the one that an earlier page has ended with."""
    if after is None:
        return True
    return position < after if descending else position > after


def token(sort_by: str, place: Iterable[Any]) -> str:
    """Return the token for a place in a list that is sorted so."""
    return base64.urlsafe_b64encode(json.dumps([sort_by, *place]).encode()).decode()


def place_in(text: str, sort_by: str, is_place: Callable[..., bool]) -> tuple[Any, ...]:
    """Return the place of a token; `is_place` is asked with what it consists of.

    Raises:
        ValidationError: it is not one of ours, or of a list that is sorted otherwise.
    """
    try:
        made_for, *place = json.loads(base64.urlsafe_b64decode(text.encode()))
        valid = made_for == sort_by and is_place(*place)
    except (ValueError, TypeError, RecursionError):  # a binascii.Error is a ValueError
        valid, place = False, []
    if not valid:
        raise ValidationError("Invalid NextToken: use the token of the previous page, with the same SortBy.")
    return tuple(place)
