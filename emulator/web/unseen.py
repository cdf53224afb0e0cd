"""Characters that would not be seen, or would change how other text is seen."""

from __future__ import annotations

import re
from typing import Final

UNSEEN: Final = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    r"\ud800-\udfff\U000e0000-\U000e007f"
)
"""Controls but for tab and line end, zero widths, changes of direction, tags, halves: for a regular expression's []."""

_IN_A_NAME: Final = re.compile(f"[{UNSEEN}\\t\\n]")


def visible(name: str) -> str:
    """Return a name with what is invisible in it written out, so that it looks like no other."""
    return _IN_A_NAME.sub(lambda found: _written_out(ord(found[0])), name)


def _written_out(number: int) -> str:
    if number > 0xFFFF:
        return f"\\U{number:08x}"
    return f"\\u{number:04x}" if number > 0xFF else f"\\x{number:02x}"
