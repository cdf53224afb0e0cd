"""`sagemaker-emulator up`: serve until told to stop."""

from __future__ import annotations

import logging
import re
import signal
import threading
from pathlib import Path

import click

from ..config import DEFAULT_HOST, DEFAULT_MAX_PARALLEL_JOBS, DEFAULT_PORT, DEFAULT_RECOVERY_WINDOW, Settings
from .options import engine_options
from .state import state_dir_option


def _checked_url(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse what no client in a container could use: it would be found out there only."""
    if value is not None and not re.fullmatch(r"https?://[^/:@?#\s]+(:\d{1,5})?/?", value):
        raise click.BadParameter(f"{value!r} is no address. Write it as http://host.docker.internal:4750")
    return value


def _checked_names(_ctx: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse what no Host header is compared with."""
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", name):
            raise click.BadParameter(f"{name!r} is no name of a host. Write it without scheme and port: ml.example.com")
    return names


@click.command()
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen at; loopback unless asked.")
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="NAME",
    callback=_checked_names,
    help="A name under which clients and browsers come, beside addresses and localhost. Repeatable.",
)
@state_dir_option
@engine_options
@click.option(
    "--max-parallel-jobs",
    default=DEFAULT_MAX_PARALLEL_JOBS,
    show_default=True,
    type=click.IntRange(min=1, max=1000),
    help="Further jobs wait as Pending.",
)
@click.option(
    "--recovery-window",
    default=DEFAULT_RECOVERY_WINDOW,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="If this process is killed, containers run on for so long, for the next one with this state to take up.",
)
@click.option(
    "--copy-data",
    is_flag=True,
    help="Copy data into containers instead of mounting it. An engine on another machine is noticed by itself.",
)
@click.option(
    "--container-endpoint",
    metavar="URL",
    callback=_checked_url,
    help="Where containers reach this endpoint, if the engine's own address does not do.",
)
@click.option(
    "--programs",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What the process engine runs in the place of images: a YAML file of image names and programs.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log every step.")
def up(
    port: int,
    host: str,
    allow_hosts: tuple[str, ...],
    state_dir: Path,
    engine: str,
    time_scale: float,
    limit_instances: bool,
    max_parallel_jobs: int,
    recovery_window: float,
    copy_data: bool,
    container_endpoint: str | None,
    programs: Path | None,
    verbose: bool,
) -> None:
    """Serve a local SageMaker in the foreground until Ctrl-C or SIGTERM."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Set before anything is started, so that nothing is left behind by an early signal.
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    from ..endpoint import Endpoint
    from .programs import ready_programs

    listed = ready_programs(programs) if programs is not None else {}
    settings = Settings(
        host=host,
        allow_hosts=allow_hosts,
        port=port,
        engine=engine,
        state_dir=state_dir,
        time_scale=time_scale,
        limit_instances=limit_instances,
        max_parallel_jobs=max_parallel_jobs,
        recovery_window=recovery_window,
        copy_data=copy_data,
        container_endpoint=container_endpoint,
    )
    with Endpoint(settings) as endpoint:
        for image, program in listed.items():
            endpoint.emulator.programs.register(image, program)
        click.echo(f"sagemaker-emulator serves at {endpoint.url} ({endpoint.emulator.engine.name} engine)")
        click.echo(f"Run a program against it: sagemaker-emulator exec --port {endpoint.port} -- COMMAND")
        stop.wait()
        click.echo("Stopping: running jobs are ended and their containers removed.")
