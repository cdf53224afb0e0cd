"""`sagemaker-emulator exec`: run a program whose every request for AWS goes to the endpoint."""

from __future__ import annotations

import http.client
import os
import signal
from http import HTTPStatus

import click

from ..errors import EmulatorError, EndpointUnavailableError
from ..reroute import environment
from .env import client_options, endpoint_url

_HEALTH_SECONDS = 30.0  # of a busy machine; where nobody listens the answer is there at once


class CommandNotFoundError(EmulatorError):
    """There is no such program; the exit code is the shell's for it."""

    exit_code = 127


class CommandNotExecutableError(EmulatorError):
    """There is such a file, and it cannot be run; the exit code is the shell's for it."""

    exit_code = 126


@click.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@client_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(port: int, region: str, account: str, command: tuple[str, ...]) -> None:
    """Run COMMAND with all that it asks of AWS sent to the endpoint.

    Python programs are rerouted even where they name an address of AWS, and cannot reach AWS. Other
    programs find the endpoint in their environment. The exit code is COMMAND's.
    """
    require_endpoint(port)
    parent = dict(os.environ)
    config = environment.write_sdk_config(environment.cache_folder(parent), region=region, account_id=account)
    child = environment.exec_environment(
        parent, endpoint_url(port), region=region, account_id=account, sdk_config=config
    )
    become(command, child)


def require_endpoint(port: int) -> None:
    """Raise unless the endpoint answers on this port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_HEALTH_SECONDS)
    try:
        connection.request("GET", "/_emulator/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise EndpointUnavailableError(
            f"The endpoint does not answer at {endpoint_url(port)}: {error}\n"
            f"Start it first: sagemaker-emulator up --port {port}"
        ) from error
    finally:
        connection.close()
    if status != HTTPStatus.OK:
        raise EndpointUnavailableError(
            f"What answers at {endpoint_url(port)} is not a healthy sagemaker-emulator: "
            f"/_emulator/health said {status}.\n"
            f"Stop it, or use another port: sagemaker-emulator up --port {port + 1}"
        )


def become(command: tuple[str, ...], child: dict[str, str]) -> None:
    """Turn this process into the command, so that its signals and its exit code are its own."""
    # Python ignores these two, and what is ignored stays ignored in the program that takes our place.
    for name in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(name, signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, child)  # noqa: S606 - to run the user's command is what we are asked
    except FileNotFoundError as error:
        raise CommandNotFoundError(
            f"There is no command {command[0]!r} to run.\nCheck its spelling, and PATH."
        ) from error
    except OSError as error:
        raise CommandNotExecutableError(
            f"The command {command[0]!r} cannot be run: {error.strerror}\n"
            "Check that it is a file with the executable bit and, if a script, a first line that names "
            "its interpreter."
        ) from error
