"""`sagemaker-emulator debug`: run a job file's job with its program waiting for a debugger."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..contract.hands_on import Debugging, HandsOn
from ..errors import UsageError
from ..reroute import environment
from .options import engine_options

if TYPE_CHECKING:
    from ..endpoint import Endpoint
    from ..jobfiles.clients import Clients
    from ..jobfiles.document import JobFile
    from ..jobfiles.events import Event


@click.command()
@click.argument("job_file", metavar="JOBFILE", type=click.Path(path_type=Path))
@click.option(
    "--debug-port",
    default=5678,
    show_default=True,
    type=click.IntRange(1024, 65535),
    help="Where the debugger attaches, on this machine's loopback address.",
)
@click.option("--host", default="algo-1", show_default=True, help="Which host's program waits.")
@click.option(
    "--program",
    default="",
    metavar="FILE",
    help="The file name of the program that waits; by default the user's own, else the first that Python runs.",
)
@click.option("--account", default=environment.DEFAULT_ACCOUNT_ID, show_default=True, help="Account id.")
@click.option("--region", default=environment.DEFAULT_REGION, show_default=True, help="Region.")
@engine_options
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to keep the emulator's data; by default it is removed afterwards.",
)
def debug(job_file: Path, debug_port: int, host: str, program: str, account: str, region: str, **own: Any) -> None:
    """Run the job of JOBFILE; its Python program waits until a debugger attaches.

    Says what to put into VS Code or PyCharm. The service's time limit does not count. Exit codes are those of `run`.
    """
    from ..debugger.tools import debug_tools
    from .hands_on_run import run_hands_on, with_those_before

    *before, target = with_those_before(job_file)
    _check(target, debug_port)
    target = replace(target, expect=replace(target.expect, max_seconds=None))
    told = _Told(target)
    with debug_tools() as tools:
        debugging = Debugging(
            host=host, port=debug_port, tools=tools, token=secrets.token_hex(8), program=Path(program).name
        )
        hands_on = HandsOn(debugging=debugging)
        end = run_hands_on([*before, target], hands_on, told.hear, shown=True, region=region, account=account, **own)
    from ..jobfiles.report import Unfinished
    from .run_output import PlainOutput

    if isinstance(end, Unfinished):
        raise end.error
    PlainOutput().conclude(end)
    if not told.has_waited:
        click.echo(f"No Python program of {host} has waited. If it has one, name its file: --program FILE", err=True)
    sys.exit(end.exit_code)


class _Told:
    """Tells how to attach, once the program says that it waits."""

    def __init__(self, job_file: JobFile) -> None:
        self._sources = _sources(job_file)
        self.has_waited = False

    def hear(self, _endpoint: Endpoint, _clients: Clients, event: Event) -> None:
        """Take what happens to the job."""
        from ..debugger.recipe import Waiting
        from ..jobfiles.events import LogLine

        if isinstance(event, LogLine):
            waiting = Waiting.told_by(event.message, self._sources)
            if waiting is not None:
                self.has_waited = True
                click.echo(waiting.lines)


def _sources(job_file: JobFile) -> Sequence[Path]:
    from ..jobfiles.document import ImageBuild

    folders = [job_file.path.parent]
    if isinstance(job_file.image, ImageBuild):
        folders.append(job_file.image.context)
    if job_file.program is not None and job_file.program.source is not None:
        folders.append(job_file.program.source)
    resolved = {folder.resolve() for folder in folders}
    return sorted(one for one in resolved if not resolved.intersection(one.parents))


def _check(job_file: JobFile, port: int) -> None:
    """Refuse what cannot work, before anything is started."""
    request = job_file.request
    network = request.get("NetworkConfig")
    if request.get("EnableNetworkIsolation") or (isinstance(network, dict) and network.get("EnableNetworkIsolation")):
        raise job_file.yaml.error(
            ("request",), "no debugger reaches an isolated job. Take EnableNetworkIsolation out while you debug."
        )
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"Port {port} of 127.0.0.1 cannot be had ({error.strerror}). Choose another: --debug-port N"
            ) from error
