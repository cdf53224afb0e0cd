"""`sagemaker-emulator kept`: what runs with --keep have left."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..config import default_kept_dir, default_state_dir
from ..errors import EngineUnavailableError

if TYPE_CHECKING:
    from ..engines.kept import KeptJob


@click.command()
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Only what is kept in this one; by default, wherever it is.",
)
def kept(state_dir: Path | None) -> None:
    """List the jobs whose containers and directories stay: those of `run --keep`."""
    found = all_kept(state_dir)
    for one in found:
        ended = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.ended)) if one.ended else "?"
        click.echo(f"{one.name}  {one.status}  {one.engine}  {ended}  {one.folder}")
    if not found:
        click.echo("Nothing is kept. To keep what a job leaves: sagemaker-emulator run --keep JOBFILE")


def all_kept(state_dir: Path | None, *, tell: bool = True) -> list[KeptJob]:
    """Return what is kept in a state directory, or in any that can be found, oldest first."""
    from ..engines.kept import kept_in_engine, kept_jobs

    if state_dir is not None:
        return kept_jobs([state_dir])
    runs = default_kept_dir()
    states = [default_state_dir(), *(sorted(runs.iterdir()) if runs.is_dir() else ())]
    found = {one.folder: one for one in kept_jobs(states)}
    try:
        found |= {one.folder: one for one in kept_in_engine()}
    except EngineUnavailableError:
        if tell:
            text = "No Docker Engine answers: what it may have kept for other state directories is not seen."
            click.echo(text, err=True)
    return sorted(found.values(), key=lambda one: one.ended)
