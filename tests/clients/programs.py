"""Runs client programs, as processes of their own or as forks of a process that has imported an SDK already."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SCRIPTS = HERE / "scripts"
EMULATOR = (sys.executable, "-m", "emulator")

# Programs wait for jobs; a machine that is busy with other tests takes many times what they need on an idle one.
PROGRAM_SECONDS = 600
SIDE_BY_SIDE = 6
SIGNS_OF_OTHER_MACHINES = ("EndpointConnectionError", "Could not connect to the endpoint URL", "would have reached AWS")

# What programs of an environment import, but for what changes other things: V3's `Run` sets up logging.
IMPORTS = {
    "sdk-v2": ("sagemaker.estimator", "sagemaker.processing"),
    "sdk-v3": ("sagemaker.train.model_trainer", "sagemaker.core.processing"),
    "awscli": ("awscli.handlers", "awscli.customizations.s3.subcommands"),
}


@dataclass(frozen=True)
class Finished:
    """A program that has ended, and what it left.

    `asked_for` has the names and addresses of other machines that it looked up or connected to, in
    vain or not; tests/clients/watch sees them.
    """

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    asked_for: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path, command: Sequence[str], exit_code: int) -> Finished:
        """Read what a program left in its folder."""
        network_log = folder / "network.log"
        return cls(
            command=tuple(command),
            exit_code=exit_code,
            stdout=(folder / "stdout").read_bytes().decode(),  # read_text would make line ends of carriage returns
            stderr=(folder / "stderr").read_bytes().decode(),
            asked_for=tuple(network_log.read_text().splitlines()) if network_log.exists() else (),
        )

    def succeeded(self) -> Finished:
        """Require that it ended well and asked nothing of any other machine."""
        assert self.exit_code == 0, self
        assert "Traceback" not in self.stderr, self
        assert self.asked_for == (), self
        assert not [sign for sign in SIGNS_OF_OTHER_MACHINES if sign in self.stdout + self.stderr], self
        return self

    @property
    def lines(self) -> list[str]:
        """What a terminal shows in the end: progress that a carriage return has taken back is gone."""
        return [line.rpartition("\r")[2] for line in self.stdout.removesuffix("\n").split("\n")]

    @property
    def result(self) -> dict[str, Any]:
        """What a script printed as its last line, as JSON."""
        result: dict[str, Any] = json.loads(self.lines[-1])
        return result

    def __str__(self) -> str:
        return (
            f"{self.command} ended with exit code {self.exit_code} and asked for {self.asked_for}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )


@dataclass(frozen=True)
class Server:
    """A running `sagemaker-emulator up`."""

    url: str

    @property
    def port(self) -> str:
        return self.url.rpartition(":")[2]

    def exec(self, *command: str) -> tuple[str, ...]:
        """Return `sagemaker-emulator exec -- COMMAND`."""
        return (*EMULATOR, "exec", "--port", self.port, "--", *command)


@dataclass
class _Fork:
    pid: Future[int] = field(default_factory=Future)
    exit_code: Future[int] = field(default_factory=Future)

    def kill(self) -> None:
        pid = self.pid.result(PROGRAM_SECONDS)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Forks:
    """A process of a client environment that has imported its SDK, and runs each program in a fork of it."""

    def __init__(self, server: Server, environment: str, folder: Path) -> None:
        folder.mkdir()
        self._running: dict[int, _Fork] = {}
        self._count = 0
        self._lock = threading.Lock()
        command = server.exec(client(environment, "python"), str(SCRIPTS / "forks.py"), *IMPORTS[environment])
        with (folder / "stderr").open("wb") as errors:
            self._process = subprocess.Popen(
                command, env=variables(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def run(self, folder: Path, command: Sequence[str], more: Mapping[str, str]) -> int:
        """Run a Python file in a fork and return its exit code."""
        fork = _Fork()
        with self._lock:
            number = self._count = self._count + 1
            self._running[number] = fork
            request = {"number": number, "folder": str(folder), "variables": dict(more), "command": command}
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        try:
            return fork.exit_code.result(PROGRAM_SECONDS)
        except FutureTimeoutError:
            fork.kill()
            return fork.exit_code.result(PROGRAM_SECONDS)

    def kill_running(self) -> None:
        for fork in list(self._running.values()):
            fork.kill()

    def close(self) -> None:
        """End the process, and with it all of its forks."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(PROGRAM_SECONDS)
        finally:
            self._process.kill()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            number, what, value = json.loads(line)
            if what == "pid":
                self._running[number].pid.set_result(value)
            else:
                self._running.pop(number).exit_code.set_result(value)
        for fork in self._running.values():
            fork.exit_code.set_exception(RuntimeError("the process whose fork it was has ended"))


class AllForks:
    """One `Forks` an environment, each made when it is first asked for."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._made: dict[str, Forks] = {}

    def of(self, environment: str) -> Forks:
        if environment not in self._made:
            self._made[environment] = Forks(self._server, environment, self._folder / environment)
        return self._made[environment]

    def kill_running(self) -> None:
        for forks in self._made.values():
            forks.kill_running()

    def close(self) -> None:
        for forks in self._made.values():
            forks.close()


class Programs:
    """Runs client programs, some side by side, and ends with those that nobody waited for."""

    def __init__(self, server: Server, forks: AllForks, folder: Path) -> None:
        self._server = server
        self._forks = forks
        self._folder = folder
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._count = 0

    def script(self, environment: str, name: str, **more: str) -> Future[Finished]:
        """Run a script of `scripts/` under `sagemaker-emulator exec`."""
        if environment in IMPORTS:
            return self.fork(environment, str(SCRIPTS / name), **more)
        return self.exec(client(environment, "python"), str(SCRIPTS / name), **more)

    def fork(self, environment: str, *command: str, **more: str) -> Future[Finished]:
        """Run a Python file under `sagemaker-emulator exec`, in a process that has the environment's SDK already."""
        return self._pool.submit(self._forked, self._next_folder(), self._forks.of(environment), command, more)

    def exec(self, *command: str, **more: str) -> Future[Finished]:
        """Run a command as `sagemaker-emulator exec -- COMMAND`."""
        return self.plain(*self._server.exec(*command), **more)

    def plain(self, *command: str, **more: str) -> Future[Finished]:
        """Run a command as it is, for a user who has no AWS settings of their own."""
        return self._pool.submit(self._run, self._next_folder(), command, more)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in list(self._running):
            process.kill()
        self._forks.kill_running()
        self._pool.shutdown()

    def _next_folder(self) -> Path:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        return folder

    def _forked(self, folder: Path, forks: Forks, command: tuple[str, ...], more: dict[str, str]) -> Finished:
        own = {name: variables(folder)[name] for name in ("HOME", "NETWORK_LOG")}
        return Finished.of(folder, command, forks.run(folder, command, {**own, **more}))

    def _run(self, folder: Path, command: tuple[str, ...], more: dict[str, str]) -> Finished:
        with (
            (folder / "stdout").open("wb") as out,
            (folder / "stderr").open("wb") as err,
            subprocess.Popen(
                command,
                env={**variables(folder), **more},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            ) as process,
        ):
            self._running.add(process)
            try:
                process.wait(PROGRAM_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._running.discard(process)
        return Finished.of(folder, command, process.returncode)


def variables(folder: Path) -> dict[str, str]:
    """Return the environment of a program of a user who has no AWS settings of their own."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join([str(HERE / "watch"), str(REPOSITORY)]),
        "NETWORK_LOG": str(folder / "network.log"),
    }


def client(environment: str, command: str) -> str:
    """Return the path of a command of a client environment."""
    folder = REPOSITORY / ".venvs" / environment
    if not (folder / ".made-of").is_file():
        pytest.fail(
            f"There is no client environment .venvs/{environment}. Make it: scripts/client-environments {environment}",
            pytrace=False,
        )
    return str(folder / "bin" / command)


def built(name: str, folder: Path, *options: str) -> str:
    """Build a test image and return its tag."""
    tag = f"sagemaker-emulator-test/{name}:latest"
    build(tag, folder, *options)
    return tag


def build(tag: str, folder: Path, *options: str) -> None:
    command = ["docker", "build", "--quiet", "--tag", tag, *options, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
