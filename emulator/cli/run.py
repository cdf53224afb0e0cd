"""`sagemaker-emulator run`: run a job file, show it, and say whether what it expects holds."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from click.core import ParameterSource

from ..errors import UsageError
from ..reroute import environment
from .options import engine_options

_OF_OUR_OWN = {
    "engine": "--engine",
    "time_scale": "--time-scale",
    "limit_instances": "--limit-instances",
    "state_dir": "--state-dir",
}


@click.command()
@click.argument("job_file", type=click.Path(path_type=Path))
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
@click.option("--plain/--no-plain", default=None, help="Plain lines, or a live display; by default as fits the output.")
@click.option("--json", "as_json", is_flag=True, help="Print the end as JSON; what happens goes to standard error.")
def run(
    job_file: Path,
    port: int | None,
    endpoint_url: str | None,
    account: str,
    region: str,
    plain: bool | None,
    as_json: bool,
    **own: Any,
) -> None:
    """Run JOB_FILE with an emulator of its own, or on one that runs already.

    Builds its image, stores its data, runs its job and checks what it expects. Exit code 0: all of that
    holds; 1: it does not; 2: the file is wrong; 3: no engine; 4: no endpoint.
    """
    from ..jobfiles.document import JobFile

    _check_options(port, endpoint_url)
    loaded = JobFile.load(job_file)  # what is wrong in it is said before anything is started
    # SIGTERM is what CI sends; it ends the job and the emulator as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    from ..jobfiles.runner import run_job
    from .clients import make_clients
    from .run_output import LiveOutput, Output, PlainOutput, json_document

    output: Output
    if as_json:
        output = PlainOutput(sys.stderr)
    else:
        output = PlainOutput() if _is_plain(plain) else LiveOutput()
    with output.live(), _endpoint(port, endpoint_url, own) as url:
        report = run_job(loaded, make_clients(url, region=region, account=account), output.show)
    output.conclude(report)
    if as_json:
        click.echo(json.dumps(json_document(report), indent=2, default=str))
    if not report.passed:
        sys.exit(1)


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
def _endpoint(port: int | None, endpoint_url: str | None, own: dict[str, Any]) -> Iterator[str]:
    """Give the address of the emulator that is to be used; one of our own ends with the context."""
    if port is not None:
        from .env import endpoint_url as url_of_port
        from .exec_ import require_endpoint

        require_endpoint(port)
        yield url_of_port(port)
    elif endpoint_url is not None:
        from .clients import require_endpoint_at

        require_endpoint_at(endpoint_url)
        yield endpoint_url.rstrip("/")
    else:
        with _own_endpoint(**own) as url:
            yield url


@contextmanager
def _own_endpoint(*, state_dir: Path | None, **settings: Any) -> Iterator[str]:
    from ..config import Settings
    from ..endpoint import Endpoint

    with (
        TemporaryDirectory(prefix="sagemaker-emulator-", ignore_cleanup_errors=True) as temporary,
        Endpoint(Settings(port=0, recovery_window=0, state_dir=state_dir or Path(temporary), **settings)) as endpoint,
    ):
        yield endpoint.url
