"""Charts of one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.cli.text_charts import columns, number, plain, sparkline


@pytest.mark.parametrize(
    ("values", "low", "high", "line"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], 0, 7, "▁▂▃▄▅▆▇█"),
        ([1, 0], 0, 1, "█▁"),
        ([5, 5, 5], 5, 5, "▅▅▅"),
        ([], 0, 1, ""),
        ([0, 1.7e308], -1.7e308, 1.7e308, "▅█"),
    ],
)
def test_a_sparkline(values: list[float], low: float, high: float, line: str) -> None:
    assert sparkline(values, low, high) == line


def test_many_values_are_drawn_as_their_means() -> None:
    assert sparkline([0, 2, 4, 10, 0, 0, 0, 0], 0, 7, width=4) == "▂█▁▁"


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=200), width=st.integers(1, 50))
def test_a_sparkline_is_no_wider_than_asked_for(values: list[float], width: int) -> None:
    low, high = (min(values), max(values)) if values else (0.0, 0.0)

    assert len(sparkline(values, low, high, width)) == min(width, len(values))


def test_columns_stand_under_each_other() -> None:
    assert columns([("a", "bb"), ("ccc", "d")]) == ["a    bb", "ccc  d"]


def test_a_job_s_text_is_one_line_that_does_nothing_to_the_terminal() -> None:
    assert plain("a\n b\x1b[31mred") == "a b�[31mred"
    assert plain("x" * 50) == "x" * 39 + "…"


def test_a_number_is_short() -> None:
    assert [number(value) for value in (1.0, 0.1 + 0.2, 1e-9, 123456789.0)] == ["1", "0.3", "1e-09", "1.23457e+08"]
