"""Several log streams, opened as one log in order of time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from heapq import merge
from typing import Final, NamedTuple, Self

from ..contract.log_merge import Counts, Indexes, LinePlace, Selected
from ..contract.log_pages import LogStream
from .log_stream import Event, StreamReader

_SEARCHES_KEPT: Final = 400
"""Of one stream each: a view may have a hundred."""


class MergedLine(NamedTuple):
    """An event of a log, and its stream."""

    stream: LogStream
    event: Event

    @property
    def place(self) -> LinePlace:
        """Where it is among the lines of all streams."""
        return LinePlace(self.event.timestamp, self.stream.id, self.event.offset)


class LastSearches:
    """What the last searches found, as one goes from match to match. A stream that has grown is searched anew."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[int, int, str], Sequence[int]] = OrderedDict()
        self._lock = threading.Lock()

    def matching(self, stream: LogStream, reader: StreamReader, text: str) -> Sequence[int]:
        """Return the numbers of the events that have a text in them, in capitals or not."""
        key = (stream.id, len(reader.index), text)
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
        if found is None:
            found = reader.matching(text)
            with self._lock:
                self._found[key] = found
                while len(self._found) > _SEARCHES_KEPT:
                    self._found.popitem(last=False)
        return found


class MergedLog:
    """What the streams have at the moment when this is made. Use it as a context."""

    def __init__(
        self, streams: Iterable[LogStream], reader: Callable[[LogStream], StreamReader], searches: LastSearches
    ) -> None:
        self._searches = searches
        self._open = ExitStack()
        self._streams: dict[int, tuple[LogStream, StreamReader]] = {}
        with ExitStack() as opened:
            for stream in streams:
                self._streams[stream.id] = (stream, opened.enter_context(reader(stream)))
            self._open = opened.pop_all()
        self.indexes: Indexes = {number: reader.index for number, (_, reader) in self._streams.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._open.close()

    def lines(self, starts: Counts, stops: Counts) -> Iterator[MergedLine]:
        """Yield the lines between two places, in order."""
        each = (self._lines_of(number, starts.get(number, 0), stops.get(number, 0)) for number in self._streams)
        return merge(*each, key=lambda line: line.place)

    def matching(self, text: str) -> dict[int, Selected]:
        """Return the indexes of the lines that have a text in them, in capitals or not."""
        return {
            number: Selected(reader.index, self._searches.matching(stream, reader, text))
            for number, (stream, reader) in self._streams.items()
        }

    def _lines_of(self, number: int, start: int, stop: int) -> Iterator[MergedLine]:
        stream, reader = self._streams[number]
        return (MergedLine(stream, event) for event in reader.events(start, stop))
