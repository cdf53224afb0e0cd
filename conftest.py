"""This repository's own fixtures: an endpoint in this process, clients of it, images, a job builder.

`--engine` names are parameters here, so that one behaviour test runs on every engine there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from emulator.config import Settings
from emulator.endpoint import Endpoint
from emulator.jobs.ports import Capabilities
from tests.images import built, images_of
from tests.jobs import Clients, ProcessingJobs, TrainingJobs, new_bucket

# What users get, for a clone whose entry points are not installed; and pytest's own way to test plugins.
pytest_plugins = ["emulator.pytest_plugin", "pytester"]

# How long one example takes says more of the machine than of the code; whole tests have a time limit.
settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

BEHAVIOUR = Path(__file__).parent / "tests/behaviour"
DASHBOARD = Path(__file__).parent / "tests/dashboard"
CLIENTS = Path(__file__).parent / "tests/clients"  # whose tests have endpoints of their own

# The 120 seconds between SIGTERM and SIGKILL take 4.8, which is enough for programs also on a busy machine.
TIME_SCALE = 25.0


def pytest_make_parametrize_id(val: object) -> str | None:
    """Leave bytes out of the names of tests: those with a time in them differ from worker to worker."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) and len(val) > 8 else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of behaviour on every engine, the dashboard's on the quickest, others on docker."""
    if "endpoint" in metafunc.fixturenames and CLIENTS not in metafunc.definition.path.parents:
        docker = pytest.param("docker", marks=pytest.mark.docker)
        is_about_behaviour = BEHAVIOUR in metafunc.definition.path.parents
        needs_docker = metafunc.definition.get_closest_marker("docker") is not None
        if is_about_behaviour and not needs_docker:
            engines: list[Any] = ["process", docker]
        elif DASHBOARD in metafunc.definition.path.parents and not needs_docker:
            engines = ["process"]
        else:
            engines = [docker]
        metafunc.parametrize("endpoint", engines, indirect=True, scope="session")


@pytest.fixture(scope="session")
def image() -> Callable[[str], str]:
    """Return the tag of an image of fixtures/images, built when it is first asked for."""
    return built


@pytest.fixture(scope="session")
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An emulator in this process, on a free port, for each engine."""
    settings = Settings(port=0, engine=request.param, state_dir=tmp_path_factory.mktemp("state"), time_scale=TIME_SCALE)
    with Endpoint(settings) as running:
        yield running


@pytest.fixture
def capabilities(endpoint: Endpoint) -> Capabilities:
    """What the endpoint's engine can do: a test asks for these, never for its name."""
    return endpoint.emulator.engine.capabilities


@pytest.fixture(scope="session")
def clients(endpoint: Endpoint) -> Clients:
    """boto3 clients of the endpoint."""
    return Clients(endpoint.url)


@pytest.fixture
def bucket(clients: Clients) -> str:
    """A bucket for all that a test stores. A reset of any emulator in this process makes moto forget older ones."""
    return new_bucket(clients)


@pytest.fixture
def jobs(clients: Clients, bucket: str, endpoint: Endpoint) -> TrainingJobs:
    """Starts training jobs whose program is one line of shell, and tells how they went."""
    return TrainingJobs(clients, bucket, images_of(endpoint))


@pytest.fixture
def processing(clients: Clients, bucket: str, endpoint: Endpoint) -> ProcessingJobs:
    """Starts processing jobs whose program is one line of shell, and tells how they went."""
    return ProcessingJobs(clients, bucket, images_of(endpoint))
