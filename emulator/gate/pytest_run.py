"""Runs job files with pytest, in a process of its own: with the project's configuration, and its output as it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from ..errors import UsageError
from .results import OPTION, Results

_ALL_THAT_IS_NAMED: Final = "sagemaker_job_files=*.yaml *.yml"
_PACKAGE: Final = __name__.partition(".")[0]
INTERRUPTED: Final = 130
# After Ctrl-C pytest stops the jobs, whose containers have 120 s, and ends the emulator.
_END_SECONDS: Final = 180


@dataclass(frozen=True, kw_only=True)
class PytestOptions:
    """How pytest is called."""

    engine: str
    endpoint_url: str | None = None
    workers: str = "1"
    junit_xml: Path | None = None
    bundles: Path | None = None


def require_pytest(workers: str) -> None:
    """Be sure that pytest is there, and what it needs to run jobs side by side.

    Raises:
        UsageError: it is not; the text says what to install.
    """
    if find_spec("pytest") is None:
        raise UsageError(
            "The gate runs jobs with pytest, which is not installed here. "
            f"Install it: {sys.executable} -m pip install 'sagemaker-emulator[pytest]'"
        )
    if workers != "1" and find_spec("xdist") is None:
        raise UsageError(
            f"-j {workers} runs jobs side by side with pytest-xdist, which is not installed here. "
            f"Install it: {sys.executable} -m pip install pytest-xdist, or leave -j out."
        )


def run_pytest(files: Sequence[Path], options: PytestOptions) -> tuple[int, Results]:
    """Run job files, and return pytest's exit status and what became of each.

    A KeyboardInterrupt ends pytest in order, once.
    """
    with TemporaryDirectory(prefix="sagemaker-emulator-gate-") as folder:
        path = Path(folder) / "results.json"
        command = [*_command(files, options), f"{OPTION}={path}"]
        # A group of its own: Ctrl-C comes to us alone, and pytest gets it from us, not twice.
        with subprocess.Popen(command, process_group=0) as process:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                os.kill(process.pid, signal.SIGINT)
                _end(process)
                status = INTERRUPTED
        return status, Results.read(path)


def _command(files: Sequence[Path], options: PytestOptions) -> Iterator[str]:
    # -P: a folder `emulator` of the project is not ours.
    yield from (sys.executable, "-P", "-m", "pytest", *map(str, files))
    yield from ("-p", f"{_PACKAGE}.pytest_plugin", "-p", f"{__package__}.pytest_hooks")
    yield from ("-o", _ALL_THAT_IS_NAMED, f"--sagemaker-engine={options.engine}")
    if options.endpoint_url is not None:
        yield f"--sagemaker-endpoint={options.endpoint_url}"
    if options.workers != "1":
        # By groups: the job files of a folder belong together.
        yield from ("-n", options.workers, "--dist", "loadgroup")
    if options.junit_xml is not None:
        yield f"--junit-xml={options.junit_xml}"
    if options.bundles is not None:
        yield f"--sagemaker-bundle-dir={options.bundles.absolute()}"


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()
