"""What gives the bytes of a version: from segments, or from the index."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from .model import Span
from .segments import CHUNK, Segments


@dataclass(frozen=True)
class Stretch:
    """A stretch of a segment."""

    name: str
    offset: int
    length: int


def stretches(segments: Sequence[tuple[str, int]], start: int, end: int) -> list[Stretch]:
    """Return where the bytes [start, end) of a sequence of (segment, size) lie."""
    found = []
    position = 0
    for name, size in segments:
        first, last = max(start - position, 0), min(end - position, size)
        if first < last:
            found.append(Stretch(name, first, last - first))
        position += size
    return found


class SegmentReader:
    """Reads stretches of segments, which stay as long as it is open."""

    def __init__(self, segments: Segments, wanted: Sequence[Stretch]) -> None:
        """Hold the segments.

        Raises:
            VersionGoneError: one was removed already.
        """
        self._file: int | None = None
        self._held: list[str] = []
        self._segments = segments
        names = [one.name for one in wanted]
        segments.hold(names)
        self._held = names
        self.spans = [Span(path=segments.path(one.name), offset=one.offset, length=one.length) for one in wanted]
        self._left = 0
        self._next = 0

    def __iter__(self) -> SegmentReader:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            self._begin_next()
        assert self._file is not None
        chunk = os.read(self._file, min(self._left, CHUNK))
        if not chunk:
            path = self.spans[self._next - 1].path
            self.close()
            raise OSError(f"The file {path} of the object store is shorter than it was written")
        self._left -= len(chunk)
        return chunk

    def __enter__(self) -> SegmentReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Servers close what they send, but a reader that was never begun may be forgotten.
        self._close_file()
        if self._held:
            self._segments.let_go_later(self._held)

    def close(self) -> None:
        """Let the segments go."""
        self._close_file()
        held, self._held = self._held, []
        self._next, self._left = len(held), 0
        if held:
            self._segments.let_go(held)

    def _begin_next(self) -> None:
        self._close_file()
        if not self._held or self._next >= len(self.spans):
            self.close()
            raise StopIteration
        span = self.spans[self._next]
        self._file = self._segments.open(self._held[self._next])
        if span.offset:
            os.lseek(self._file, span.offset, os.SEEK_SET)
        self._left = span.length
        self._next += 1

    def _close_file(self) -> None:
        if self._file is not None:
            descriptor, self._file = self._file, None
            os.close(descriptor)


class ContentReader:
    """Gives bytes that came out of the index: they need no file to stay."""

    spans: Sequence[Span] = ()

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> ContentReader:
        return self

    def __next__(self) -> bytes:
        if not self._content:
            raise StopIteration
        content, self._content = self._content, b""
        return content

    def __enter__(self) -> ContentReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget the bytes."""
        self._content = b""
