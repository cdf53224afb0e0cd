"""A command of ours in a real terminal, driven as a person would."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pexpect

from tests.cli.commands import COMMAND, SECONDS, environment, without_colors


@contextmanager
def typed_into(*arguments: object, **variables: str) -> Iterator[pexpect.spawn[str]]:
    """Start a command in a terminal; one that still runs at the end is killed."""
    program, *rest = COMMAND
    terminal: pexpect.spawn[str] = pexpect.spawn(
        program,
        [*rest, *map(str, arguments)],
        env=environment(**{"TERM": "dumb", **variables}),
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(40, 200),
    )
    terminal.logfile_read = StringIO()
    try:
        yield terminal
    finally:
        terminal.close(force=True)


def exit_code(terminal: pexpect.spawn[str]) -> int:
    """Wait for a command's end; how it exited."""
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus is not None, f"ended by signal {terminal.signalstatus}: {terminal.before}"
    return terminal.exitstatus


def written(terminal: pexpect.spawn[str]) -> str:
    """Return all that was written to a terminal so far, as it was."""
    assert isinstance(terminal.logfile_read, StringIO)
    return terminal.logfile_read.getvalue()


def see(terminal: pexpect.spawn[str], pattern: str) -> None:
    """Wait until a terminal has shown what a pattern describes, in whatever colours."""
    deadline = time.monotonic() + SECONDS
    while not re.search(pattern, without_colors(written(terminal))):
        assert time.monotonic() < deadline, f"{pattern!r} was not seen in\n{written(terminal)}"
        terminal.expect(".+")
