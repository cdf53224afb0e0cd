"""The filter patterns of FilterLogEvents for lines of text.

Source: CloudWatch Logs' "Filter pattern syntax". Terms are case-sensitive, and a line must have each of
them: `ERROR`, `"two words"`, `-absent`. Of terms written `?one ?two` one suffices; beside other terms
they are ignored, as documented. Unconfirmed: that a term is found inside of a longer word.

Patterns for JSON (`{...}`), for columns (`[...]`) and regular expressions (`%...%`) are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from .log_groups import invalid_parameter

_TERM: Final = re.compile(r'\s*(?P<sign>[-?]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>\w+))(?=\s|$)', re.DOTALL)
_NOT_EMULATED: Final = {"{": "JSON patterns", "[": "space-delimited patterns", "%": "regular expressions"}


@dataclass(frozen=True, kw_only=True)
class LineFilter:
    """What a line must have, must not have, and of what it must have one."""

    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @classmethod
    def parse(cls, pattern: str) -> Self:
        """Read a pattern; an empty one matches every line.

        Raises:
            ServiceError: it is none, or one of the kinds that are not emulated.
        """
        text = pattern.strip()
        if text[:1] in _NOT_EMULATED:
            raise invalid_parameter(
                f"Not emulated: {_NOT_EMULATED[text[0]]} in filterPattern. Terms, quoted phrases, ?optional and "
                "-excluded terms are."
            )
        terms: dict[str, list[str]] = {"": [], "-": [], "?": []}
        position = 0
        while position < len(text):
            match = _TERM.match(text, position)
            if match is None:
                raise invalid_parameter(
                    f"Invalid filter pattern at {text[position:][:50]!r}: put terms with other characters than "
                    "letters, digits and underscores into double quotes."
                )
            quoted = match["quoted"]
            terms[match["sign"]].append(match["word"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
            position = match.end()
        return cls(required=tuple(terms[""]), excluded=tuple(terms["-"]), optional=tuple(terms["?"]))

    def matches(self, line: str) -> bool:
        """Tell whether a line is asked for."""
        if self.optional and not self.required and not self.excluded:
            return any(term in line for term in self.optional)
        return all(term in line for term in self.required) and not any(term in line for term in self.excluded)
