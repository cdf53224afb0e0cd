"""Log streams, and GetLogEvents: which events a page has, and the tokens that lead on from it.

Source: the operation's documentation in botocore, and what the SDKs do with it. A token is never null;
at an end it is the one that was sent. Ours name a place between two events, so that they stay valid while
events are added, also across a restart. Real ones expire after 24 hours.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from .log_groups import EVENT_OVERHEAD, invalid_token

MOST_EVENTS: Final = 10_000
LARGEST_PAGE_BYTES: Final = 1024**2

_TOKEN: Final = re.compile(r"([fb])/([0-9]{20})([0-9]{36})")


class LogStream(NamedTuple):
    """What is known of a stream without reading it; times in epoch milliseconds, None while it is empty."""

    id: int
    group: str
    name: str
    created: int
    first_event: int | None
    last_event: int | None
    last_ingested: int | None
    size: int


class IndexEntry(NamedTuple):
    """Where a stored event lies: times in epoch milliseconds, the message's place and length in bytes.

    The index of a stream is sorted by timestamp, then offset: events of one millisecond keep the order in
    which they were written.
    """

    timestamp: int
    ingested: int
    offset: int
    length: int


class Place(NamedTuple):
    """A place between events: before the first one that is at it or after it."""

    timestamp: int
    offset: int


START: Final = Place(0, 0)


@dataclass(frozen=True, kw_only=True)
class EventQuery:
    """A GetLogEvents request, read: from `start_time` on, before `end_time`.

    `place` comes from a token; forward means the events after it. Without a token reading starts at the
    head, or, backward, at the newest event.
    """

    start_time: int = 0
    end_time: int | None = None
    limit: int = MOST_EVENTS
    forward: bool = False
    place: Place | None = None


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """A page: the entries, and the places before and after them."""

    entries: Sequence[IndexEntry]
    before: Place
    after: Place

    @property
    def backward_token(self) -> str:
        """The token of the events before this page."""
        return f"b/{self.before.timestamp:020d}{self.before.offset:036d}"

    @property
    def forward_token(self) -> str:
        """The token of the events after this page."""
        return f"f/{self.after.timestamp:020d}{self.after.offset:036d}"


def read_token(token: str) -> tuple[bool, Place]:
    """Return whether a token leads forward, and from where.

    Raises:
        ServiceError: it is not one of ours.
    """
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise invalid_token()
    return match[1] == "f", Place(int(match[2]), int(match[3]))


def page_of(index: Sequence[IndexEntry], query: EventQuery) -> EventPage:
    """Return the page that a query asks for; always oldest first, at least one event if there is any."""
    low = at(index, Place(query.start_time, 0))
    high = len(index) if query.end_time is None else max(low, at(index, Place(query.end_time, 0)))
    here = None if query.place is None else min(max(low, at(index, query.place)), high)
    if query.forward:
        start = low if here is None else here
        entries = index[start : min(start + query.limit, high)]
        entries = entries[: _fitting(entries)]
    else:
        stop = high if here is None else here
        start = max(low, stop - query.limit)
        entries = index[start:stop]
        entries = entries[len(entries) - _fitting(reversed(entries)) :]
    if entries:
        return EventPage(entries=entries, before=_before(entries[0]), after=after(entries[-1]))
    place = query.place or (after(index[start - 1]) if start else START)
    return EventPage(entries=(), before=place, after=place)


def at(index: Sequence[IndexEntry], place: Place) -> int:
    """Return the number of events that are before a place."""
    return bisect_left(index, place, key=_before)


def after(entry: IndexEntry) -> Place:
    """Return the place right after an event."""
    return Place(entry.timestamp, entry.offset + 1)


def _before(entry: IndexEntry) -> Place:
    return Place(entry.timestamp, entry.offset)


def _fitting(entries: Iterable[IndexEntry]) -> int:
    """Return how many of the first entries fit into one answer: at least one."""
    size = count = 0
    for entry in entries:
        size += entry.length + EVENT_OVERHEAD
        if size > LARGEST_PAGE_BYTES and count:
            break
        count += 1
    return count
