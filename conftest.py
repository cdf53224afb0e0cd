"""This repository's own fixtures: an endpoint in this process, clients of it, images, a job builder.

`--engine` names are parameters here, so that one behaviour test runs on every engine there is.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.jobs import Clients, ProcessingJobs, TrainingJobs

# What users get, for a clone whose entry points are not installed; and pytest's own way to test plugins.
pytest_plugins = ["emulator.pytest_plugin", "pytester"]

REPOSITORY = Path(__file__).parent
IMAGES = REPOSITORY / "fixtures/images"

# One second of the service's limits takes ten milliseconds: MaxRuntime and the stop grace in no time.
TIME_SCALE = 100.0


@cache
def built(name: str) -> str:
    """Build an image of fixtures/images; the engine's cache makes the second time quick."""
    tag = f"sagemaker-emulator-test/{name}:latest"
    command = ["docker", "build", "--quiet", "--tag", tag, str(IMAGES / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
    return tag


@pytest.fixture(scope="session")
def image() -> Callable[[str], str]:
    """Return the tag of an image of fixtures/images, built when it is first asked for."""
    return built


@pytest.fixture(scope="session", params=[pytest.param("docker", marks=pytest.mark.docker)])
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An emulator in this process, on a free port, for each engine."""
    settings = Settings(port=0, engine=request.param, state_dir=tmp_path_factory.mktemp("state"), time_scale=TIME_SCALE)
    with Endpoint(settings) as running:
        yield running


@pytest.fixture(scope="session")
def clients(endpoint: Endpoint) -> Clients:
    """boto3 clients of the endpoint."""
    return Clients(endpoint.url)


@pytest.fixture(scope="session")
def bucket(clients: Clients) -> str:
    """A bucket for everything that tests store."""
    name = f"tests-{uuid.uuid4().hex[:8]}"
    clients.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def jobs(clients: Clients, bucket: str, image: Callable[[str], str]) -> TrainingJobs:
    """Starts training jobs whose program is one line of shell, and tells how they went."""
    return TrainingJobs(clients, bucket, image)


@pytest.fixture
def processing(clients: Clients, bucket: str, image: Callable[[str], str]) -> ProcessingJobs:
    """Starts processing jobs whose program is one line of shell, and tells how they went."""
    return ProcessingJobs(clients, bucket, image)
