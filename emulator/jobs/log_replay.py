"""Tells which lines of a container's whole output were published before the emulator was killed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


class Replay:
    """Compares what was published with what an engine says a container has written since its start.

    Both have the same messages, and the published ones are the first; but the engine may have put the
    lines of the two output streams into another order, and may show bytes that are no UTF-8 otherwise.
    So the two are walked side by side, and what one has and the other has not yet is remembered.
    """

    def __init__(self, published: Iterator[str]) -> None:
        self._published = published
        self._ahead: Counter[str] = Counter()  # published, and not seen in the output yet
        self._behind: list[str] = []  # seen in the output, and not among the published so far

    def unpublished(self, message: str) -> list[str]:
        """Take the next message of the output; return those that are known to be unpublished, in order."""
        key = _key(message)
        if self._ahead[key] > 0:
            self._ahead[key] -= 1
        else:
            self._behind.append(message)
        if self._behind and not self._next_published():
            found, self._behind = self._behind, []
            return found
        return []

    def rest(self) -> list[str]:
        """Return what was waiting for its match when the output ended."""
        while self._behind and self._next_published():
            pass
        found, self._behind = self._behind, []
        return found

    def _next_published(self) -> bool:
        """Match one more published message; False when there are no more."""
        published = next(self._published, None)
        if published is None:
            return False
        key = _key(published)
        for place, message in enumerate(self._behind):
            if _key(message) == key:
                del self._behind[place]
                return True
        self._ahead[key] += 1
        return True


def _key(message: str) -> str:
    """Return what of a message is the same however it came here."""
    return _NOT_ASCII.sub("", message)
