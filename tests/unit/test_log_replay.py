"""What of a container's output was published before, whatever the order of its two streams."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulator.jobs.log_replay import Replay


def told(published: list[str], output: list[str]) -> list[str]:
    replay = Replay(iter(published))
    return [one for message in output for one in replay.unpublished(message)] + replay.rest()


LINES = st.lists(st.sampled_from(["a", "b", "c", " ", "epoch 1", "\N{SNOWMAN}"]), max_size=30)


@given(LINES, st.integers(0, 30))
def test_what_follows_the_published_lines_is_told(lines: list[str], known: int) -> None:
    assert told(lines[:known], lines) == lines[known:]


@given(LINES, LINES, st.data())
def test_no_line_is_lost_or_told_twice_when_the_engine_orders_the_streams_otherwise(
    out: list[str], err: list[str], data: st.DataObject
) -> None:
    def interleaved(first: list[str], second: list[str]) -> list[str]:
        order = data.draw(st.permutations([0] * len(first) + [1] * len(second)))
        sources = (iter(first), iter(second))
        return [next(sources[which]) for which in order]

    known_out = data.draw(st.integers(0, len(out)))
    known_err = data.draw(st.integers(0, len(err)))
    published = interleaved(out[:known_out], err[:known_err])
    everything = published + told(published, interleaved(out, err))
    assert sorted(everything) == sorted(out + err)


def test_new_lines_are_told_as_soon_as_they_are_known_to_be_new() -> None:
    replay = Replay(iter(["a"]))
    assert replay.unpublished("a") == []
    assert replay.unpublished("a") == ["a"]
    assert replay.unpublished("b") == ["b"]
    assert replay.rest() == []


def test_bytes_that_the_engine_shows_otherwise_do_not_make_a_line_another() -> None:
    assert told(["x\ufffd\ufffdy", "z"], ["x\ufffdy", "z", "new"]) == ["new"]
