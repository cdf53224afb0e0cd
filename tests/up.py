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


class Up:
    """A running `sagemaker-emulator up`."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.clients = Clients(f"http://127.0.0.1:{port}")

    def jobs(self, image: Callable[[str], str], bucket: str = "") -> TrainingJobs:
        """Return a way to start jobs, in a bucket that is made if it is not there."""
        bucket = bucket or f"up-{uuid.uuid4().hex[:8]}"
        self.clients.s3.create_bucket(Bucket=bucket)
        return TrainingJobs(self.clients, bucket, image)

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals, seconds: float = 30) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def up(
    state_dir: Path, *options: str, port: int = 0, wrapper: list[str] | None = None, **variables: str
) -> Iterator[Up]:
    """Start `up` and wait until it is healthy; end it as Ctrl-C would if a test has not."""
    port = port or free_port()
    command = [*(wrapper or []), *COMMAND, "--port", str(port), "--state-dir", str(state_dir), *options]
    process = subprocess.Popen(command, text=True, env={**os.environ, **variables})
    try:
        deadline = time.monotonic() + 30
        while True:
            url = f"http://127.0.0.1:{port}/_emulator/health"
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
                assert json.load(answer)["status"] == "ok"
                break
            assert process.poll() is None, f"{command} ended with {process.returncode}"
            assert time.monotonic() < deadline, "not healthy within 30 s"
            time.sleep(0.05)
        yield Up(process, port)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)
