"""Runs `sagemaker-emulator` as its users do: as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

COMMAND = [sys.executable, "-m", "emulator"]
REPOSITORY = Path(__file__).parents[2]
IMAGE = REPOSITORY / "fixtures/images/behaviour"
SECONDS = 90


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment, without what would make output differ from machine to machine."""
    dropped = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **changes}


def sagemaker_emulator(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=environment(**variables),
        check=False,
    )


@contextmanager
def started(*arguments: object, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command; one that still runs at the end is killed."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(**variables),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return a command's output up to the first line with this text; the test's own time limit is the deadline."""
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} never came:\n{seen}")


def job_file(folder: Path, program: str, *, expect: Mapping[str, Any] | None = None, **changes: Any) -> Path:
    """Write a job file whose job runs a line of shell. `changes` are members of the request."""
    environment = {"PROGRAM": program, **changes.pop("Environment", {})}
    document: dict[str, Any] = {
        "kind": "training",
        "image": {"build": str(IMAGE)},
        "request": {"Environment": environment, **changes},
    }
    if expect is not None:
        document["expect"] = dict(expect)
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait a moment until something holds."""
    deadline = time.monotonic() + 20
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def containers_of(job_name: str) -> str:
    """Return the ids of the containers that a job still has."""
    command = ["docker", "ps", "--all", "--quiet", "--filter", f"label=sagemaker-emulator.job-name={job_name}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
