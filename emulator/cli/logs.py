"""`sagemaker-emulator logs`: what a training job's containers have written."""

from __future__ import annotations

import time
from typing import Final

import click

from .env import client_options, endpoint_url
from .exec_ import require_endpoint

_PAUSE: Final = 0.2


@click.command()
@click.argument("name")
@client_options
@click.option("--follow", "-f", is_flag=True, help="Go on until the job has ended.")
def logs(name: str, port: int, region: str, account: str, follow: bool) -> None:
    """Print the log of the training job NAME; with -f until it ends, also if it has not begun yet."""
    require_endpoint(port)
    from ..contract.status import is_terminal
    from ..jobfiles.clients import service_errors
    from ..jobfiles.job_log import JobLogReader
    from .clients import describe_job, make_clients

    clients = make_clients(endpoint_url(port), region=region, account=account)
    description = describe_job(clients, name)
    several = sum(_counts(description["ResourceConfig"])) > 1
    reader = JobLogReader(clients.logs, description["TrainingJobName"], description["CreationTime"])
    while True:
        # The status first: once it is final the whole log is there.
        with service_errors():
            lines = reader.read()
        for line in lines:
            click.echo(f"{line.host} {line.message}" if several else line.message)
        if not follow or is_terminal(description):
            return
        time.sleep(_PAUSE)
        description = describe_job(clients, name)


def _counts(resources: dict[str, object]) -> list[int]:
    """Return how many hosts each instance group has."""
    groups = resources.get("InstanceGroups") or [resources]
    assert isinstance(groups, list)
    return [group.get("InstanceCount", 1) for group in groups]
