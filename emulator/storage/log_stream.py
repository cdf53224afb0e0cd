"""One log stream on disk: `NAME.log` has the messages, one a line; `NAME.idx` says where they are.

The index has records of one size, so that any event is found by its number and any time by halving. An
event counts as soon as its record is whole: the message is written first. What a killed process left
behind its last whole record is cut off when the stream is next opened for writing, and never read.
"""

from __future__ import annotations

import os
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby, islice
from operator import gt
from pathlib import Path
from typing import Final, NamedTuple, Self, overload

from ..contract.log_pages import EventPage, EventQuery, IndexEntry, Place, at, page_of
from .text_search import positions

_ASIDE: Final = ".tmp"
_RECORD: Final = struct.Struct("<qqQI")
_OFFSET: Final = struct.Struct("<16xQ4x")
"""A record of which only the message's place is wanted."""
_BLOCK: Final = 1000
# Messages that lie this much apart are read one by one.
_LARGEST_SPAN: Final = 8 * 1024**2
# A message of a client may have code units that are no characters; they come back as they went in.
_SURROGATES: Final = "surrogatepass"


class Event(NamedTuple):
    """A stored event; times in epoch milliseconds, `offset` tells it from others of its time."""

    timestamp: int
    ingested: int
    offset: int
    message: str


class Figures(NamedTuple):
    """What there is to know of a stream without reading it; times are None while it is empty."""

    first_event: int | None
    last_event: int | None
    last_ingested: int | None
    size: int


def data_file(base: Path) -> Path:
    """Return the file of a stream's messages."""
    return base.with_name(f"{base.name}.log")


def index_file(base: Path) -> Path:
    """Return the file of a stream's index."""
    return base.with_name(f"{base.name}.idx")


class StreamWriter:
    """Appends to a stream. One writer at a time; readers need not know of it."""

    def __init__(self, base: Path) -> None:
        """Open the files, make them if they are not there, and cut off what is not whole."""
        base.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._index_path = index_file(base)
        self._index_path.with_suffix(_ASIDE).unlink(missing_ok=True)
        self._data = _open(data_file(base), os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            self._index = _open(self._index_path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except BaseException:
            os.close(self._data)
            raise
        entries = _Index(self._index)
        size = os.fstat(self._data).st_size
        count = len(entries)
        while count and _end(entries[count - 1]) > size:
            count -= 1
        os.ftruncate(self._index, count * _RECORD.size)
        entries = _Index(self._index)
        if not count or _end(entries[-1]) != size:
            # The newest event is not the last one in time if a client wrote older ones.
            size = max((_end(entry) for entry in entries), default=0)
            os.ftruncate(self._data, size)
        self._size = size
        self._count = count
        self.figures = Figures(
            first_event=entries[0].timestamp if count else None,
            last_event=entries[-1].timestamp if count else None,
            last_ingested=max(entries[0].ingested, entries[-1].ingested) if count else None,
            size=size,
        )

    def append(self, events: Sequence[tuple[int, str]], ingested: int) -> None:
        """Add events (epoch milliseconds, message), in order of time.

        Raises:
            OSError: they could not be written; the stream is as it was before.
        """
        entries, data, offset = [], bytearray(), self._size
        for timestamp, message in events:
            raw = message.encode(errors=_SURROGATES)
            entries.append(IndexEntry(timestamp, ingested, offset, len(raw)))
            data += raw
            data += b"\n"
            offset += len(raw) + 1
        if not entries:
            return
        last_event = self.figures.last_event
        try:
            _write_all(self._data, data)
            if last_event is None or entries[0].timestamp >= last_event:
                _write_all(self._index, _packed(entries))
            else:
                self._insert(entries)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(self._index, self._count * _RECORD.size)
                os.ftruncate(self._data, self._size)
            raise
        first_event = self.figures.first_event
        self._size, self._count = offset, self._count + len(entries)
        self.figures = Figures(
            first_event=entries[0].timestamp if first_event is None else min(first_event, entries[0].timestamp),
            last_event=max(last_event or 0, entries[-1].timestamp),
            last_ingested=ingested,
            size=offset,
        )

    def close(self) -> None:
        """Close the files."""
        os.close(self._index)
        os.close(self._data)

    def _insert(self, entries: list[IndexEntry]) -> None:
        """Bring events that are older than the newest one to their places: a new index, then published."""
        existing = _Index(self._index)
        start = at(existing, Place(entries[0].timestamp, entries[0].offset))
        tail = sorted([*existing[start:], *entries])
        aside = self._index_path.with_suffix(_ASIDE)
        index = _open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        try:
            _write_all(index, os.pread(self._index, start * _RECORD.size, 0))
            _write_all(index, _packed(tail))
            aside.replace(self._index_path)
        except BaseException:
            os.close(index)
            raise
        self._index, old = index, self._index
        os.close(old)


class StreamReader:
    """What a stream has at the moment when this is made. Use it as a context."""

    def __init__(self, base: Path) -> None:
        """Open the stream; one that nothing was written to has no files, and no events."""
        self._files: list[int] = []
        self.index: Sequence[IndexEntry] = ()
        try:
            self._files.append(_open(data_file(base), os.O_RDONLY))
            self._files.append(_open(index_file(base), os.O_RDONLY))
        except FileNotFoundError:
            return
        size = os.fstat(self._files[0]).st_size
        index = _Index(self._files[1])
        while index and _end(index[-1]) > size:
            index.shorten()
        self.index = index

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        while self._files:
            os.close(self._files.pop())

    def page(self, query: EventQuery) -> tuple[EventPage, list[Event]]:
        """Return a page, and its events."""
        page = page_of(self.index, query)
        return page, list(self._read(page.entries))

    def events(self, start: int, stop: int) -> Iterator[Event]:
        """Yield events by their numbers, in order of time."""
        for first in range(start, stop, _BLOCK):
            yield from self._read(self.index[first : min(first + _BLOCK, stop)])

    def matching(self, text: str) -> array[int]:
        """Return the numbers of the events that have a text in them, in capitals or not.

        The messages are searched as they lie on the disk; the index is read only if something was found.
        """
        numbers = array("Q")
        if not self.index or not text:
            return numbers
        found = list(positions(self._files[0], text))
        if not found:
            return numbers
        raw = os.pread(self._files[1], len(self.index) * _RECORD.size, 0)
        offsets = [offset for (offset,) in _OFFSET.iter_unpack(raw)]
        # They lie in order of time, unless a client has written older ones.
        order: Sequence[int] = range(len(offsets))
        if any(map(gt, offsets, islice(offsets, 1, None))):
            order = sorted(order, key=offsets.__getitem__)
            offsets.sort()
        end = _end(self.index[order[-1]])
        places = (bisect_right(offsets, position) - 1 for position in found if position < end)
        numbers.extend(order[place] for place, _ in groupby(places))
        return numbers if isinstance(order, range) else array("Q", sorted(numbers))

    def _read(self, entries: Sequence[IndexEntry]) -> Iterator[Event]:
        if not entries:
            return
        data = self._files[0]
        begin = min(entry.offset for entry in entries)
        span = max(_end(entry) for entry in entries) - begin
        block = os.pread(data, span, begin) if span <= _LARGEST_SPAN else None
        for timestamp, ingested, offset, length in entries:
            if block is None:
                raw = os.pread(data, length, offset)
            else:
                raw = block[offset - begin : offset - begin + length]
            yield Event(timestamp, ingested, offset, raw.decode(errors=_SURROGATES))


class _Index(Sequence[IndexEntry]):
    """The records of an index file, read when they are asked for."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._count = os.fstat(file).st_size // _RECORD.size

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, which: int) -> IndexEntry: ...
    @overload
    def __getitem__(self, which: slice) -> Sequence[IndexEntry]: ...
    def __getitem__(self, which: int | slice) -> IndexEntry | Sequence[IndexEntry]:
        if isinstance(which, slice):
            start, stop, _ = which.indices(self._count)
            raw = os.pread(self._file, max(0, stop - start) * _RECORD.size, start * _RECORD.size)
            return list(map(IndexEntry._make, _RECORD.iter_unpack(raw)))
        number = which + self._count if which < 0 else which
        if not 0 <= number < self._count:
            raise IndexError(which)
        return IndexEntry._make(_RECORD.unpack(os.pread(self._file, _RECORD.size, number * _RECORD.size)))

    def __iter__(self) -> Iterator[IndexEntry]:
        for start in range(0, self._count, _BLOCK):
            yield from self[start : start + _BLOCK]

    def shorten(self) -> None:
        """Leave the last record out."""
        self._count -= 1


def _open(path: Path, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _packed(entries: Sequence[IndexEntry]) -> bytes:
    return b"".join(_RECORD.pack(*entry) for entry in entries)


def _end(entry: IndexEntry) -> int:
    """Return where the next message may begin: behind the newline."""
    return entry.offset + entry.length + 1


def _write_all(file: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
