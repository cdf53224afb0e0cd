"""A Dockerfile is read as Docker reads it, and any text is read without a crash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.lint.dockerfile import Dockerfile, Ignore, expanded, unquoted, words
from emulator.lint.facts import Facts, Kind
from emulator.lint.rules import findings_of
from emulator.lint.stages import facts_of

PIECES = [
    *(
        "FROM a",
        "FROM a AS b",
        "FROM b",
        "FROM scratch",
        "FROM --platform=linux/arm64 $X",
        "ARG X=1",
        "ENV A=b C='d e'",
    ),
    *("ENV A b", 'ENTRYPOINT ["a"]', "ENTRYPOINT a b", "CMD [1]", 'CMD ["', "USER ${X:-y}", "WORKDIR a", "WORKDIR /"),
    *("COPY a b /c/", 'ADD ["a", "/opt/ml/model/"]', "COPY <<EOF /x", "EOF", "RUN <<-'E F'", "RUN a \\", "# escape=`"),
    *(
        "# sagemaker-lint: ignore=x",
        "VOLUME /opt/ml",
        "EXPOSE 1",
        "SHELL []",
        "HEALTHCHECK",
        "STOPSIGNAL $",
        "\\",
        "${",
    ),
]
DOCKERFILES = st.one_of(
    st.text(max_size=300),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=12).map("\n".join),
)


def facts(text: str, target: str | None = None, **arguments: str) -> Facts:
    return facts_of(Dockerfile.parse(text), Kind.TRAINING, target=target, arguments=arguments)


def instructions(text: str) -> list[tuple[str, str, int]]:
    return [(one.name, one.value, one.line) for one in Dockerfile.parse(text).instructions]


@given(DOCKERFILES, st.sampled_from(list(Kind)), st.sampled_from([None, "b", "0", "9", ""]))
def test_any_text_is_read(text: str, kind: Kind, target: str | None) -> None:
    findings_of(facts_of(Dockerfile.parse(text), kind, target=target))


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_lines_are_those_of_the_text_and_rise(pieces: list[str]) -> None:
    lines = [one.line for one in Dockerfile.parse("\n".join(pieces)).instructions]

    assert lines == sorted(set(lines))
    assert all(1 <= line <= len(pieces) for line in lines)


def test_continued_lines_and_the_comments_between_them() -> None:
    text = "FROM a\nrun one \\\n  # a comment\n\n  two \\\n  three\nUSER b\n"

    assert instructions(text) == [("FROM", "a", 1), ("RUN", "one two three", 2), ("USER", "b", 7)]


def test_the_escape_directive() -> None:
    assert instructions("# escape=`\nFROM a\nRUN c:\\ `\n  b\nUSER c\n") == [
        ("FROM", "a", 2),
        ("RUN", "c:\\ b", 3),
        ("USER", "c", 5),
    ]


def test_a_heredoc_is_no_instruction() -> None:
    text = "FROM a\nRUN <<EOF cat && <<-'TWO' cat\nUSER nobody\nEOF\n\tENTRYPOINT x\n\tTWO\nUSER someone\n"

    assert [one[0::2] for one in instructions(text)] == [("FROM", 1), ("RUN", 2), ("USER", 7)]


def test_windows_line_endings_and_a_byte_order_mark() -> None:
    assert instructions("\ufeffFROM a\r\nRUN b \\\r\n c\r\n") == [("FROM", "a", 1), ("RUN", "b c", 2)]


def test_flags_are_apart_from_the_value() -> None:
    copy = Dockerfile.parse("COPY --from=base --chown=1:1 --link a b").instructions[0]

    assert (copy.flags, copy.value) == ({"from": "base", "chown": "1:1", "link": ""}, "a b")


def test_comments_turn_rules_off() -> None:
    assert Dockerfile.parse("FROM a\n# sagemaker-lint: ignore=one, two-b\n").ignores == (
        Ignore(rule="one", line=2),
        Ignore(rule="two-b", line=2),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A/x", "1/x"),
        ("${A}b", "1b"),
        ("${B:-two}", "two"),
        ("${E:-two}", "two"),
        ("${E-two}", ""),
        ("${A:+set}", "set"),
        ("${B:+set}", ""),
        ("$B", None),
        (r"\$B", r"\$B"),
        ("$", "$"),
    ],
)
def test_variables(text: str, value: str | None) -> None:
    assert expanded(text, {"A": "1", "E": ""}) == value


def test_words_and_their_quotes() -> None:
    text = r"""A="b c" D='e "f"' G=h\ i J="k\"l" """

    assert [unquoted(word) for word in words(text)] == ["A=b c", 'D=e "f"', "G=h i", 'J=k"l']


def test_the_final_stage_and_those_it_stands_on() -> None:
    text = """
ARG TAG=3.11
FROM python:$TAG AS base
ENV A=1
USER nobody
ENTRYPOINT ["base"]
FROM other AS unrelated
ENV B=2
FROM base
ENV C=$A
CMD run this
"""
    found = facts(text, TAG="3.12")

    assert found.base_tags == (("python:3.12", 3),)
    assert found.config.environment == {"A": "1", "C": "1"}
    assert (found.config.user, found.config.entrypoint) == ("nobody", ("base",))
    assert found.config.command == ("/bin/sh", "-c", "run this")
    assert (found.line("ENTRYPOINT"), found.line("ENV", "C"), found.line("ENV", "B")) == (6, 10, None)
    assert facts(text, target="unrelated").config.environment == {"B": "2"}


def test_what_only_the_base_image_knows_is_unknown() -> None:
    base, scratch = facts("FROM a").config, facts("FROM scratch").config

    assert (base.entrypoint, base.command, base.user, base.working_directory) == (None, None, None, None)
    assert (scratch.entrypoint, scratch.command, scratch.user, scratch.working_directory) == ((), (), "", "/")
    assert facts("FROM a\nUSER $NOBODY_SAYS").config.user is None


def test_an_entrypoint_drops_the_base_images_command() -> None:
    assert facts('FROM a AS b\nCMD ["x"]\nFROM b\nENTRYPOINT ["y"]').config.command == ()
    assert facts('FROM a\nCMD ["x"]\nENTRYPOINT ["y"]').config.command == ("x",)


def test_where_files_are_copied() -> None:
    text = 'FROM a\nWORKDIR /opt\nWORKDIR ml\nCOPY a b model/\nCOPY c.csv input/\nADD ["d", "/e"]\nCOPY f $G'

    assert facts(text).copied == ("/opt/ml/model", "/opt/ml/input/c.csv", "/e")
