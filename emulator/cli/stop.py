"""`sagemaker-emulator stop`: stop a job."""

from __future__ import annotations

import time
from typing import Final

import click

from ..errors import EmulatorError
from .env import client_options, endpoint_url
from .exec_ import require_endpoint
from .options import kind_option

_PAUSE: Final = 0.1
# The service's 120 seconds between SIGTERM and SIGKILL, and what uploading may take.
_DEADLINE_SECONDS: Final = 900


@click.command()
@click.argument("name")
@client_options
@kind_option
@click.option("--wait", is_flag=True, help="Wait until the job has ended.")
def stop(name: str, port: int, region: str, account: str, kind: str | None, wait: bool) -> None:
    """Stop the job NAME: SIGTERM, 120 seconds, SIGKILL. What it has made is kept."""
    require_endpoint(port)
    from ..jobfiles.connecting import make_clients
    from .found_job import find_job

    job = find_job(make_clients(endpoint_url(port), region=region, account=account), name, kind)
    job.stop()
    click.echo(f"{job.name} is being stopped")
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while wait and not job.has_ended:
        if time.monotonic() > deadline:
            raise EmulatorError(
                f"{name} has not ended {_DEADLINE_SECONDS} s after Stop{job.kind.noun}; it is {job.status}.\n"
                f"See what it does: sagemaker-emulator logs --port {port} {name}"
            )
        time.sleep(_PAUSE)
        job.look()
    if wait:
        click.echo(f"{job.name} is {job.status}")
