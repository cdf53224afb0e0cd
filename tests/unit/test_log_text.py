"""What a line shows: text whatever is in it, no colour codes, what is searched marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.web.log_text import segments


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m text", "red text"),
        ("#033[1;38;5;3mred#033[0m text", "red text"),
        ("\x1b]0;a title\x07text", "text"),
        ("#033]8;;http://x#007link", "link"),
        ("colour #033A5F stays", "colour #033A5F stays"),
        ("bar #015 10%", "bar #015 10%"),
        ("tab\there\nnext", "tab\there\nnext"),
        ("bell\x07 null\x00 del\x7f cr\r", "bell\u2407 null\u2400 del\u2421 cr\u240d"),
        ("user\u202etxt.exe", "user[U+202E]txt.exe"),
        ("half \udc80 c1 \x9b zero\u200bwidth", "half [U+DC80] c1 [U+009B] zero[U+200B]width"),
        ("", ""),
    ],
)
def test_what_is_shown(message: str, shown: str) -> None:
    assert "".join(piece.text for piece in segments(message, "")) == shown


@pytest.mark.parametrize(
    ("message", "searched", "marked"),
    [
        ("An ERROR and an error", "Error", ["ERROR", "error"]),
        ("a+b (c)", "+b (", ["+b ("]),
        ("grüße GRÜSSE", "GRÜ", ["grü", "GRÜ"]),
        ("nothing", "x", []),
        ("aaa", "aa", ["aa"]),
    ],
)
def test_what_is_searched_is_marked(message: str, searched: str, marked: list[str]) -> None:
    assert [piece.text for piece in segments(message, searched) if piece.mark == "match"] == marked


@given(st.text(st.characters(codec=None)), st.text(max_size=3))
def test_any_text_can_be_sent(message: str, searched: str) -> None:
    for piece in segments(message, searched):
        if not searched:
            piece.text.encode()
