"""`sagemaker-emulator up` as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.jobs import Clients, TrainingJobs

COMMAND = [sys.executable, "-m", "emulator", "up"]

# What takes one second here may take a minute on a machine that is busy with other tests.
SECONDS = 150

PATIENT = ("--recovery-window", "300")
"""Options of an emulator that is killed: what a test does before the next one starts may take its time."""

_held: dict[int, socket.socket] = {}


class Up:
    """A running `sagemaker-emulator up`."""

    def __init__(self, process: subprocess.Popen[str], port: int, state_dir: Path) -> None:
        self.process = process
        self.port = port
        self.state_dir = state_dir
        self.clients = Clients(f"http://127.0.0.1:{port}")

    def jobs(self, image: Callable[[str], str], bucket: str = "") -> TrainingJobs:
        """Return a way to start jobs, in a bucket that is made if it is not there."""
        bucket = bucket or f"up-{uuid.uuid4().hex[:8]}"
        self.clients.s3.create_bucket(Bucket=bucket)
        return TrainingJobs(self.clients, bucket, image)

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=SECONDS)


def in_work(state_dir: Path) -> list[Path]:
    """Return the workspaces of jobs."""
    return list((state_dir / "work").iterdir())


def free_port() -> int:
    """Return a port that nobody else is given before this process ends.

    It stays bound here without listening. The kernel gives it to nobody who asks for any port, for a server or for a
    connection, while a server that names it can listen there: servers reuse addresses.
    """
    held = socket.socket()
    held.bind(("", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port = int(held.getsockname()[1])
    _held[port] = held
    return port


@contextlib.contextmanager
def up(
    state_dir: Path, *options: str, port: int = 0, wrapper: list[str] | None = None, **variables: str
) -> Iterator[Up]:
    """Start `up` and wait until it is healthy; end it as Ctrl-C would if a test has not."""
    at = port or free_port()
    command = [*(wrapper or []), *COMMAND, "--port", str(at), "--state-dir", str(state_dir), *options]
    process = subprocess.Popen(command, text=True, env={**os.environ, **variables})
    try:
        _wait_until_healthy(process, at)
        yield Up(process, at, state_dir)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        if not port:
            _held.pop(at).close()


def _wait_until_healthy(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        url = f"http://127.0.0.1:{port}/_emulator/health"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=SECONDS) as answer:
            assert json.load(answer)["status"] == "ok"
            return
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        assert time.monotonic() < deadline, f"not healthy within {SECONDS} s"
        time.sleep(0.05)
