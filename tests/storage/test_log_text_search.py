"""A text is found in a stream's events, in capitals or not, however the events lie on the disk."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator.storage.log_stream import StreamReader, StreamWriter, data_file

WORDS = st.text("aAbBéÉ \n\udc80", max_size=6)
BATCHES = st.lists(
    st.lists(st.tuples(st.integers(0, 9), WORDS), max_size=6).map(lambda batch: sorted(batch, key=lambda one: one[0])),
    max_size=4,
)


def lowered(text: str) -> str:
    return text.lower()


@settings(max_examples=200, deadline=None)
@given(BATCHES, st.text("aAbé", min_size=1, max_size=2))
@example([[(1, "a\na"), (2, "b")], [(0, "A")]], "a")
def test_what_is_found_is_what_has_the_text(batches: list[list[tuple[int, str]]], searched: str) -> None:
    with TemporaryDirectory() as folder:
        base = Path(folder) / "stream"
        writer = StreamWriter(base)
        for batch in batches:
            writer.append(batch, 0)
        writer.close()
        with StreamReader(base) as reader:
            events = list(reader.events(0, len(reader.index)))
            expected = [number for number, one in enumerate(events) if lowered(searched) in lowered(one.message)]
            assert list(reader.matching(searched)) == expected


def test_what_is_being_written_is_not_found_yet(tmp_path: Path) -> None:
    base = tmp_path / "stream"
    writer = StreamWriter(base)
    writer.append([(1, "one"), (2, "two")], 0)
    writer.close()
    with data_file(base).open("ab") as file:
        file.write(b"one more\n")
    with StreamReader(base) as reader:
        assert list(reader.matching("ONE")) == [0]


def test_lines_that_are_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    base = tmp_path / "stream"
    writer = StreamWriter(base)
    long = "x" * (3 * 1024**2)
    writer.append([(1, f"{long}needle{long}"), (2, long), (3, f"{long}é needle")], 0)
    writer.close()
    with StreamReader(base) as reader:
        assert list(reader.matching("Needle")) == [0, 2]
        assert list(reader.matching("É n")) == [2]


def test_an_empty_stream_has_nothing(tmp_path: Path) -> None:
    with StreamReader(tmp_path / "none") as reader:
        assert list(reader.matching("a")) == []
