"""Reads a Dockerfile into its instructions, each with the line it starts in. Pure; takes any text.

Continued lines, comments between them, the escape directive, heredocs and flags are read as Docker reads
them: the libraries for this either take a heredoc's lines for instructions or bring a compiled parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

INSTRUCTIONS: Final = frozenset(
    {
        *("FROM", "ARG", "ENV", "LABEL", "MAINTAINER", "USER", "WORKDIR", "VOLUME", "EXPOSE", "SHELL", "STOPSIGNAL"),
        *("ADD", "COPY", "RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD"),
    }
)
_WITH_HEREDOCS: Final = ("RUN", "COPY", "ADD")
_DIRECTIVE: Final = re.compile(r"#\s*(?P<name>[A-Za-z][A-Za-z0-9]*)\s*=\s*(?P<value>.+?)\s*")
_IGNORE: Final = re.compile(r"#\s*sagemaker-lint:\s*ignore\s*=\s*(?P<rules>[\w,\s-]*)")
_HEREDOC: Final = re.compile(r"<<(?P<dash>-?)(?P<quote>['\"]?)(?P<word>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)")
_FLAG: Final = re.compile(r"--(?P<name>[a-z][a-z-]*)(?:=(?P<value>\S*))?\s*")
_VARIABLE: Final = re.compile(
    r"\\(?P<escaped>.)|\$(?:(?P<plain>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)(?:(?P<operator>:?[-+])(?P<word>[^}]*))?\})"
)
_WORD: Final = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"?|'[^']*'?|\\$)+""")


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction: `COPY --from=base a b` has the name COPY, the flag from, and the value `a b`."""

    name: str
    flags: Mapping[str, str]
    value: str
    line: int

    @property
    def json_array(self) -> tuple[str, ...] | None:
        """The words of the exec form, `["a", "b"]`; None of any other."""
        try:
            document = json.loads(self.value)
        except (ValueError, RecursionError):
            return None
        if isinstance(document, list) and all(isinstance(word, str) for word in document):
            return tuple(document)
        return None


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """A rule that a comment, `# sagemaker-lint: ignore=RULE`, turns off."""

    rule: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """A Dockerfile's instructions, in order, and what its comments turn off."""

    instructions: tuple[Instruction, ...]
    ignores: tuple[Ignore, ...]

    @classmethod
    def parse(cls, text: str) -> Dockerfile:
        """Read a text; what Docker would refuse is read as far as it goes."""
        lines = text.removeprefix("\ufeff").split("\n")
        ignores = tuple(
            Ignore(rule=rule, line=number)
            for number, line in enumerate(lines, 1)
            if (found := _IGNORE.fullmatch(line.strip()))
            for rule in re.findall(r"[\w-]+", found["rules"])
        )
        return cls(instructions=tuple(_instructions([line.rstrip("\r") for line in lines])), ignores=ignores)


def words(text: str) -> list[str]:
    """Return the words of a text, quotes kept; see `unquoted`."""
    return [found[0] for found in _WORD.finditer(text)]


def unquoted(word: str) -> str:
    """Return a word without its quotes and the backslashes before special characters."""
    return re.sub(r"""\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'""", _plain, word)


def expanded(text: str, variables: Mapping[str, str]) -> str | None:
    """Return a text with $NAME and ${NAME:-word} filled in; None if it names what is not known."""
    known = True

    def value(found: re.Match[str]) -> str:
        nonlocal known
        if found["escaped"] is not None:
            return found[0]
        name, operator = found["plain"] or found["braced"], found["operator"]
        have = variables.get(name)
        if operator is None:
            known = known and have is not None
            return have or ""
        is_set = bool(have) if operator.startswith(":") else have is not None
        if operator.endswith("-"):
            return have or "" if is_set else found["word"]
        return found["word"] if is_set else ""

    filled = _VARIABLE.sub(value, text)
    return filled if known else None


def _plain(found: re.Match[str]) -> str:
    if found[1] is not None:
        return found[1]
    return found[3] if found[2] is None else re.sub(r'\\(["\\$])', r"\1", found[2])


def _instructions(lines: list[str]) -> Iterator[Instruction]:
    escape = _escape(lines)
    number = 0
    while number < len(lines):
        start = number
        text = lines[number].strip()
        number += 1
        if not text or text.startswith("#"):
            continue
        if _is_continued(text, escape):
            text = text[:-1]
            while number < len(lines):
                more = lines[number].strip()
                number += 1
                if not more or more.startswith("#"):
                    continue
                text += more.removesuffix(escape)
                if not _is_continued(more, escape):
                    break
        name, _, rest = text.partition(" ") if " " in text else text.partition("\t")
        if name.upper() in _WITH_HEREDOCS:
            for heredoc in _HEREDOC.finditer(rest):
                number = _behind(lines, number, heredoc)
        flags, value = _split_flags(rest.strip())
        yield Instruction(name=name.upper(), flags=flags, value=value, line=start + 1)


def _escape(lines: list[str]) -> str:
    """Return the character that continues a line: directives stand before anything else."""
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip())
        if found is None:
            break
        if found["name"].lower() == "escape" and found["value"] in ("\\", "`"):
            return found["value"]
    return "\\"


def _is_continued(text: str, escape: str) -> bool:
    return text.endswith(escape)


def _behind(lines: list[str], number: int, heredoc: re.Match[str]) -> int:
    """Return the number of the line behind a heredoc's last."""
    while number < len(lines):
        line = lines[number].lstrip("\t") if heredoc["dash"] else lines[number]
        number += 1
        if line == heredoc["word"]:
            break
    return number


def _split_flags(text: str) -> tuple[Mapping[str, str], str]:
    flags: dict[str, str] = {}
    while found := _FLAG.match(text):
        flags[found["name"]] = found["value"] or ""
        text = text[found.end() :]
    return flags, text
