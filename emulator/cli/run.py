"""`sagemaker-emulator run`: run job files, show them, and say whether what they expect holds."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..errors import UsageError
from ..reroute import environment
from .options import engine_options
from .own_endpoint import own_endpoint

if TYPE_CHECKING:
    from ..jobfiles.clients import Clients
    from ..jobfiles.document import JobFile

ABANDONED = 130

_OF_OUR_OWN = {
    "engine": "--engine",
    "time_scale": "--time-scale",
    "limit_instances": "--limit-instances",
    "state_dir": "--state-dir",
    "keep": "--keep",
}


@click.command()
@click.argument("job_files", nargs=-1, required=True, metavar="JOBFILE|FOLDER...", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), help="Use the emulator that runs on this port.")
@click.option("--endpoint-url", metavar="URL", help="Use the emulator that runs at this address.")
@click.option("--account", default=environment.DEFAULT_ACCOUNT_ID, show_default=True, help="Account id.")
@click.option("--region", default=environment.DEFAULT_REGION, show_default=True, help="Region.")
@engine_options
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to keep the emulator's data; by default it is removed afterwards.",
)
@click.option("--keep", is_flag=True, help="Keep containers and directories of the jobs, for `shell`; see `kept`.")
@click.option(
    "--watch", is_flag=True, help="Run again whenever a job file, its image's folder, program or data changes."
)
@click.option("--plain/--no-plain", default=None, help="Plain lines, or a live display; by default as fits the output.")
@click.option("--json", "as_json", is_flag=True, help="Print the end as JSON; what happens goes to standard error.")
def run(
    job_files: tuple[Path, ...],
    port: int | None,
    endpoint_url: str | None,
    account: str,
    region: str,
    plain: bool | None,
    as_json: bool,
    watch: bool,
    **own: Any,
) -> None:
    """Run job files with an emulator of their own, or on one that runs already.

    Of a FOLDER every *.yaml is a job file. Builds the images, stores the data, runs each job when those that its
    file names in `after` are done, and checks what is expected. Exit code 0: all of that holds; 1: it does not;
    2: a file is wrong; 3: no engine; 4: no endpoint.
    """
    from ..jobfiles.plan import load_all

    _check_options(port, endpoint_url)
    if watch:
        from .watch import run_and_watch

        sys.exit(run_and_watch(job_files))
    loaded = load_all(job_files)  # what is wrong in them is said before anything is started
    # SIGTERM is what CI sends; it ends the jobs and the emulator as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGUSR1, _abandon)

    clients = _clients(port, endpoint_url, own, region=region, account=account)
    live = not as_json and not _is_plain(plain)
    try:
        if len(job_files) == 1 and not job_files[0].is_dir():
            sys.exit(_run_one(loaded[0], clients, live=live, as_json=as_json))
        sys.exit(_run_several(loaded, clients, live=live, as_json=as_json))
    except _Abandoned:
        sys.exit(ABANDONED)


class _Abandoned(BaseException):
    """What is run is out of date: end it at once, and leave nothing behind."""


def _abandon(*_: object) -> None:
    raise _Abandoned


def _run_one(job_file: JobFile, clients: AbstractContextManager[Clients], *, live: bool, as_json: bool) -> int:
    """Run one job file and return the exit code."""
    from ..jobfiles.runner import run_job
    from .run_output import Output, PlainOutput, json_document

    output: Output
    if live:
        from .run_live import LiveOutput  # takes a while to load

        output = LiveOutput()
    else:
        output = PlainOutput(sys.stderr if as_json else None)
    with output.live(), clients as connected:
        report = run_job(job_file, connected, output.show)
    output.conclude(report)
    if as_json:
        click.echo(json.dumps(json_document(report), indent=2, default=str))
    return report.exit_code


def _run_several(
    job_files: Sequence[JobFile], clients: AbstractContextManager[Clients], *, live: bool, as_json: bool
) -> int:
    """Run job files and return the worst exit code of any."""
    from ..jobfiles.runner import run_jobs
    from .run_table import LiveTableOutput, PlainTableOutput, TableOutput, json_documents

    stream = sys.stderr if as_json else None
    output: TableOutput = LiveTableOutput(job_files) if live else PlainTableOutput(job_files, stream)
    with output.live(), clients as connected:
        ends = run_jobs(job_files, connected, output.show)
    output.conclude(ends)
    if as_json:
        click.echo(json.dumps(json_documents(ends), indent=2, default=str))
    return max(end.exit_code for end in ends)


def _check_options(port: int | None, endpoint_url: str | None) -> None:
    if port is not None and endpoint_url is not None:
        raise UsageError("Give --port or --endpoint-url, not both.")
    if port is None and endpoint_url is None:
        return
    context = click.get_current_context()
    for name, option in _OF_OUR_OWN.items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{option} is for the emulator that `run` starts by itself. Leave it out, or give it to "
                "`sagemaker-emulator up`."
            )


def _is_plain(plain: bool | None) -> bool:
    return not sys.stdout.isatty() if plain is None else plain


@contextmanager
def _clients(
    port: int | None, endpoint_url: str | None, own: dict[str, Any], *, region: str, account: str
) -> Iterator[Clients]:
    """Give clients of the emulator that is to be used."""
    from ..jobfiles.connecting import make_clients

    with _endpoint(port, endpoint_url, own) as url:
        yield make_clients(url, region=region, account=account)


@contextmanager
def _endpoint(port: int | None, endpoint_url: str | None, own: dict[str, Any]) -> Iterator[str]:
    """Give the address of the emulator that is to be used; one of our own ends with the context."""
    if port is not None:
        from .env import endpoint_url as url_of_port
        from .exec_ import require_endpoint

        require_endpoint(port)
        yield url_of_port(port)
    elif endpoint_url is not None:
        from ..jobfiles.connecting import require_endpoint_at

        require_endpoint_at(endpoint_url)
        yield endpoint_url.rstrip("/")
    else:
        with own_endpoint(**own) as endpoint:
            yield endpoint.url
