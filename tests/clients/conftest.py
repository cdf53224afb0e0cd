"""Real AWS clients, unmodified, each in an environment of its own, against one emulator that `up` serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.jobs import Clients

if TYPE_CHECKING:
    from tests.clients.dag_runs import Airflow  # which imports this file

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SCRIPTS = HERE / "scripts"
EMULATOR = (sys.executable, "-m", "emulator")

PROGRAM_SECONDS = 240
SERVER_SECONDS = 30
SIDE_BY_SIDE = 6
SIGNS_OF_OTHER_MACHINES = ("EndpointConnectionError", "Could not connect to the endpoint URL", "would have reached AWS")


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


class Programs:
    """Runs client programs, some side by side, and ends with those that nobody waited for."""

    def __init__(self, server: Server, folder: Path, seconds: float = PROGRAM_SECONDS) -> None:
        self._server = server
        self._seconds = seconds
        self._folder = folder
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._count = 0

    def script(self, environment: str, name: str, **variables: str) -> Future[Finished]:
        """Run a script of `scripts/` as `sagemaker-emulator exec -- python SCRIPT`."""
        return self.exec(client(environment, "python"), str(SCRIPTS / name), **variables)

    def exec(self, *command: str, **variables: str) -> Future[Finished]:
        """Run a command as `sagemaker-emulator exec -- COMMAND`."""
        return self.plain(*EMULATOR, "exec", "--port", self._server.port, "--", *command, **variables)

    def plain(self, *command: str, **variables: str) -> Future[Finished]:
        """Run a command as it is, for a user who has no AWS settings of their own."""
        self._count += 1
        return self._pool.submit(self._run, self._folder / str(self._count), command, variables)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in list(self._running):
            process.kill()
        self._pool.shutdown()

    def _run(self, folder: Path, command: tuple[str, ...], variables: dict[str, str]) -> Finished:
        folder.mkdir()
        stdout, stderr, network_log = folder / "stdout", folder / "stderr", folder / "network.log"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "HOME": str(self._folder),
            "PYTHONPATH": os.pathsep.join([str(HERE / "watch"), str(REPOSITORY)]),
            "NETWORK_LOG": str(network_log),
            **variables,
        }
        with (
            stdout.open("wb") as out,
            stderr.open("wb") as err,
            subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            ) as process,
        ):
            self._running.add(process)
            try:
                process.wait(self._seconds)
            except subprocess.TimeoutExpired:
                process.kill()
        self._running.discard(process)
        return Finished(
            command=command,
            exit_code=process.returncode,
            stdout=stdout.read_bytes().decode(),  # as it is: read_text would make line ends of carriage returns
            stderr=stderr.read_bytes().decode(),
            asked_for=tuple(network_log.read_text().splitlines()) if network_log.exists() else (),
        )


def client(environment: str, command: str) -> str:
    """Return the path of a command of a client environment."""
    folder = REPOSITORY / ".venvs" / environment
    if not (folder / ".made-of").is_file():
        pytest.fail(
            f"There is no client environment .venvs/{environment}. Make it: scripts/client-environments {environment}",
            pytrace=False,
        )
    return str(folder / "bin" / command)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An emulator started as a user starts it, with a state directory of its own."""
    folder = tmp_path_factory.mktemp("up")
    output = folder / "output"
    command = [*EMULATOR, "up", "--port", "0", "--engine", "docker", "--state-dir", str(folder / "state")]
    with (
        output.open("wb") as file,
        subprocess.Popen(command, cwd=REPOSITORY, stdout=file, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield Server(url_told(output, process))
        finally:
            process.terminate()
            try:
                process.wait(SERVER_SECONDS)
            finally:
                process.kill()


def url_told(output: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until `up` says where it serves."""
    deadline = time.monotonic() + SERVER_SECONDS
    while "serves at " not in (text := output.read_text()):
        assert process.poll() is None, f"`up` ended:\n{text}"
        assert time.monotonic() < deadline, f"`up` does not say where it serves:\n{text}"
        time.sleep(0.02)
    return text.partition("serves at ")[2].split()[0]


@pytest.fixture(scope="session")
def aws(server: Server) -> Clients:
    """boto3 clients of the same emulator, to look at what programs did."""
    return Clients(server.url)


@pytest.fixture(scope="session")
def own_image() -> str:
    """An image without the toolkit: prints `loss=`, writes a model."""
    return built("own", HERE / "images/own")


def built(name: str, folder: Path, *options: str) -> str:
    """Build a test image and return its tag."""
    tag = f"sagemaker-emulator-test/{name}:latest"
    command = ["docker", "build", "--quiet", "--tag", tag, *options, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return tag


@pytest.fixture(scope="session")
def toolkit_image(image: Callable[[str], str]) -> str:
    """An image with the SageMaker Training Toolkit, and so with boto3, bash and pip."""
    return image("toolkit")


@pytest.fixture(scope="module")
def programs(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Runs client programs; what still runs after a module's tests is ended."""
    running = Programs(server, tmp_path_factory.mktemp("programs"))
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def iris_image() -> str:
    """The sample's image, under the tag that the sample's DAG names in a registry."""
    tag = "iris-training:latest"
    command = ["docker", "build", "--quiet", "--tag", tag, str(REPOSITORY / "sample_jobs/iris_training")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return tag


@pytest.fixture(scope="session")
def airflow_metadata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow's tables, empty."""
    from tests.clients.dag_runs import made_metadata

    return made_metadata(tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module")
def airflow(
    programs: Programs, server: Server, tmp_path_factory: pytest.TempPathFactory, airflow_metadata: Path
) -> Airflow:
    """Runs DAGs with a real Airflow."""
    from tests.clients.dag_runs import Airflow

    return Airflow(programs, server, tmp_path_factory.mktemp("dags"), airflow_metadata)
