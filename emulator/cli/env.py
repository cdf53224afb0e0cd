"""`sagemaker-emulator env`: what a shell exports so that AWS clients talk to the endpoint."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import click

from ..config import DEFAULT_PORT
from ..reroute import environment

Command = TypeVar("Command", bound=Callable[..., None])


def client_options(command: Command) -> Command:
    """Add the options that say which endpoint, region and account a client shall see."""
    for option in (
        click.option("--account", default=environment.DEFAULT_ACCOUNT_ID, show_default=True, help="Account id."),
        click.option("--region", default=environment.DEFAULT_REGION, show_default=True, help="Region."),
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            default=DEFAULT_PORT,
            show_default=True,
            help="Port of the endpoint on this machine.",
        ),
    ):
        command = option(command)
    return command


def endpoint_url(port: int) -> str:
    """Return the address of the endpoint on this machine."""
    return f"http://127.0.0.1:{port}"


@click.command("env")
@client_options
def env(port: int, region: str, account: str) -> None:
    """Print shell lines that point AWS clients at the endpoint.

    Use it as: eval "$(sagemaker-emulator env)"
    """
    parent = dict(os.environ)
    config = environment.write_sdk_config(environment.cache_folder(parent), region=region, account_id=account)
    variables = environment.env_environment(
        parent, endpoint_url(port), region=region, account_id=account, sdk_config=config
    )
    click.echo(environment.exported(variables, environment.unset_names(parent)), nl=False)
