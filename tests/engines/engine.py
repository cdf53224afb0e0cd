"""What the Docker Engine has of an emulator's jobs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Collection
from pathlib import Path

from tests.up import SECONDS


def docker(*arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        ["docker", *arguments], input=stdin, capture_output=True, text=True, check=True, timeout=SECONDS
    )
    return done.stdout


def left(*job_names: str) -> list[str]:
    """Return the containers of jobs."""
    return [
        container
        for name in job_names
        for container in docker("ps", "-aq", "--filter", f"label=sagemaker-emulator.job-name={name}").split()
    ]


def volumes_of(*job_names: str) -> set[str]:
    """Return the unnamed volumes that the engine has made for the containers of jobs."""
    mounts = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}'
    return set(docker("inspect", "-f", mounts, *left(*job_names)).split())


def every_volume() -> set[str]:
    return set(docker("volume", "ls", "-q").split())


def in_work(state_dir: Path) -> list[Path]:
    """Return the workspaces of jobs."""
    return list((state_dir / "work").iterdir())


def gone(what: Callable[[], Collection[object]]) -> bool:
    """Wait until there is nothing left."""
    deadline = time.monotonic() + SECONDS
    while what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
