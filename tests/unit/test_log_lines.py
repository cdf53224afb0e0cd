"""Bytes of two streams become log events: training.md 7.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.log_lines import LONGEST_EVENT_BYTES, LineAssembler, event_messages

LONGEST = 16

# Bytes where cutting goes wrong: ends of lines, parts of characters, bytes that are none.
OUTPUT = st.lists(
    st.sampled_from(
        [b"a", b"word ", b"\n", b"\r\n", "é".encode(), "𝄞".encode(), b"\xff", b"\x80" * 20, b"\xf0\x9d", b"z" * 40]
    )
).map(b"".join)
TEXT = st.text(st.sampled_from("aé𝄞 \n"), max_size=200)


def lines_of(*chunks: bytes, longest: int = LONGEST) -> list[str]:
    """Return the lines of one stream that is written in these chunks."""
    assembler = LineAssembler(longest)
    lines = [line for chunk in chunks for line in assembler.feed("stdout", chunk)]
    return lines + list(assembler.finish())


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted(place % (len(data) + 1) for place in at)
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def test_a_line_is_an_event_without_its_newline() -> None:
    assert lines_of(b"one\ntwo\n") == ["one", "two"]


def test_a_line_can_come_in_pieces_and_the_last_without_a_newline() -> None:
    assert lines_of(b"on", b"e\ntw", b"o") == ["one", "two"]


def test_an_empty_line_is_a_line_but_nothing_is_none() -> None:
    assert lines_of(b"\n\na\n") == ["", "", "a"]
    assert lines_of(b"") == []


def test_a_character_can_come_in_pieces() -> None:
    first, second = "é".encode()[:1], "é".encode()[1:]
    assert lines_of(first, second + b"\n") == ["é"]


def test_bytes_that_are_no_text_are_marked() -> None:
    assert lines_of(b"a\xffb\n") == ["a\N{REPLACEMENT CHARACTER}b"]


def test_a_complete_line_does_not_wait_for_the_other_stream() -> None:
    assembler = LineAssembler()
    assert list(assembler.feed("stdout", b"progress ")) == []
    assert list(assembler.feed("stderr", b"warning\n")) == ["warning"]
    assert list(assembler.feed("stdout", b"10%\n")) == ["progress 10%"]
    assert list(assembler.finish()) == []


def test_what_both_streams_leave_is_published_at_the_end_and_once() -> None:
    assembler = LineAssembler()
    assert [*assembler.feed("stdout", b"out"), *assembler.feed("stderr", b"err")] == []
    assert sorted(assembler.finish()) == ["err", "out"]
    assert list(assembler.finish()) == []


def test_an_endless_line_is_published_before_it_ends() -> None:
    assembler = LineAssembler(LONGEST)
    published = [line for _ in range(10) for line in assembler.feed("stdout", b"x" * LONGEST)]
    assert published == ["x" * LONGEST] * 9


@given(OUTPUT, st.lists(st.integers(0, 10**6), max_size=10))
def test_lines_do_not_depend_on_how_a_stream_is_cut(data: bytes, at: list[int]) -> None:
    assert lines_of(*cut(data, at)) == lines_of(data)


@given(OUTPUT, OUTPUT, st.lists(st.integers(0, 10**6), max_size=10), st.lists(st.booleans()))
def test_lines_of_a_stream_do_not_depend_on_the_other(
    stdout: bytes, stderr: bytes, at: list[int], stderr_first: list[bool]
) -> None:
    chunks = {"stdout": cut(stdout + b"\n", at), "stderr": cut(stderr + b"\n", at)}
    assembler = LineAssembler(LONGEST)
    lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
    order = ["stderr" if first else "stdout" for first in stderr_first] + ["stdout"] * 12 + ["stderr"] * 12
    for stream in order:
        if chunks[stream]:
            lines[stream] += assembler.feed(stream, chunks[stream].pop(0))
    assert list(assembler.finish()) == []
    assert lines == {"stdout": lines_of(stdout + b"\n"), "stderr": lines_of(stderr + b"\n")}


@given(TEXT)
def test_nothing_of_a_text_is_lost(text: str) -> None:
    data = text.encode()
    assert lines_of(data, longest=LONGEST_EVENT_BYTES) == text.removesuffix("\n").split("\n") if text else [""]


@given(TEXT, st.integers(8, 40))
def test_long_lines_are_cut_below_the_limit_and_between_characters(text: str, longest: int) -> None:
    line = text.replace("\n", "")
    pieces = lines_of(line.encode(), longest=longest)
    assert "".join(pieces) == line
    assert all(len(piece.encode()) <= longest for piece in pieces)
    assert all(len(piece.encode()) > longest - 4 for piece in pieces[:-1])


# What the log shows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("plain text, as it is", "plain text, as it is"),
        ("a\t\tb", "a#011#011b"),
        ("10%\r20%\r", "10%#01520%#015"),
        ("\x1b[31mred\x1b[0m", "#033[31mred#033[0m"),
        ("\x7f\0", "#177#000"),
        ("é 𝄞", "é 𝄞"),
        ("", " "),
    ],
)
def test_control_characters_are_shown_as_octal_numbers(line: str, message: str) -> None:
    assert list(event_messages(line)) == [message]


@given(st.text(st.sampled_from("aé𝄞\t\N{REPLACEMENT CHARACTER}"), min_size=1, max_size=100), st.integers(8, 40))
def test_no_event_is_longer_than_the_limit_also_when_it_grows_by_its_escapes(line: str, longest: int) -> None:
    messages = list(event_messages(line, longest))
    assert "".join(messages) == line.replace("\t", "#011")
    assert all(0 < len(message.encode()) <= longest for message in messages)


def test_the_limit_is_that_of_cloudwatch() -> None:
    (message,) = event_messages("x" * (256 * 1024 - 26))
    assert len(message) == 262118
    assert len(list(event_messages("\t" * 262118))) == 4
