"""Finds the lines of a log that explain a failure: Python's last traceback, with those it was chained to.

A traceback begins with its well-known line. What stands before it on that line (`[rank0]: `, `[1,mpirank:0]<stderr>:`)
stands before each of its lines, which tells them from others that were written in between. It ends with the line of
the exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_BEGIN: Final = re.compile(r"(?P<before>.*?)(?:Exception Group )?Traceback \(most recent call last\):\s*")
# A program that Python cannot compile has no such line.
_UNCOMPILED: Final = re.compile(r"(?P<before>.*?)  File \"[^\"]+\", line \d+\s*")
_NO_SYNTAX: Final = re.compile(r"(?:SyntaxError|IndentationError|TabError)\b.*")
_CHAIN: Final = re.compile(
    r".*(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):\s*"
    r"|\s*\+[-+]+ [0-9.]+ -+\s*",  # the next exception of a group
    re.DOTALL,
)
# Python's own exceptions have no module before their names, and ends that tell them; others have a module.
_EXCEPTION: Final = re.compile(
    r"(?:(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Exit|Interrupt|Warning|Iteration|Group)"
    r"|(?:[A-Za-z_]\w*\.)+[A-Z]\w*)(?::.*| \(.*)?\s*",
    re.DOTALL,
)
# An exception's line is that close to the traceback's last own line, a chain's next part to the part before.
_LINES_BETWEEN: Final = 40
_LINES_OF_SYNTAX: Final = 6


class Span(NamedTuple):
    """Lines by their numbers, from 0 on; `stop` is behind the last one."""

    start: int
    stop: int


def last_traceback(lines: Sequence[str]) -> Span | None:
    """Return where the last traceback among the lines of one host is, from the first exception of its chain on."""
    found: Span | None = None
    for span in _tracebacks(lines):
        found = Span(found.start, span.stop) if found is not None and _is_chained(lines, found, span) else span
    return found


def _tracebacks(lines: Sequence[str]) -> Iterator[Span]:
    number = 0
    while number < len(lines):
        span = _traceback_at(lines, number) or _uncompiled_at(lines, number)
        if span is not None:
            yield span
        number = number + 1 if span is None else span.stop


def _traceback_at(lines: Sequence[str], start: int) -> Span | None:
    begin = _BEGIN.fullmatch(lines[start])
    if begin is None:
        return None
    before = begin["before"].removesuffix("+ ")  # an exception group draws its lines: `  + `, then `  | `
    last = start
    for number in range(start + 1, len(lines)):
        if number - last > _LINES_BETWEEN:
            break
        if not lines[number].startswith(before):
            continue
        line = lines[number][len(before) :].removeprefix("| ")
        if line[:1].isspace() and line.strip():
            last = number
        elif _BEGIN.fullmatch(lines[number]):
            break
        elif _EXCEPTION.fullmatch(line):
            return Span(start, number + 1)
    return Span(start, last + 1)


def _uncompiled_at(lines: Sequence[str], start: int) -> Span | None:
    begin = _UNCOMPILED.fullmatch(lines[start])
    if begin is None:
        return None
    for number in range(start + 1, min(start + _LINES_OF_SYNTAX, len(lines))):
        if _NO_SYNTAX.fullmatch(lines[number].removeprefix(begin["before"])):
            return Span(start, number + 1)
    return None


def _is_chained(lines: Sequence[str], earlier: Span, later: Span) -> bool:
    between = lines[earlier.stop : later.start]
    return len(between) <= _LINES_BETWEEN and any(map(_CHAIN.fullmatch, between))
