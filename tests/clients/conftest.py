"""Real AWS clients, unmodified, each in an environment of its own, against one emulator that `up` serves."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.dag_runs import Airflow
from tests.clients.programs import EMULATOR, HERE, REPOSITORY, AllForks, Programs, Server, build, built
from tests.jobs import Clients

SERVER_SECONDS = 120


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
    while (told := re.search(r"serves at (\S+)\s", text := output.read_text())) is None:
        assert process.poll() is None, f"`up` ended:\n{text}"
        assert time.monotonic() < deadline, f"`up` does not say where it serves:\n{text}"
        time.sleep(0.02)
    return told[1]


@pytest.fixture(scope="session")
def aws(server: Server) -> Clients:
    """boto3 clients of the same emulator, to look at what programs did."""
    return Clients(server.url)


@pytest.fixture(scope="session")
def own_image() -> str:
    """An image without the toolkit: prints `loss=`, writes a model."""
    return built("own", HERE / "images/own")


@pytest.fixture(scope="session")
def toolkit_image(image: Callable[[str], str]) -> str:
    """An image with the SageMaker Training Toolkit, and so with boto3, bash and pip."""
    return image("toolkit")


@pytest.fixture(scope="session")
def iris_image() -> str:
    """The sample's image, under the tag that the sample's DAG names in a registry."""
    tag = "iris-training:latest"
    build(tag, REPOSITORY / "sample_jobs/iris_training")
    return tag


@pytest.fixture(scope="session")
def forks(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AllForks]:
    """Processes that have imported an SDK, for the programs that need it."""
    made = AllForks(server, tmp_path_factory.mktemp("forks"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def programs(server: Server, forks: AllForks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Runs client programs; what still runs after a module's tests is ended."""
    running = Programs(server, forks, tmp_path_factory.mktemp("programs"))
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def airflow(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Runs DAGs with a real Airflow."""
    running = Airflow(server, tmp_path_factory.mktemp("airflow"))
    try:
        yield running
    finally:
        running.close()
