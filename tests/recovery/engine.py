"""What the engine itself knows of an emulator's jobs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from tests.jobs import AnyJob


def containers(job: AnyJob) -> list[str]:
    """Return the ids of all containers of a job."""
    return docker("ps", "-aq", "--filter", f"label=sagemaker-emulator.job-name={job.name}").split()


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def ended_in_engine(job: AnyJob) -> None:
    """Wait until a job's container has ended, without the emulator."""
    deadline = time.monotonic() + 30
    while docker("ps", "-q", "--filter", f"label=sagemaker-emulator.job-name={job.name}"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def gone(what: Callable[[], list[str]], seconds: float = 30) -> None:
    """Wait until there is nothing left."""
    deadline = time.monotonic() + seconds
    while left := what():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
