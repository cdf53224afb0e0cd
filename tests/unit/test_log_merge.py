"""Several streams as one log: every stretch of it is what sorting all lines gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract import log_merge
from emulator.contract.log_merge import Counts, LinePlace, Selected
from emulator.contract.log_pages import IndexEntry
from emulator.errors import ServiceError

STREAMS = st.dictionaries(st.integers(1, 9), st.lists(st.integers(0, 6), max_size=6).map(sorted), max_size=4)


def indexes(times: dict[int, list[int]]) -> dict[int, list[IndexEntry]]:
    return {
        stream: [IndexEntry(time, 0, number * 10, 9) for number, time in enumerate(each)]
        for stream, each in times.items()
    }


def merged(each: dict[int, list[IndexEntry]]) -> list[LinePlace]:
    return sorted(LinePlace(one.timestamp, stream, one.offset) for stream, index in each.items() for one in index)


def counts_of(each: dict[int, list[IndexEntry]], lines: list[LinePlace]) -> Counts:
    return {stream: sum(line.stream == stream for line in lines) for stream in each}


@given(STREAMS, st.integers(0, 25), st.integers(0, 8))
def test_places_are_those_of_the_sorted_lines(times: dict[int, list[int]], number: int, lines: int) -> None:
    each = indexes(times)
    whole = merged(each)
    here = counts_of(each, whole[:number])
    assert log_merge.back(each, here, lines) == counts_of(each, whole[: max(0, min(number, len(whole)) - lines)])
    assert log_merge.onward(each, here, lines) == counts_of(each, whole[: number + lines])
    assert log_merge.counts_at_line(each, number + 1) == here
    if number < len(whole):
        assert log_merge.counts_before(each, whole[number]) == here
        before = [line for line in whole if line.timestamp < whole[number].timestamp]
        assert log_merge.counts_at_time(each, whole[number].timestamp) == counts_of(each, before)


@given(STREAMS, st.data())
def test_some_lines_of_an_index_are_an_index(times: dict[int, list[int]], data: st.DataObject) -> None:
    each = indexes(times)
    some = {
        stream: Selected(index, sorted(data.draw(st.sets(st.integers(0, len(index) - 1)))) if index else [])
        for stream, index in each.items()
    }
    lists = {stream: list(selected) for stream, selected in some.items()}
    for number in range(len(merged(lists)) + 1):
        assert log_merge.counts_at_line(some, number + 1) == log_merge.counts_at_line(lists, number + 1)
        here = log_merge.counts_at_line(some, number + 1)
        assert log_merge.back(some, here, 2) == log_merge.back(lists, here, 2)


@given(st.dictionaries(st.integers(0, 10**17), st.integers(0, 10**17), max_size=5))
def test_counts_come_back_from_an_address(counts: dict[int, int]) -> None:
    assert log_merge.parse_counts(log_merge.counts_text(counts)) == counts


def test_a_line_comes_back_from_an_address() -> None:
    assert LinePlace.parse(str(LinePlace(1, 2, 3))) == (1, 2, 3)


@pytest.mark.parametrize("text", ["", "1-2", "-1-2-3", "1-2-3\n", "1-2-1" + "0" * 18, "<b>", "\u0661-1-1"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="no place in a log"):
        LinePlace.parse(text)


@pytest.mark.parametrize("text", ["1", "1.", "1.2_", "x.1", "1.2,3.4", "1.2\n"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="no place in a log"):
        log_merge.parse_counts(text)
