"""An object, or what is packed in it, as a file to read: a little at a time, below limits."""

from __future__ import annotations

import time
import zlib
from typing import Final, Protocol

from ...storage.objects.model import ObjectStore, ObjectVersion

WINDOW: Final = 256 * 1024
# A whole file system may be packed in a few kilobytes; a person waits for some seconds.
MOST_UNPACKED: Final = 4 * 1024**3
SECONDS: Final = 5.0
_GZIP: Final = 31  # zlib's way to ask for gzip's framing


class UnreadableError(Exception):
    """Content is not what it looks like, or too much of it; the text is a sentence for a person."""


class Budget:
    """How much may be unpacked, and for how long, for one answer."""

    def __init__(self, most_bytes: int = MOST_UNPACKED, seconds: float = SECONDS) -> None:
        self._left = most_bytes
        self._most = most_bytes
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def spend(self, count: int) -> None:
        """Account for bytes.

        Raises:
            UnreadableError: there were too many, or it took too long.
        """
        self._left -= count
        if self._left < 0:
            raise UnreadableError(
                f"It unpacks to more than {self._most / 1024**2:.0f} MiB. Download it to see the rest."
            )
        if time.monotonic() > self._deadline:
            raise UnreadableError(f"Reading was given up after {self._seconds:g} s. Download it to see the rest.")


class Source(Protocol):
    """Bytes in order."""

    def read(self, size: int) -> bytes:
        """Return this many bytes; fewer at the end."""

    def skip(self, count: int) -> None:
        """Go on without returning anything."""


class ObjectFile:
    """A version's bytes as a file. Only windows around what is read are fetched."""

    def __init__(self, objects: ObjectStore, version: ObjectVersion, budget: Budget) -> None:
        self._objects = objects
        self._version = version
        self._budget = budget
        self._position = 0
        self._window = b""
        self._window_start = 0
        self.size = version.size

    def read(self, size: int = -1) -> bytes:
        """Return this many bytes, which are held at once; fewer at the end."""
        wanted = self.size - self._position if size < 0 else size
        end = min(self._position + wanted, self.size)
        if end <= self._position:
            return b""
        start = self._position - self._window_start
        if not 0 <= start <= start + end - self._position <= len(self._window):
            self._fetch(max(end, self._position + WINDOW))
            start = 0
        found = self._window[start : start + end - self._position]
        self._position += len(found)
        return found

    def skip(self, count: int) -> None:
        self._position += count

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place; nothing is read."""
        base = (0, self._position, self.size)[whence]
        if base + offset < 0:
            raise OSError(f"there is no place {base + offset} in it")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True

    def _fetch(self, end: int) -> None:
        self._budget.spend(0)
        with self._objects.read(self._version, self._position, min(end, self.size)) as reader:
            self._window = b"".join(reader)
        self._window_start = self._position


class Inflated:
    """What a gzip file unpacks to, with the members of one that has several behind each other."""

    def __init__(self, packed: ObjectFile, budget: Budget) -> None:
        self._packed = packed
        self._budget = budget
        self._inflater = zlib.decompressobj(_GZIP)
        self._waiting = b""
        self._has_begun = False

    def read(self, size: int) -> bytes:
        """Return this many bytes; fewer at the end.

        Raises:
            UnreadableError: it is damaged, or the budget is spent.
        """
        pieces, missing = [], size
        while missing > 0 and (piece := self._some(min(missing, WINDOW))):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> None:
        while count > 0 and (piece := self._some(min(count, WINDOW))):
            count -= len(piece)

    def _some(self, most: int) -> bytes:
        while True:
            if self._inflater.eof and not self._next_member():
                return b""
            packed = self._inflater.unconsumed_tail or self._waiting or self._packed.read(WINDOW)
            self._waiting = b""
            try:
                found = self._inflater.decompress(packed, most)
            except zlib.error as error:
                raise UnreadableError(f"The gzip data is damaged ({_reason(error)}).") from error
            self._budget.spend(len(found))
            if found:
                return found
            if not packed and not self._inflater.eof:
                raise UnreadableError("The gzip data ends in the middle: the file was cut off.")

    def _next_member(self) -> bool:
        rest = self._inflater.unused_data.lstrip(b"\0") or self._packed.read(WINDOW).lstrip(b"\0")
        if not rest.startswith(b"\x1f\x8b"):  # what follows the data is no part of it
            return False
        self._waiting = rest
        self._inflater = zlib.decompressobj(_GZIP)
        return True


def inflated_head(head: bytes, most: int) -> bytes:
    """Return how the data begins that a gzip file's first bytes unpack to; nothing if they are damaged."""
    try:
        return zlib.decompressobj(_GZIP).decompress(head, most)
    except zlib.error:
        return b""


def _reason(error: Exception) -> str:
    return str(error).rpartition(": ")[2] or type(error).__name__
