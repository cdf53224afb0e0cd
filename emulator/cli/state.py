"""`sagemaker-emulator state`: how large a state directory is, and taking it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from ..config import default_state_dir

_STEP: Final = 1024

state_dir_option = click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_state_dir,
    show_default="below your state home",
    help="Where the emulator keeps its data. One emulator at a time can have it.",
)


@click.group()
def state() -> None:
    """Measure, save and load a state directory."""


@state.command()
@state_dir_option
def size(state_dir: Path) -> None:
    """Print how much of the disk each part of the state takes; an emulator may be using it.

    Then what is in each bucket: with old versions, and with copies as if they took room of their own.
    """
    from ..storage.retention import bucket_sizes, sizes

    parts = sizes(state_dir)
    for name, taken in parts.items():
        click.echo(f"{shown_size(taken):>9}  {name}")
    click.echo(f"{shown_size(sum(parts.values())):>9}  {state_dir}")
    for one in bucket_sizes(state_dir):
        counts = f"objects: {one.versions}" + (f", uploads in progress: {one.uploads}" if one.uploads else "")
        click.echo(f"{shown_size(one.size):>9}  s3://{one.bucket} ({counts})")


@state.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@state_dir_option
def save(file: Path, state_dir: Path) -> None:
    """Write the whole state to FILE (.tar, or .tar.gz), to take it elsewhere. Stop its emulator first."""
    from ..storage.snapshot import save as save_state

    click.echo(f"Saved {state_dir} to {file} ({shown_size(save_state(state_dir, file))})")


@state.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@state_dir_option
def load(file: Path, state_dir: Path) -> None:
    """Make a state directory of FILE. The directory must be new or empty."""
    from ..storage.snapshot import load as load_state

    load_state(file, state_dir)
    click.echo(f"Loaded {file} into {state_dir}. Use it: sagemaker-emulator up --state-dir {state_dir}")


def shown_size(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _STEP:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _STEP
    return f"{count:.1f} TiB"
