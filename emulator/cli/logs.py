"""`sagemaker-emulator logs`: what a job's containers have written."""

from __future__ import annotations

import time
from typing import Final

import click

from ..contract.life import parse
from .env import client_options, endpoint_url
from .exec_ import require_endpoint
from .options import kind_option

_PAUSE: Final = 0.2


@click.command()
@click.argument("name")
@client_options
@kind_option
@click.option("--follow", "-f", is_flag=True, help="Go on until the job has ended.")
def logs(name: str, port: int, region: str, account: str, kind: str | None, follow: bool) -> None:
    """Print the log of the job NAME; with -f until it ends, also if it has not begun yet."""
    require_endpoint(port)
    from ..jobfiles.clients import service_errors
    from ..jobfiles.connecting import make_clients
    from ..jobfiles.job_log import JobLogReader
    from .found_job import find_job

    job = find_job(make_clients(endpoint_url(port), region=region, account=account), name, kind)
    several = len(parse(job.kind, job.description, job.clients.scope).hosts) > 1
    reader = JobLogReader(job.clients.logs, job.name, job.description["CreationTime"], job.kind)
    while True:
        # The status is older than the lines: once it is final the whole log is there.
        with service_errors():
            lines = reader.read()
        for line in lines:
            click.echo(f"{line.host} {line.message}" if several else line.message)
        if not follow or job.has_ended:
            return
        time.sleep(_PAUSE)
        job.look()
