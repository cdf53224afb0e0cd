"""Lines of a log as a page has them, and what is above and below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from ..contract import log_merge
from ..contract.log_merge import Counts, counts_text
from ..storage.merged_log import MergedLine, MergedLog
from .log_choice import LogChoice
from .log_text import LONGEST_SHOWN, Segment, segments


@dataclass(frozen=True, kw_only=True)
class ShownLine:
    """A line as a page has it; of a longer one the beginning, and the length of all in characters."""

    place: str
    number: int
    time: str
    moment: str
    host: str
    color: int
    segments: list[Segment]
    length: int | None


@dataclass(frozen=True, kw_only=True)
class Window:
    """A stretch of a log, and what is above and below it."""

    lines: list[ShownLine]
    has_older: bool
    has_newer: bool
    stops: str


def window(choice: LogChoice, log: MergedLog, starts: Counts, stops: Counts, searched: str) -> Window:
    """Return the lines from a place to another one, with what is searched marked."""
    first = sum(starts.values()) + 1
    end = log_merge.ends(log.indexes)
    return Window(
        lines=shown_lines(choice, log.lines(starts, stops), count(first), searched),
        has_older=first > 1,
        has_newer=sum(stops.values()) < sum(end.values()),
        stops=counts_text(stops),
    )


def shown_lines(
    choice: LogChoice, found: Iterable[MergedLine], numbers: Iterable[int], searched: str
) -> list[ShownLine]:
    """Return lines as a page has them, under these numbers."""
    colors = {one.id: number % 6 for number, one in enumerate(choice.streams)}
    hosts = choice.hosts if len(choice.streams) > 1 else {}
    return [_shown_line(one, number, hosts, colors, searched) for number, one in zip(numbers, found, strict=False)]


def _shown_line(
    one: MergedLine, number: int, hosts: Mapping[str, str], colors: Mapping[int, int], searched: str
) -> ShownLine:
    event = one.event
    at = moment_of(event.timestamp)
    is_longer = len(event.message) > LONGEST_SHOWN
    return ShownLine(
        place=str(one.place),
        number=number,
        time=at[11:-1],
        moment=at,
        host=hosts.get(one.stream.name, ""),
        color=colors.get(one.stream.id, 0),
        segments=segments(event.message[:LONGEST_SHOWN] if is_longer else event.message, searched),
        length=len(event.message) if is_longer else None,
    )


def moment_of(milliseconds: int) -> str:
    """Return a time as an ISO text; clients write any number."""
    seconds, rest = divmod(milliseconds, 1000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
    except (ValueError, OverflowError, OSError):
        return f"0000-00-00T{milliseconds}Z"
