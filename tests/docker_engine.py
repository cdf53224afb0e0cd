"""What the Docker Engine has of an emulator's jobs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Collection

from tests.jobs import AnyJob
from tests.up import SECONDS

UNTIL_SIGN = "until [ -e /tmp/go ]; do sleep 0.05; done"
"""Shell: waits for `sign`."""


def docker(*arguments: str, stdin: str = "") -> str:
    """Return what a command of docker prints."""
    done = subprocess.run(
        ["docker", *arguments], input=stdin, capture_output=True, text=True, check=True, timeout=SECONDS
    )
    return done.stdout


def containers_of(*job_names: str) -> list[str]:
    """Return the ids of the containers that jobs still have."""
    return [
        container
        for name in job_names
        for container in docker("ps", "-aq", "--filter", f"label=sagemaker-emulator.job-name={name}").split()
    ]


def containers(job: AnyJob) -> list[str]:
    """Return the ids of all containers of a job."""
    return containers_of(job.name)


def container_of(job: AnyJob) -> str:
    """Return the id of the container of a job that has one, and no second one."""
    (found,) = containers(job)
    return found


def host_container(job: AnyJob, host: str) -> str:
    """Return the id of one host's container."""
    names = ("--filter", f"label=sagemaker-emulator.host={host}", "--filter")
    return docker("ps", "-aq", *names, f"label=sagemaker-emulator.job-name={job.name}").strip()


def volumes_of(*job_names: str) -> set[str]:
    """Return the unnamed volumes that the engine has made for the containers of jobs."""
    mounts = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    return set(docker("inspect", "-f", mounts, *containers_of(*job_names)).split())


def every_volume() -> set[str]:
    """Return the names of all volumes of the machine."""
    return set(docker("volume", "ls", "-q").split())


def sign(container: str, path: str = "/tmp/go") -> None:
    """Make the file for which a container's program waits, also if that has not started yet.

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


def gone(what: Callable[[], Collection[object]]) -> None:
    """Wait until there is nothing left."""
    deadline = time.monotonic() + SECONDS
    while left := what():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
