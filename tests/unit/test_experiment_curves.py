"""Which values of a long curve are drawn."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.experiments.curves import LEAST, kept

VALUES = st.lists(st.floats(allow_nan=False) | st.sampled_from([0.0, 1.0, math.inf, -math.inf]), max_size=300)


@given(values=VALUES, most=st.integers(0, 60))
def test_ends_and_extremes_are_kept_in_order(values: list[float], most: int) -> None:
    places = kept(values, most)

    assert len(places) <= max(most, LEAST)
    assert places == sorted(set(places))
    if values:
        drawn = [values[place] for place in places]
        assert (places[0], places[-1]) == (0, len(values) - 1)
        assert (min(drawn), max(drawn)) == (min(values), max(values))


@given(values=VALUES)
def test_a_short_curve_is_drawn_whole(values: list[float]) -> None:
    assert kept(values, max(LEAST, len(values))) == list(range(len(values)))


@given(values=st.lists(st.floats(), min_size=1, max_size=200), most=st.integers(LEAST, 40))
def test_what_is_no_number_is_neither_small_nor_large(values: list[float], most: int) -> None:
    numbers = [value for value in values if not math.isnan(value)]
    drawn = [values[place] for place in kept(values, most)]

    assert len(drawn) <= max(most, LEAST)
    if numbers:
        assert min(one for one in drawn if not math.isnan(one)) == min(numbers)
        assert max(one for one in drawn if not math.isnan(one)) == max(numbers)


@pytest.mark.parametrize("peak", [0, 1, 499, 500, 998, 999])
def test_a_single_peak_is_not_lost(peak: int) -> None:
    assert peak in kept([float(place == peak) for place in range(1000)], 20)
