"""`sagemaker-emulator stop`: stop a training job."""

from __future__ import annotations

import time
from typing import Final

import click

from ..errors import EmulatorError
from .env import client_options, endpoint_url
from .exec_ import require_endpoint

_PAUSE: Final = 0.1
# The service's 120 seconds between SIGTERM and SIGKILL, and what uploading may take.
_DEADLINE_SECONDS: Final = 900


@click.command()
@click.argument("name")
@client_options
@click.option("--wait", is_flag=True, help="Wait until the job has ended.")
def stop(name: str, port: int, region: str, account: str, wait: bool) -> None:
    """Stop the training job NAME: SIGTERM, 120 seconds, SIGKILL. What it has made is kept."""
    require_endpoint(port)
    from ..contract.status import is_terminal
    from ..jobfiles.clients import service_errors
    from .clients import describe_job, make_clients

    clients = make_clients(endpoint_url(port), region=region, account=account)
    description = describe_job(clients, name)
    with service_errors():
        clients.sagemaker.stop_training_job(TrainingJobName=name)
    click.echo(f"{description['TrainingJobName']} is being stopped")
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while wait and not is_terminal(description):
        if time.monotonic() > deadline:
            raise EmulatorError(
                f"{name} has not ended {_DEADLINE_SECONDS} s after StopTrainingJob; it is "
                f"{description['TrainingJobStatus']} ({description['SecondaryStatus']}).\n"
                f"See what it does: sagemaker-emulator logs --port {port} {name}"
            )
        time.sleep(_PAUSE)
        description = describe_job(clients, name)
    if wait:
        click.echo(f"{description['TrainingJobName']} is {description['TrainingJobStatus']}")
