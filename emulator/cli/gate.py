"""`sagemaker-emulator gate`: let a change pass if the jobs that it concerns still end as they must."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ..errors import EndpointUnavailableError, EngineUnavailableError, UsageError

if TYPE_CHECKING:
    from ..gate.results import Results
    from ..gate.selection import Choice
    from ..gate.summary import LintLine


_STARTING_SECONDS: Final = 60
_PAUSE: Final = 0.2


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="JOBFILE|FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "--changed-since",
    metavar="REF",
    help="Run only jobs of which something has changed since this branch left REF, and those after them.",
)
@click.option(
    "-j", "workers", default="1", show_default=True, metavar="N|auto", help="Run the jobs of N folders at once."
)
@click.option(
    "--engine", default="auto", show_default=True, metavar="RUNG", help="docker, process, auto, all, or several."
)
@click.option(
    "--endpoint-url", metavar="URL", help="Use the emulator at this address; one that just starts is waited for."
)
@click.option("--junit-xml", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit report.")
@click.option(
    "--bundles",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep here an archive of each failed job; by default in pytest's cache.",
)
@click.option(
    "--summary",
    "summary_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a summary in Markdown; by default added to $GITHUB_STEP_SUMMARY, where there is such a file.",
)
@click.option("--lint", "with_lint", is_flag=True, help="Check the images too, as `lint` does; errors fail.")
@click.option("--list", "only_list", is_flag=True, help="Say which jobs would run and why, and run none.")
def gate(
    paths: tuple[Path, ...],
    changed_since: str | None,
    workers: str,
    engine: str,
    endpoint_url: str | None,
    junit_xml: Path | None,
    bundles: Path | None,
    summary_file: Path | None,
    with_lint: bool,
    only_list: bool,
) -> None:
    """Run the job files that a change concerns, with pytest.

    In a FOLDER, and the folders in it, every YAML file that says `kind: training` or `kind: processing` is a job
    file. A job is concerned when git sees a change in its image's folder (what .dockerignore leaves), Dockerfile,
    data, program or job file, committed or not. Exit code 0: all holds; 1: it does not; 2: wrong usage, or a job
    file is wrong; 3: no engine; 4: no endpoint.
    """
    from ..gate.finding import find_job_files
    from ..gate.pytest_run import PytestOptions, require_pytest, run_pytest
    from ..gate.results import Results
    from ..gate.selection import choose, load
    from ..gate.summary import summary

    if not re.fullmatch(r"auto|[1-9]\d*", workers):
        raise UsageError(f"-j {workers} is no number of workers. Write -j 4, or -j auto.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    choices = choose(load(find_job_files(paths)), changed_since)
    _tell(choices)
    if only_list:
        return
    require_pytest(workers)
    running = [one.job_file for one in choices if one.runs]
    lint: list[LintLine] = []
    status, results = 0, Results()
    if running:
        _require_what_runs(engine, endpoint_url)
        if with_lint:
            lint = _lint(choices, static=engine == "process")
        options = PytestOptions(
            engine=engine, endpoint_url=endpoint_url, workers=workers, junit_xml=junit_xml, bundles=bundles
        )
        status, results = run_pytest([one.path for one in running], options)
    elif junit_xml is not None:
        junit_xml.write_text('<?xml version="1.0" encoding="utf-8"?><testsuites/>\n', encoding="utf-8")
    exit_code = _exit_code(status, results, lint)
    text = summary(
        holds=exit_code == 0,
        choices=choices,
        results=results,
        lint=lint,
        seconds=time.monotonic() - started,
        here=Path.cwd(),
    )
    _write_summary(summary_file, text)
    click.echo(f"gate: {'all holds' if exit_code == 0 else 'not all holds'}")
    sys.exit(exit_code)


def _tell(choices: list[Choice]) -> None:
    for one in choices:
        click.echo(f"{'run     ' if one.runs else 'left out'}  {one.job_file.path}: {one.why}")
    click.echo(f"{sum(one.runs for one in choices)} of {len(choices)} job files run")


def _require_what_runs(engine: str, endpoint_url: str | None) -> None:
    """Be sure that there is what the rung needs, before each job says so by itself.

    Raises:
        EngineUnavailableError: there is not.
        EndpointUnavailableError: nobody answers at the address.
    """
    if endpoint_url is None:
        from ..gate.engine import require_engine

        require_engine(engine)
    else:
        _wait_for(endpoint_url)


def _wait_for(endpoint_url: str) -> None:
    from .clients import require_endpoint_at

    deadline = time.monotonic() + _STARTING_SECONDS
    while True:
        try:
            require_endpoint_at(endpoint_url)
        except EndpointUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _lint(choices: list[Choice], *, static: bool) -> list[LintLine]:
    from ..gate.linting import lint_images

    running = [one.job_file for one in choices if one.runs]
    found = list(lint_images(running, lambda line: click.echo(f"  {line}"), static=static))
    for one in found:
        click.echo(f"{one.image}: {one.severity}: {one.message} [{one.rule}]")
    return found


def _exit_code(status: int, results: Results, lint: list[LintLine]) -> int:
    """Return ours for pytest's: 2 is a job file that cannot be collected, 4 is wrong usage."""
    from ..gate.pytest_run import INTERRUPTED

    if status == INTERRUPTED:
        return INTERRUPTED
    if status in (2, 4):
        return UsageError.exit_code
    if any(one.has_no_engine for one in results.jobs):
        return EngineUnavailableError.exit_code
    failed = status != 0 or any(one.severity == "error" for one in lint)
    return 1 if failed else 0


def _write_summary(path: Path | None, text: str) -> None:
    of_github = os.environ.get("GITHUB_STEP_SUMMARY")
    try:
        if path is not None:
            path.write_text(text, encoding="utf-8")
        elif of_github:
            with Path(of_github).open("a", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"The summary cannot be written to {path or of_github}: {error.strerror}.") from error
