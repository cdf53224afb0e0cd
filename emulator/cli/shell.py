"""`sagemaker-emulator shell`: a shell where a job's program would run, or has run."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from botocore.exceptions import ClientError

from ..contract.hands_on import HandsOn
from ..errors import EmulatorError, UsageError
from ..reroute import environment
from .options import engine_options
from .terminal import has_terminal, run_in_foreground

if TYPE_CHECKING:
    from ..endpoint import Endpoint
    from ..engines.kept import KeptJob
    from ..jobfiles.clients import Clients
    from ..jobfiles.document import JobFile
    from ..jobfiles.events import Event

_ENDINGS = (".yaml", ".yml")


@click.command()
@click.option("--host", default="algo-1", show_default=True, help="Which host's container.")
@click.option("--account", default=environment.DEFAULT_ACCOUNT_ID, show_default=True, help="Account id.")
@click.option("--region", default=environment.DEFAULT_REGION, show_default=True, help="Region.")
@engine_options
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Of a kept job: where it was kept. Of a job file: where to keep the emulator's data.",
)
@click.argument("job", metavar="JOB|JOBFILE")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def shell(
    host: str,
    account: str,
    region: str,
    engine: str,
    time_scale: float,
    limit_instances: bool,
    state_dir: Path | None,
    job: str,
    command: tuple[str, ...],
) -> None:
    """Open a shell in a job's container, or run one COMMAND there and exit as it does.

    Given a JOBFILE, in the prepared container before its program starts: same mounts, variables, user and network.
    Leaving the shell ends the job. Given the name of a JOB of a `run --keep`, where that job's program has ended.
    """
    path = Path(job)
    if path.suffix in _ENDINGS or path.is_file():
        own: dict[str, Any] = {
            "engine": engine,
            "time_scale": time_scale,
            "limit_instances": limit_instances,
            "state_dir": state_dir,
        }
        from .hands_on_run import run_hands_on, with_those_before

        job_files = with_those_before(path)
        inside = _Inside(job_files[-1], host, command)
        end = run_hands_on(job_files, HandsOn(hold=True), inside.hear, region=region, account=account, **own)
        sys.exit(inside.exit_code if inside.exit_code is not None else inside.explain(end))
    sys.exit(_in_kept(_kept(job, state_dir), host, command))


class _Inside:
    """Enters the prepared container once it runs, and ends its job afterwards."""

    def __init__(self, job_file: JobFile, host: str, command: Sequence[str]) -> None:
        self._job_file = job_file
        self._host = host
        self._command = command
        self._name = self._arn = ""
        self.exit_code: int | None = None

    def hear(self, endpoint: Endpoint, clients: Clients, event: Event) -> None:
        """Take what happens to the job."""
        from ..contract.life import running_since
        from ..jobfiles.events import JobCreated, StatusEntered

        match event:
            case JobCreated():
                self._name, self._arn = event.name, event.arn
            case StatusEntered() if self.exit_code is None:
                record = endpoint.emulator.records.get(self._arn)
                if record is not None and running_since(record.kind, record.facts) is not None:
                    self._enter(endpoint, clients, record.unique_name)
            case _:
                pass

    def _enter(self, endpoint: Endpoint, clients: Clients, unique_name: str) -> None:
        try:
            view = clients.container_view(self._arn)
            hosts = view["hosts"] if view is not None else {}
            if self._host not in hosts:
                raise UsageError(f"{self._name} has no host {self._host}, but {', '.join(hosts)}. Choose one: --host")
            argv = endpoint.emulator.engine.enter(
                unique_name, self._host, self._command, terminal=has_terminal(self._command)
            )
            if not self._command:
                click.echo(
                    f"This is {self._host} of {self._name}, before its program starts, which is: "
                    f"{shlex.join(hosts[self._host]['command'])}\nLeaving the shell ends the job.",
                    err=True,
                )
            self.exit_code = run_in_foreground(argv)
        finally:
            with suppress(ClientError):  # it has ended by itself
                clients.stop(self._name, self._job_file.kind)

    def explain(self, end: object) -> int:
        """Say why there was no shell."""
        from ..jobfiles.report import JobReport, Unfinished

        if isinstance(end, Unfinished):
            raise end.error
        assert isinstance(end, JobReport)
        raise EmulatorError(
            f"{end.name} has ended {end.status} before there was a container to enter: {end.failure_reason}"
        )


def _kept(name: str, state_dir: Path | None) -> KeptJob:
    """Return the last job of a name that is kept."""
    from .kept import all_kept

    found = [one for one in all_kept(state_dir, tell=False) if one.name == name]
    if not found:
        raise UsageError(
            f"No job {name!r} is kept, and there is no such job file. See what is kept: sagemaker-emulator kept\n"
            "To keep what a job leaves: sagemaker-emulator run --keep JOBFILE"
        )
    return found[-1]


def _in_kept(kept: KeptJob, host: str, command: Sequence[str]) -> int:
    from ..engines.kept import entered

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with entered(kept, host, command, terminal=has_terminal(command)) as argv:
        if not command:
            click.echo(
                f"This is where {host} of {kept.name} has ended. Changes of its image's files are lost.", err=True
            )
        return run_in_foreground(argv)
