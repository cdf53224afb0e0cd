"""Runs `sagemaker-emulator` as its users do: as a program of its own."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.docker_engine import containers_of, sign

COMMAND = [sys.executable, "-m", "emulator"]
REPOSITORY = Path(__file__).parents[2]
IMAGE = REPOSITORY / "fixtures/images/behaviour"
# What takes one second here may take a minute on a machine that is busy with other tests.
SECONDS = 240


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment, without what would make output differ from machine to machine."""
    dropped = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **changes}


def sagemaker_emulator(
    *arguments: object, seconds: float = SECONDS, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
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


def job_file(
    folder: Path,
    program: str,
    *,
    name: str = "job",
    after: Sequence[str] = (),
    expect: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """Write a job file whose training job runs a line of shell. `changes` are members of the request."""
    environment = {"PROGRAM": program, **changes.pop("Environment", {})}
    return _written(folder / f"{name}.yaml", "training", after, {"Environment": environment, **changes}, expect)


def processing_job_file(
    folder: Path,
    program: str,
    *,
    name: str = "job",
    after: Sequence[str] = (),
    expect: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """Write a job file whose processing job runs a line of shell. `changes` are members of the request."""
    application = {"ContainerEntrypoint": ["sh", "-c", program]}
    return _written(folder / f"{name}.yaml", "processing", after, {"AppSpecification": application, **changes}, expect)


def _written(
    path: Path, kind: str, after: Sequence[str], request: Mapping[str, Any], expect: Mapping[str, Any] | None
) -> Path:
    document: dict[str, Any] = {"kind": kind, "image": {"build": str(IMAGE)}, "request": request}
    if after:
        document["after"] = list(after)
    if expect is not None:
        document["expect"] = dict(expect)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def lines(output: str, name: str) -> list[str]:
    """Return what plain output says about one thing."""
    return [line[10:] for line in output.splitlines() if line.startswith(f"{name:<9} ")]


def in_a_terminal(*arguments: object) -> tuple[str, int]:
    """Run a command in a pseudo-terminal and return all that it wrote there, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(TERM="xterm-256color"),
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := _read(ours):
            written += chunk
        return written.decode(), process.wait(SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError as error:
        if error.errno != errno.EIO:  # the other side is closed: the end
            raise
        return b""


def without_colors(written: str) -> str:
    """Return what a terminal was sent, without its control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written).replace("\r", "\n")


def eventually(holds: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Wait until something holds, and tell whether it did in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def go(job_name: str) -> None:
    """Tell the containers of a job, which wait with `UNTIL_SIGN`, to go on."""
    assert eventually(lambda: bool(containers_of(job_name))), job_name
    for container in containers_of(job_name):
        sign(container)
