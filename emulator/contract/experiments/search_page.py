"""The order and the pages of what Search has found.

Source: BC `SearchRequest`: by LastModifiedTime, the newest first, unless asked otherwise. Unconfirmed, and ours:
resources without the property come last in either order, numbers stand before texts, texts are ordered without
regard to case, a page has ten results unless asked otherwise, and TotalHits counts all that satisfy the expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, Final

from ..pages import place_in, token
from .search import satisfies
from .search_values import searchable, values

DEFAULT_MAX_RESULTS: Final = 10
ALL_OF_THEM: Final = 2**31
"""The MaxResults of one who wants no pages."""
_DEFAULT_SORT: Final = "LastModifiedTime"

_Key = tuple[int, float, str, str]
"""0 number, 1 text, 2 nothing; the number; the text; what tells equal ones apart."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One resource: what is sent, and a text that no other of its kind has."""

    identity: str
    document: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class SearchPage:
    """One page of results, how many there are in all, and the token of the next page if there is one."""

    results: tuple[Found, ...]
    total: int
    next_token: str | None


def search_page(resources: Iterable[Found], request: Mapping[str, Any]) -> SearchPage:
    """Return the page that a checked Search request asks for.

    Raises:
        ValidationError: the token is not one of ours.
    """
    expression = request.get("SearchExpression")
    visible = {one.get("Key", ""): one.get("Value", "") for one in request.get("VisibilityConditions", ())}
    sort_by = request.get("SortBy", _DEFAULT_SORT)
    descending = request.get("SortOrder", "Descending") == "Descending"
    keyed: list[tuple[_Key, Found]] = []
    for one in resources:
        looked_up = searchable(one.document)
        if (expression is None or satisfies(looked_up, expression)) and _is_visible(looked_up, visible):
            keyed.append((_key(looked_up, sort_by, one.identity), one))

    def order(left: tuple[_Key, Found], right: tuple[_Key, Found]) -> int:
        return _compared(left[0], right[0], descending=descending)

    keyed.sort(key=cmp_to_key(order))
    rest = keyed
    if "NextToken" in request:
        after = _key_in(request["NextToken"], sort_by)
        rest = [pair for pair in keyed if _compared(pair[0], after, descending=descending) > 0]
    size = request.get("MaxResults", DEFAULT_MAX_RESULTS)
    page = rest[:size]
    return SearchPage(
        results=tuple(one for _, one in page),
        total=len(keyed),
        next_token=token(sort_by, page[-1][0]) if len(rest) > size else None,
    )


def _is_visible(document: Mapping[str, Any], conditions: Mapping[str, str]) -> bool:
    """A resource with one of the keys must have its value; one without the key is shown (BC)."""
    return all(value in (found := values(document, key)) or not found for key, value in conditions.items())


def _key(document: Mapping[str, Any], sort_by: str, identity: str) -> _Key:
    found = values(document, sort_by)
    if not found:
        return 2, 0.0, "", identity
    first = found[0]
    if isinstance(first, str):
        return 1, 0.0, first.lower(), identity
    return 0, float(first), "", identity


def _compared(left: _Key, right: _Key, *, descending: bool) -> int:
    if 2 in (left[0], right[0]) and left[0] != right[0]:  # nothing comes last, in either order
        return -1 if left[0] < right[0] else 1
    order = (left > right) - (left < right)
    return -order if descending else order


def _key_in(text: str, sort_by: str) -> _Key:
    def is_key(place: object, number: object, word: object, identity: object) -> bool:
        texts = isinstance(word, str) and isinstance(identity, str)
        return place in (0, 1, 2) and isinstance(number, float) and texts

    place, number, word, identity = place_in(text, sort_by, is_key)
    return place, number, word, identity
