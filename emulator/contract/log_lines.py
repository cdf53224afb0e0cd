"""A container's two output streams become log events: one event a line.

Source: events of real jobs (tabs arrive as #011, carriage returns as #015, colour codes as #033) and
CloudWatch Logs' limit of 256 KiB an event, 26 bytes of which are its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

LONGEST_EVENT_BYTES: Final = 256 * 1024 - 26

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class LineAssembler:
    """Joins chunks of bytes into lines, each output stream on its own.

    Lines come out in the order in which they were completed. Bytes that are no UTF-8 become U+FFFD.
    """

    def __init__(self, longest: int = LONGEST_EVENT_BYTES) -> None:
        self._longest = longest
        self._pending: dict[str, bytes] = {}

    def feed(self, stream: str, chunk: bytes) -> Iterator[str]:
        """Yield the lines that this chunk completes, without their newline."""
        *complete, rest = (self._pending.pop(stream, b"") + chunk).split(b"\n")
        for line in complete:
            yield from self._pieces(line)
        while len(rest) > self._longest:
            piece, rest = _cut(rest, self._longest)
            yield _decoded(piece)
        if rest:
            self._pending[stream] = rest

    def finish(self) -> Iterator[str]:
        """Yield what the streams left without a newline at their end."""
        for rest in self._pending.values():
            yield from self._pieces(rest)
        self._pending.clear()

    def _pieces(self, line: bytes) -> Iterator[str]:
        while len(line) > self._longest:
            piece, line = _cut(line, self._longest)
            yield _decoded(piece)
        yield _decoded(line)


def event_message(line: str) -> str:
    """Return the line as the log shows it: control characters as # and three octal digits.

    An event must not be empty, so an empty line is a space (unconfirmed).
    """
    return _CONTROL.sub(lambda match: f"#{ord(match[0]):03o}", line) or " "


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")


def _cut(line: bytes, size: int) -> tuple[bytes, bytes]:
    """Cut at most `size` bytes off, not inside a UTF-8 character."""
    end = size
    while end > size - 4 and end < len(line) and line[end] & 0xC0 == 0x80:
        end -= 1
    return line[:end], line[end:]
