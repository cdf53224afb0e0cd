"""What is written in an address, read without trusting it."""

from __future__ import annotations

from typing import Final

_MOST_DIGITS: Final = 18
"""What fits into the numbers of the database, whichever the digits are."""


def whole_number(text: str) -> int | None:
    """Return the number that plain digits spell, or None for anything else."""
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return int(text)
    return None
