"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import click

from ..contract.kinds import KINDS, JobKind

Command = TypeVar("Command", bound=Callable[..., None])


def engine_options(command: Command) -> Command:
    """Add the options that say how an emulator runs containers."""
    for option in (
        click.option(
            "--limit-instances", is_flag=True, help="Give containers the memory and CPUs of their instance type."
        ),
        click.option(
            "--time-scale",
            default=1.0,
            show_default=True,
            type=click.FloatRange(min=0.001, max=1e6),
            help="Divide the service's time limits (MaxRuntimeInSeconds, the 120 s of a stop) by this.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["docker", "process", "auto"]),
            default="auto",
            show_default=True,
            help="docker runs images, process programs of this machine; auto is docker where it answers, else process.",
        ),
    ):
        command = option(command)
    return command


KIND_NAMES: Final = {kind.words.partition(" ")[0]: kind for kind in KINDS}
"""The kinds of jobs, as options name them: training, processing."""

kind_option = click.option(
    "--kind",
    type=click.Choice(list(KIND_NAMES)),
    help="Which kind of job is meant, if there is one of each of this name.",
)


def kinds_of(kind: str | None) -> tuple[JobKind, ...]:
    """Return the kinds that the option means: all, if it is not given."""
    return tuple(KIND_NAMES.values()) if kind is None else (KIND_NAMES[kind],)
