"""How a line of a log is shown: as text whatever is in it, without colour codes, with what is searched marked."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from .unseen import UNSEEN

LONGEST_SHOWN: Final = 1000
"""Characters; of a longer line the rest is shown when it is asked for."""

# Colours and cursor movements, as terminals take them and as SageMaker's logs write them (#033 for the escape).
_TERMINAL: Final = re.compile(
    r"(?:\x1b|#033)(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*?(?:\x07|\x1b\\|#007|#033\\))|\x1b[@-Z\\^_]"
)


class Segment(NamedTuple):
    """A piece of a line; `mark` is "match" for searched text, "unseen" for the name of a character, else empty."""

    mark: str
    text: str


def segments(message: str, searched: str) -> list[Segment]:
    """Return the pieces of a line."""
    text = _TERMINAL.sub("", message)
    found: list[Segment] = []
    end = 0
    for match in _pattern(searched).finditer(text):
        if match.start() > end:
            found.append(Segment("", text[end : match.start()]))
        if match.lastgroup == "unseen":
            found.append(Segment("unseen", "".join(map(_name, match[0]))))
        else:
            found.append(Segment("match", match[0]))
        end = match.end()
    if end < len(text) or not found:
        found.append(Segment("", text[end:]))
    return found


def raw(text: str) -> bytes:
    """Return text as it is, but for half characters, which a client may have written."""
    return text.encode(errors="replace")


@lru_cache(maxsize=64)
def _pattern(searched: str) -> re.Pattern[str]:
    pattern = f"(?P<unseen>[{UNSEEN}]+)"
    return re.compile(f"{pattern}|(?P<match>{re.escape(searched)})" if searched else pattern, re.IGNORECASE)


def _name(character: str) -> str:
    """Return what is shown of a character that is not seen: a picture of it, or its number."""
    number = ord(character)
    if number < 0x20:
        return chr(0x2400 + number)
    return "\u2421" if number == 0x7F else f"[U+{number:04X}]"
