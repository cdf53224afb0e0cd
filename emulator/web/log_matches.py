"""The lines that have what is searched: how many, which one is looked at, its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from ..contract import log_merge
from ..contract.log_merge import Counts, Indexes, LinePlace
from ..storage.merged_log import MergedLine, MergedLog

LISTED: Final = 50


@dataclass(frozen=True, kw_only=True)
class Matches:
    """`number` counts from 1; it and the places are None where there is no such line. `lines` are around it."""

    total: int
    number: int | None = None
    place: str | None = None
    previous: str | None = None
    following: str | None = None
    lines: tuple[MergedLine, ...] = ()
    numbers: tuple[int, ...] = ()

    @classmethod
    def of(cls, log: MergedLog, searched: str, at: str) -> Self:
        """Search a log. One looks at the first match from a place on, or else at the first one."""
        found: Indexes = log.matching(searched)
        total = sum(map(len, found.values()))
        if not total:
            return cls(total=0)
        before = sum(log_merge.counts_before(found, LinePlace.parse(at)).values()) if at else 0
        number = min(before, total - 1)
        first = max(0, min(number - LISTED // 4, total - LISTED))
        lines = tuple(_lines(log, found, first))
        here = number - first
        return cls(
            total=total,
            number=number + 1,
            place=str(lines[here].place),
            previous=str(lines[here - 1].place) if here else None,
            following=str(lines[here + 1].place) if here + 1 < len(lines) else None,
            lines=lines,
            numbers=tuple(sum(log_merge.counts_before(log.indexes, line.place).values()) + 1 for line in lines),
        )


def _lines(log: MergedLog, found: Indexes, first: int) -> list[MergedLine]:
    """Return the listed matches from one on, by its number from 0 on."""
    starts: Counts = log_merge.counts_at_line(found, first + 1)
    stops = log_merge.onward(found, starts, LISTED)
    lines: list[MergedLine] = []
    for stream, index in found.items():
        for entry in index[starts[stream] : stops[stream]]:
            at = log_merge.counts_before(
                {stream: log.indexes[stream]}, LinePlace(entry.timestamp, stream, entry.offset)
            )
            lines += log.lines(at, {stream: at[stream] + 1})
    return sorted(lines, key=lambda line: line.place)
