"""The servers that are compared, each a process of its own: the emulator, plain moto, and one that does nothing."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from .running import ROOT, CannotRunError

_UP_SECONDS = 60
_RESET_PEAK = "5"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers; `seconds` is how long that took."""

    url: str
    pid: int
    seconds: float

    @contextmanager
    def memory_growth(self) -> Iterator[Callable[[], float]]:
        """Begin to watch; the function tells by how many MiB the resident memory was ever above what it was."""
        Path(f"/proc/{self.pid}/clear_refs").write_text(_RESET_PEAK)
        before = self._memory("VmRSS")
        yield lambda: (self._memory("VmHWM") - before) / 1024

    def _memory(self, name: str) -> int:
        found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        if found is None:
            raise CannotRunError(f"the kernel does not tell {name} of a process")
        return int(found[1])


@contextmanager
def emulator(state_dir: Path, engine: str = "docker") -> Iterator[Server]:
    """Start `up`."""
    arguments = ["-m", "emulator", "up", f"--engine={engine}", f"--state-dir={state_dir}", "--port"]
    with _started(arguments, state_dir.with_suffix(".log"), _is_healthy) as server:
        yield server


@contextmanager
def plain_moto(folder: Path, keys: int = 0) -> Iterator[Server]:
    """Start moto's server; its bucket `benchmarks` has some small objects."""
    with _started(["-m", "scripts.benchmarks.plain_moto", str(keys)], folder / "moto.log", _listens) as server:
        yield server


@contextmanager
def floor(folder: Path) -> Iterator[Server]:
    """Start a server that says yes to every request at once."""
    with _started(["-m", "scripts.benchmarks.floor_server"], folder / "floor.log", _listens) as server:
        yield server


@contextmanager
def _started(arguments: list[str], log: Path, answers: Callable[[str], bool]) -> Iterator[Server]:
    """Run a Python program, whose last argument will be a free port, until the context is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, *arguments, str(port)], stdout=output, stderr=output, cwd=ROOT)
    try:
        while not answers(url):
            if process.poll() is not None or time.perf_counter() - started > _UP_SECONDS:
                raise CannotRunError(f"`{' '.join(arguments)}` does not answer: {log.read_text()[-1000:]}")
            time.sleep(0.01)
        yield Server(url=url, pid=process.pid, seconds=time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _listens(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _is_healthy(url: str) -> bool:
    try:
        return running_jobs(url) == 0
    except OSError:
        return False


def running_jobs(url: str) -> int:
    """Ask an emulator's health check how many jobs it has; one that is being cleaned up after counts.

    Raises:
        OSError: it does not answer, or not with 200.
    """
    with urlopen(f"{url}/_emulator/health", timeout=1) as answer:
        return int(json.load(answer)["running_jobs"])
