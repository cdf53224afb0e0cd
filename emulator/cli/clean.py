"""`sagemaker-emulator clean`: make room in a state directory."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from .state import shown_size, state_dir_option

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"([0-9]{1,6})([smhdw])", value)
    if match is None:
        raise click.BadParameter(f"{value!r} is no span of time. Write a number and s, m, h, d or w: 12h, 30d.")
    return float(int(match[1]) * _SECONDS[match[2]])


@click.command()
@state_dir_option
@click.option(
    "--older-than", callback=_seconds, default="30d", show_default=True, help="What ended so long ago: 12h, 30d, 0s."
)
@click.option("--kept", is_flag=True, help="Remove what `run --keep` has kept instead, of any age and state.")
@click.option("--yes", is_flag=True, help="Remove it. Without this it is only listed.")
def clean(state_dir: Path, older_than: float, kept: bool, yes: bool) -> None:
    """Remove old jobs and logs, uploads never completed and leftovers from a state directory that no emulator uses.

    Objects in S3 stay: delete them as on the service. With --kept: the containers and directories that were kept.
    """
    if kept:
        _clean_kept(state_dir, older_than, yes=yes)
        return
    from ..storage.retention import Retention

    with Retention.of(state_dir) as retention:
        things = retention.removable(time.time() - older_than)
        for one in things:
            click.echo(f"{one.kind:8}  {shown_size(one.size):>9}  {one.name}")
        total = f"{len(things)} things, {shown_size(sum(one.size for one in things))}"
        if yes:
            retention.remove(things)
            click.echo(f"Removed {total} from {state_dir}")
        else:
            click.echo(f"{total} would be removed from {state_dir}. To do it: --yes")


def _clean_kept(state_dir: Path, older_than: float, *, yes: bool) -> None:
    """List, or remove, what is kept: all there is, unless a state directory or an age was named."""
    from ..engines.kept import remove
    from .kept import all_kept
    from .own_endpoint import remove_if_empty

    source = click.get_current_context().get_parameter_source
    chosen = state_dir if source("state_dir") is ParameterSource.COMMANDLINE else None
    moment = time.time() - older_than if source("older_than") is ParameterSource.COMMANDLINE else time.time()
    found = [one for one in all_kept(chosen) if one.ended <= moment]
    for one in found:
        click.echo(f"kept  {one.name}  {one.status}  {one.folder}")
        if yes:
            remove(one)
            remove_if_empty(one.state_dir)
    if yes:
        click.echo(f"Removed {len(found)} kept jobs")
    else:
        click.echo(f"{len(found)} kept jobs would be removed. To do it: --yes")
