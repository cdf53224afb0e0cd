"""FilterLogEvents: the events of many streams, merged by time, from any place on."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from typing import Final, NamedTuple

from ..contract.log_groups import EVENT_OVERHEAD, invalid_token
from ..contract.log_pages import LARGEST_PAGE_BYTES, LogStream, Place, at
from .log_stream import Event, StreamReader

# One answer looks at so many events; if few of them match it is short, and has a token.
MOST_LOOKED_AT: Final = 50_000

_TOKEN: Final = re.compile(r"([0-9]{20})([0-9]{20})([0-9]{36})")


class Found(NamedTuple):
    """An event and the stream it is in."""

    stream: LogStream
    event: Event

    @property
    def id(self) -> str:
        """56 digits, different for each event."""
        return f"{self.event.timestamp:016d}{self.stream.id:016d}{self.event.offset:024d}"


class SearchPlace(NamedTuple):
    """An event's place among all: those of one millisecond are by stream, then as they were written."""

    timestamp: int = 0
    stream: int = 0
    offset: int = 0

    @property
    def token(self) -> str:
        """The token with which a search goes on here."""
        return f"{self.timestamp:020d}{self.stream:020d}{self.offset:036d}"

    @classmethod
    def of_token(cls, token: str) -> SearchPlace:
        """Read a token.

        Raises:
            ServiceError: it is not one of ours.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise invalid_token()
        return cls(*map(int, match.groups()))


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched: from `start_time` to `end_time`, both included, from a place on."""

    matches: Callable[[str], bool]
    start_time: int
    end_time: int | None
    limit: int
    place: SearchPlace


def search(
    streams: Sequence[LogStream], reader: Callable[[LogStream], StreamReader], wanted: Search
) -> tuple[list[Found], SearchPlace | None]:
    """Return the events of one answer, and where the next one begins; None when all was searched."""
    found: list[Found] = []
    size = 0
    for looked_at, (place, one) in enumerate(_merged(streams, reader, wanted)):
        if len(found) >= wanted.limit or looked_at >= MOST_LOOKED_AT:
            return found, place
        if wanted.matches(one.event.message):
            size += len(one.event.message.encode(errors="surrogatepass")) + EVENT_OVERHEAD
            if found and size > LARGEST_PAGE_BYTES:
                return found, place
            found.append(one)
    return found, None


def _merged(
    streams: Sequence[LogStream], reader: Callable[[LogStream], StreamReader], wanted: Search
) -> Iterator[tuple[SearchPlace, Found]]:
    """Yield events in order. A stream is opened when its first event is due, so that few are open at a time."""
    waiting = deque(
        sorted(
            (one for one in streams if (one.last_event or 0) >= wanted.place.timestamp),
            key=lambda one: one.first_event or 0,
        )
    )
    running: list[tuple[SearchPlace, Found, Iterator[tuple[SearchPlace, Found]]]] = []
    while running or waiting:
        while waiting and (not running or (waiting[0].first_event or 0) <= running[0][0].timestamp):
            stream = waiting.popleft()
            events = _events(stream, reader(stream), wanted)
            if (first := next(events, None)) is not None:
                heappush(running, (*first, events))
        if not running:
            break
        place, one, events = running[0]
        yield place, one
        if (following := next(events, None)) is not None:
            heapreplace(running, (*following, events))
        else:
            heappop(running)


def _events(stream: LogStream, reader: StreamReader, wanted: Search) -> Iterator[tuple[SearchPlace, Found]]:
    with reader:
        place = wanted.place
        if stream.id == place.stream:
            here = Place(place.timestamp, place.offset)
        else:  # of the place's own millisecond, streams before its stream are done, and those behind it are not
            here = Place(place.timestamp + (stream.id < place.stream), 0)
        start = at(reader.index, max(here, Place(wanted.start_time, 0)))
        stop = len(reader.index) if wanted.end_time is None else at(reader.index, Place(wanted.end_time + 1, 0))
        for event in reader.events(start, stop):
            yield SearchPlace(event.timestamp, stream.id, event.offset), Found(stream, event)
