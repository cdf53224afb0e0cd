"""A command of ours in a real terminal, driven as a person would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pexpect

from tests.cli.commands import COMMAND, environment

SECONDS = 60


@contextmanager
def typed_into(*arguments: object, **variables: str) -> Iterator[pexpect.spawn[str]]:
    """Start a command in a terminal; one that still runs at the end is killed."""
    program, *rest = COMMAND
    terminal: pexpect.spawn[str] = pexpect.spawn(
        program,
        [*rest, *map(str, arguments)],
        env=environment(TERM="dumb", **variables),
        encoding="utf-8",
        timeout=SECONDS,
        dimensions=(40, 200),
    )
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
