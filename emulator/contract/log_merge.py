"""Several log streams as one log: its lines are in order of time, those of one millisecond by stream, then as written.

A stretch of such a log is, for each stream, a range of its events. So a place in it is told by counts, how many events
of each stream come before it, and reading a stretch takes each stream's own index and nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, Self, overload

from .log_groups import invalid_parameter
from .log_pages import IndexEntry, Place, at

_LINE: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,18})")
_COUNTS: Final = re.compile(r"[0-9]{1,18}\.[0-9]{1,18}(?:_[0-9]{1,18}\.[0-9]{1,18})*")

Indexes = Mapping[int, Sequence[IndexEntry]]
"""The sorted index of each stream, by the stream's id."""
Counts = Mapping[int, int]
"""How many events of each stream come before a place. A stream that is not named has none there."""


class LinePlace(NamedTuple):
    """The place of one event among those of all streams; it stays valid while they grow."""

    timestamp: int
    stream: int
    offset: int

    def __str__(self) -> str:
        """As it stands in an address."""
        return f"{self.timestamp}-{self.stream}-{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it from an address.

        Raises:
            ServiceError: it is no such place.
        """
        match = _LINE.fullmatch(text)
        if match is None:
            raise invalid_parameter(f"{text!r} is no place in a log. Open the log anew.")
        return cls(*map(int, match.groups()))


def counts_text(counts: Counts) -> str:
    """Return counts as they stand in an address: `ID.COUNT_ID.COUNT`."""
    return "_".join(f"{stream}.{count}" for stream, count in sorted(counts.items()))


def parse_counts(text: str) -> dict[int, int]:
    """Read counts from an address.

    Raises:
        ServiceError: they are none.
    """
    if not text:
        return {}
    if _COUNTS.fullmatch(text) is None:
        raise invalid_parameter(f"{text[:100]!r} is no place in a log. Open the log anew.")
    return {int(stream): int(count) for stream, count in (one.split(".") for one in text.split("_"))}


def ends(indexes: Indexes) -> dict[int, int]:
    """Return the counts of the log's end."""
    return {stream: len(index) for stream, index in indexes.items()}


def counts_before(indexes: Indexes, place: LinePlace) -> dict[int, int]:
    """Return the counts at a line: what comes before it, without the line itself."""
    return {stream: at(index, _own_place(stream, place)) for stream, index in indexes.items()}


def counts_at_time(indexes: Indexes, milliseconds: int) -> dict[int, int]:
    """Return the counts of the first event that is not older."""
    return {stream: at(index, Place(milliseconds, 0)) for stream, index in indexes.items()}


def back(indexes: Indexes, counts: Counts, lines: int) -> dict[int, int]:
    """Return the counts of a place that many lines above another; the log's beginning if there are fewer."""
    stops = _within(indexes, counts)
    newest = [
        LinePlace(entry.timestamp, stream, entry.offset)
        for stream, index in indexes.items()
        for entry in index[max(0, stops[stream] - lines) : stops[stream]]
    ]
    taken = Counter(place.stream for place in islice(sorted(newest, reverse=True), lines))
    return {stream: stop - taken[stream] for stream, stop in stops.items()}


def onward(indexes: Indexes, counts: Counts, lines: int) -> dict[int, int]:
    """Return the counts of a place that many lines below another; the log's end if there are fewer."""
    starts = _within(indexes, counts)
    oldest = [
        LinePlace(entry.timestamp, stream, entry.offset)
        for stream, index in indexes.items()
        for entry in index[starts[stream] : starts[stream] + lines]
    ]
    taken = Counter(place.stream for place in islice(sorted(oldest), lines))
    return {stream: start + taken[stream] for stream, start in starts.items()}


def counts_at_line(indexes: Indexes, number: int) -> dict[int, int]:
    """Return the counts at a line by its number, from 1 on; the log's end if it has fewer lines."""
    before = max(0, number - 1)
    if before >= sum(map(len, indexes.values())):
        return ends(indexes)
    newest = max((index[-1].timestamp for index in indexes.values() if index), default=0)
    # The last millisecond at which no more than the lines above have been.
    moment = bisect_left(range(newest + 1), True, key=lambda time: _lines_at(indexes, time) > before) - 1
    counts = counts_at_time(indexes, max(0, moment))
    return onward(indexes, counts, before - sum(counts.values()))


@dataclass(frozen=True)
class Selected(Sequence[IndexEntry]):
    """The events of an index that have these numbers, in order: an index itself."""

    whole: Sequence[IndexEntry]
    numbers: Sequence[int]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.numbers)

    @overload
    def __getitem__(self, which: int) -> IndexEntry: ...
    @overload
    def __getitem__(self, which: slice) -> Sequence[IndexEntry]: ...
    def __getitem__(self, which: int | slice) -> IndexEntry | Sequence[IndexEntry]:
        """Return one, or some."""
        if isinstance(which, slice):
            return [self.whole[number] for number in self.numbers[which]]
        return self.whole[self.numbers[which]]


def _lines_at(indexes: Indexes, milliseconds: int) -> int:
    return sum(counts_at_time(indexes, milliseconds).values())


def _own_place(stream: int, place: LinePlace) -> Place:
    if stream == place.stream:
        return Place(place.timestamp, place.offset)
    return Place(place.timestamp + (stream < place.stream), 0)


def _within(indexes: Indexes, counts: Counts) -> dict[int, int]:
    return {stream: min(counts.get(stream, 0), len(index)) for stream, index in indexes.items()}
