"""What the engine itself knows of an emulator's jobs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from tests.jobs import AnyJob
from tests.up import SECONDS

PATIENT = ("--recovery-window", "300")
"""Options of an emulator that is killed: what a test does before the next one starts may take its time."""

UNTIL_SIGN = "until [ -e /tmp/go ]; do sleep 0.05; done"
"""Shell: waits for `sign`."""


def containers(job: AnyJob) -> list[str]:
    """Return the ids of all containers of a job."""
    return docker("ps", "-aq", "--filter", f"label=sagemaker-emulator.job-name={job.name}").split()


def host_container(job: AnyJob, host: str) -> str:
    """Return the id of one host's container."""
    names = ("--filter", f"label=sagemaker-emulator.host={host}", "--filter")
    return docker("ps", "-aq", *names, f"label=sagemaker-emulator.job-name={job.name}").strip()


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=SECONDS).stdout


def sign(container: str, path: str = "/tmp/go") -> None:
    """Make the file for which a container's program waits: any does.

    Not with a program in the container, which the end of the one that waits may kill before its own.
    """
    docker("cp", __file__, f"{container}:{path}")


def ended_in_engine(container: str) -> None:
    """Wait until a container has ended, without the emulator."""
    docker("wait", container)


def said(container: str, text: str) -> None:
    """Wait until a container has written a text, without the emulator."""
    deadline = time.monotonic() + SECONDS
    while text not in (found := docker("logs", container)):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def gone(what: Callable[[], list[str]]) -> None:
    """Wait until there is nothing left."""
    deadline = time.monotonic() + SECONDS
    while left := what():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
