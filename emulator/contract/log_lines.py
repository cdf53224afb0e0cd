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
            yield from map(_decoded, _pieces(line, self._longest))
        *full, rest = _pieces(rest, self._longest)
        yield from map(_decoded, full)
        if rest:
            self._pending[stream] = rest

    def finish(self) -> Iterator[str]:
        """Yield what the streams left without a newline at their end."""
        for rest in self._pending.values():
            yield from map(_decoded, _pieces(rest, self._longest))
        self._pending.clear()


def event_messages(line: str, longest: int = LONGEST_EVENT_BYTES) -> Iterator[str]:
    """Yield the line as the log shows it: control characters as # and three octal digits.

    That makes the line longer, so that it may need several events. An event must not be empty: an
    empty line is a space (unconfirmed).
    """
    shown = _CONTROL.sub(lambda match: f"#{ord(match[0]):03o}", line) or " "
    return (_decoded(piece) for piece in _pieces(shown.encode(), longest))


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")


def _pieces(line: bytes, longest: int) -> Iterator[bytes]:
    """Cut into pieces of at most `longest` bytes, not inside a UTF-8 character; an empty line is one."""
    while len(line) > longest:
        end = longest
        while end > longest - 4 and line[end] & 0xC0 == 0x80:
            end -= 1
        yield line[:end]
        line = line[end:]
    yield line
