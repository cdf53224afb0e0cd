"""`sagemaker-emulator bundle`: one archive with all that is known of a job."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from .env import client_options, endpoint_url
from .exec_ import require_endpoint
from .options import kind_option

_UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def _bytes(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    match = re.fullmatch(r"([0-9]{1,12})([kmg]?)(?:i?b)?", value.lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is no size. Write a number of bytes, or one with K, M or G: 500M.")
    return int(match[1]) * _UNITS[match[2]]


@click.command()
@click.argument("name")
@client_options
@kind_option
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default="NAME.tar.gz here",
    help="The archive to write, or a folder to write it in.",
)
@click.option("--no-inputs", is_flag=True, help="Leave the input data out.")
@click.option(
    "--max-size", callback=_bytes, default="1G", show_default=True, help="Leave out objects beyond this, such as 500M."
)
def bundle(
    name: str,
    port: int,
    region: str,
    account: str,
    kind: str | None,
    output: Path,
    no_inputs: bool,
    max_size: int,
) -> None:
    """Write the job NAME to one archive: describe, logs, container view, config files, inputs, outputs.

    Its README.md says what is in it and what was left out.
    """
    require_endpoint(port)
    from ..jobfiles.bundle import plan_bundle
    from ..jobfiles.connecting import make_clients
    from .found_job import find_job
    from .state import shown_size

    job = find_job(make_clients(endpoint_url(port), region=region, account=account), name, kind)
    planned = plan_bundle(job.clients, job.kind, job.name, inputs=not no_inputs, most_bytes=max_size)
    path = planned.write(output)
    click.echo(f"{path} ({shown_size(path.stat().st_size)}): {len(planned.parts)} files. {planned.title}")
    for sentence in planned.left_out:
        click.echo(f"left out: {sentence}", err=True)
