"""Where a text is in a file of lines, in capitals or not: a hundred megabytes in a fraction of a second."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Final

_BLOCK: Final = 4 * 1024**2

Find = Callable[[bytes, int], int]


def positions(file: int, text: str) -> Iterator[int]:
    """Yield where the lines that have a text have it first, as offsets in the file."""
    find = _finder(text)
    offset, rest = 0, b""
    while block := os.pread(file, _BLOCK, offset + len(rest)):
        data = rest + block
        whole = data.rfind(b"\n") + 1
        for position in _positions(data[:whole] if whole else b"", find, text.isascii()):
            yield offset + position
        offset, rest = offset + whole, data[whole:]


def _positions(lines: bytes, find: Find, is_ascii: bool) -> Iterator[int]:
    searched = lines.lower() if is_ascii else lines
    position = find(searched, 0)
    while position >= 0:
        yield position
        end = searched.find(b"\n", position) + 1
        position = find(searched, end) if end else -1


def _finder(text: str) -> Find:
    """Return what finds a text in bytes; if it is ASCII, in bytes that are in lower case."""
    if text.isascii():
        needle = text.lower().encode()
        return lambda data, start: data.find(needle, start)
    alternatives = (
        b"|".join(re.escape(form.encode(errors="surrogatepass")) for form in {one, one.lower(), one.upper()})
        for one in text
    )
    pattern = re.compile(b"".join(b"(?:%b)" % forms for forms in alternatives))

    def find(data: bytes, start: int) -> int:
        match = pattern.search(data, start)
        return -1 if match is None else match.start()

    return find
