"""Filter patterns: CloudWatch Logs, "Filter pattern syntax"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.log_filter import LineFilter
from emulator.errors import ServiceError

LINES = (
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[WARN 419] MISSING ARGUMENTS",
    "[ERROR 419] MISSING ARGUMENTS",
    'said "quoted" \\ and: more',
)


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("  ", [0, 1, 2, 3, 4]),
        ("ERROR", [0, 1, 3]),
        ("error", []),
        ("ERROR ARGUMENTS", [3]),
        ('"MISSING ARGUMENTS"', [2, 3]),
        ('"[ERROR 4" REQUEST', [0, 1]),
        ("?ERROR ?WARN", [0, 1, 2, 3]),
        ('?"BAD REQUEST" ?WARN', [0, 2]),
        ("ERROR -ARGUMENTS", [0, 1]),
        ('-"ERROR 4" -quoted', [2]),
        ("?WARN ERROR", [0, 1, 3]),
        (r'"\"quoted\" \\ and:"', [4]),
        ("419", [2, 3]),
    ],
)
def test_terms(pattern: str, numbers: list[int]) -> None:
    wanted = LineFilter.parse(pattern)
    assert [number for number, line in enumerate(LINES) if wanted.matches(line)] == numbers


@pytest.mark.parametrize("pattern", ['{ $.level = "ERROR" }', "[time, level=ERROR]", "%ERR.R%"])
def test_other_kinds_of_patterns_are_refused_by_name(pattern: str) -> None:
    with pytest.raises(ServiceError, match="InvalidParameterException: Not emulated"):
        LineFilter.parse(pattern)


@pytest.mark.parametrize("pattern", ["algo-1", '"open', 'a"b"', "a:b", "--a", "?", "- a"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ServiceError, match="Invalid filter pattern"):
        LineFilter.parse(pattern)


@given(st.text())
def test_any_text_is_a_pattern_or_refused(pattern: str) -> None:
    try:
        wanted = LineFilter.parse(pattern)
    except ServiceError:
        return
    assert wanted.matches("line") in (True, False)


@given(st.text(min_size=1), st.text(), st.text())
def test_any_phrase_is_found_when_it_is_quoted(phrase: str, before: str, after: str) -> None:
    quoted = phrase.replace("\\", "\\\\").replace('"', '\\"')
    assert LineFilter.parse(f'"{quoted}"').matches(before + phrase + after)
