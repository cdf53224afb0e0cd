"""Programs that benchmarks run."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_LONGEST_SECONDS = 300


class CannotRunError(Exception):
    """A benchmark cannot run here; the text says why."""


def run(*command: str | Path, timeout: float = _LONGEST_SECONDS) -> str:
    """Run a program and return what it printed.

    Raises:
        CannotRunError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-1000:]
        raise CannotRunError(f"`{' '.join(map(str, command))[:200]}` ended with {done.returncode}: {said}")
    return done.stdout


def seconds_of(*commands: Sequence[str]) -> float:
    """Return how long programs take that are started at once, until the last has ended."""
    started = time.perf_counter()
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for command in commands
    ]
    errors = [process.communicate(timeout=_LONGEST_SECONDS)[1] for process in running]
    seconds = time.perf_counter() - started
    for process, error in zip(running, errors, strict=True):
        if process.returncode != 0:
            raise CannotRunError(f"`{process.args!r}` ended with {process.returncode}: {error.strip()[-1000:]}")
    return seconds
