"""The pytest plugin: options, markers, fixtures and hooks. docs/fixtures.md is its reference.

pytest imports this in every run of everyone who has us installed. So it is thin: what is heavy is imported
when a test first needs it (also because coverage does not see lines that were imported before it began).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .testing import rungs, settings
from .testing.session import KEY, Start, session_of

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

    from .opt_ml.opt_ml import OptMl
    from .testing.job_files import JobFileJobs
    from .testing.jobs import ProcessingJobs, TrainingJobs
    from .testing.sagemaker_emulator import SageMakerEmulator
    from .testing.snapshots import Snapshots


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register options and ini options."""
    settings.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register markers and refuse wrong options; from here on AWS is refused if the project says so."""
    for marker in settings.MARKERS:
        config.addinivalue_line("markers", marker)
    settings.check(config)
    rungs.configured(config)
    if settings.value(config, "sagemaker_block_aws"):
        session_of(config).block_aws()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say on which rungs tests run, in a project that has chosen."""
    if not settings.are_given(config):
        return None
    endpoint = settings.value(config, "sagemaker_endpoint")
    where = f" at {endpoint}" if endpoint else ""
    return f"sagemaker-emulator: rung {', '.join(rungs.configured(config))}{where}"


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what was started."""
    session = config.stash.get(KEY, None)
    if session is not None:
        session.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on each rung, if there are several."""
    if rungs.FIXTURE in metafunc.fixturenames and len(names := rungs.configured(metafunc.config)) > 1:
        metafunc.parametrize(rungs.FIXTURE, names, indirect=True, scope="session")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take job files for tests."""
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    name = file_path.relative_to(parent.config.rootpath).as_posix() if _is_below(file_path, parent) else str(file_path)
    patterns = settings.value(parent.config, "sagemaker_job_files")
    if not any(fnmatch.fnmatch(name if "/" in pattern else file_path.name, pattern) for pattern in patterns):
        return None
    from .testing.job_file_items import JobFileCollector, is_job_file

    # What a project names by a pattern of its own is meant; by its name alone a file may be anything.
    if not settings.ini_was_given(parent.config, "sagemaker_job_files") and not is_job_file(file_path):
        return None
    return JobFileCollector.from_parent(parent, path=file_path)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is on a wrong rung; put job files behind those they wait for."""
    rungs.deselect(config, items)
    if any(hasattr(item, "sagemaker_rung") for item in items):
        from .testing.job_file_items import put_in_order

        put_in_order(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Reroute a test that uses the emulator, from its set-up to its tear-down."""
    with session_of(item.config).around(item):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs another rung, or what this one has not."""
    rung = rungs.rung_of(item)
    if wrong := rungs.rung_is_wrong(item, rung):
        pytest.skip(wrong)
    needed = rungs.needed(item)
    if needed or (rung == "auto" and rungs.allowed(item)):
        emulator = session_of(item.config).default_emulator(rung)
        if wrong := rungs.rung_is_wrong(item, emulator.engine):
            pytest.skip(wrong)
        rungs.require_known(item, needed, emulator.known_capabilities)
        if missing := sorted(needed - emulator.capabilities):
            pytest.skip(f"needs {', '.join(missing)}, which the {emulator.engine} rung does not have")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the jobs of a failed test."""
    report = yield
    if report.nodeid != item.nodeid:  # a job file's, in a group of pytest-xdist: see JobFileItem.nodeid
        report.nodeid = item.nodeid
    if report.failed and session_of(item.config).may_have_jobs(item):
        from .testing.reports import add_jobs

        add_jobs(item, call, report)
    return report


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Explain `assert "model.joblib" in result.model`."""
    if config.stash.get(KEY, None) is None or not session_of(config).has_emulators:
        return None
    from .testing.reports import explained_membership

    return explained_membership(op, left, right)


def _is_below(path: Path, collector: pytest.Collector) -> bool:
    return path.is_relative_to(collector.config.rootpath)


# Defaults. Each is a fixture, so that a project may override it where an ini option is not enough.


@pytest.fixture(scope="session")
def sagemaker_engine(request: pytest.FixtureRequest) -> str:
    """The rung: `docker`, `process`, or `auto` for the first of them that works here."""
    return str(getattr(request, "param", None) or rungs.configured(request.config)[0])


@pytest.fixture(scope="session")
def sagemaker_region(pytestconfig: pytest.Config) -> str:
    """The region that clients see."""
    return str(settings.value(pytestconfig, "sagemaker_region"))


@pytest.fixture(scope="session")
def sagemaker_account(pytestconfig: pytest.Config) -> str:
    """The account that clients see: a worker of pytest-xdist has one of its own."""
    return session_of(pytestconfig).account_of_worker(str(settings.value(pytestconfig, "sagemaker_account")))


@pytest.fixture(scope="session")
def sagemaker_role_arn(pytestconfig: pytest.Config) -> str:
    """The role of jobs that name none; "" for one of the account."""
    return str(settings.value(pytestconfig, "sagemaker_role_arn"))


@pytest.fixture(scope="session")
def sagemaker_instance_type(pytestconfig: pytest.Config) -> str:
    """The instance type of jobs that name none."""
    return str(settings.value(pytestconfig, "sagemaker_instance_type"))


@pytest.fixture(scope="session")
def sagemaker_image(pytestconfig: pytest.Config) -> str | Path:
    """The image of jobs that name none: its name, or the folder of its Dockerfile, with ./ or / before it."""
    return str(settings.value(pytestconfig, "sagemaker_image"))


@pytest.fixture(scope="session")
def sagemaker_program(pytestconfig: pytest.Config) -> str | Path:
    """The program of jobs that name none, for the process rung."""
    return str(settings.value(pytestconfig, "sagemaker_program"))


@pytest.fixture(scope="session")
def sagemaker_time_scale(pytestconfig: pytest.Config) -> float:
    """What divides the service's time limits."""
    return settings.number(pytestconfig, "sagemaker_time_scale")


@pytest.fixture(scope="session")
def sagemaker_max_wait(pytestconfig: pytest.Config) -> float:
    """The seconds after which a job that is waited for is stopped."""
    return settings.number(pytestconfig, "sagemaker_max_wait")


@pytest.fixture(scope="session")
def sagemaker_state_dir(pytestconfig: pytest.Config) -> Path | None:
    """Where the emulator keeps its data; None for a folder that is removed with the session."""
    given = settings.value(pytestconfig, "sagemaker_state_dir")
    return pytestconfig.rootpath / given if given else None


# The emulator, and what talks to it.


@pytest.fixture(scope="session")
def sagemaker_emulator(
    pytestconfig: pytest.Config,
    sagemaker_engine: str,
    sagemaker_region: str,
    sagemaker_account: str,
    sagemaker_role_arn: str,
    sagemaker_instance_type: str,
    sagemaker_image: str | Path,
    sagemaker_program: str | Path,
    sagemaker_time_scale: float,
    sagemaker_max_wait: float,
    sagemaker_state_dir: Path | None,
) -> Iterator[SageMakerEmulator]:
    """The running emulator: its address, its rung, clients of any service, a bucket."""
    from .testing.sagemaker_emulator import Identity

    session = session_of(pytestconfig)
    start = Start(
        engine=sagemaker_engine,
        time_scale=sagemaker_time_scale,
        limit_instances=bool(settings.value(pytestconfig, "sagemaker_limit_instances")),
        state_dir=sagemaker_state_dir,
    )
    identity = Identity(
        region=sagemaker_region,
        account=sagemaker_account,
        role_arn=sagemaker_role_arn,
        instance_type=sagemaker_instance_type,
        image=sagemaker_image,
        program=sagemaker_program,
        max_wait=sagemaker_max_wait,
    )
    emulator = session.emulator(start, identity)
    session.reroute_to(emulator)
    yield emulator
    session.reroute_no_more()


@pytest.fixture(scope="session")
def sagemaker_client(sagemaker_emulator: SageMakerEmulator) -> SageMakerClient:
    """A boto3 client of SageMaker."""
    return sagemaker_emulator.clients.sagemaker


@pytest.fixture(scope="session")
def s3_client(sagemaker_emulator: SageMakerEmulator) -> S3Client:
    """A boto3 client of S3."""
    return sagemaker_emulator.clients.s3


@pytest.fixture(scope="session")
def logs_client(sagemaker_emulator: SageMakerEmulator) -> CloudWatchLogsClient:
    """A boto3 client of CloudWatch Logs."""
    return sagemaker_emulator.clients.logs


@pytest.fixture(scope="session")
def sagemaker_session(sagemaker_emulator: SageMakerEmulator) -> Any:
    """A session of the SageMaker SDK that is installed: V2's or V3's."""
    from .testing.sdk import sdk_session

    return sdk_session(sagemaker_emulator)


def _bucket_scope(fixture_name: str, config: pytest.Config) -> Any:  # noqa: ARG001 - pytest gives both by name
    return settings.value(config, "sagemaker_bucket_scope")


@pytest.fixture(scope=_bucket_scope)
def s3_bucket(sagemaker_emulator: SageMakerEmulator) -> Iterator[str]:
    """The name of a new bucket, which is removed with all that is in it."""
    from .testing.jobs import bucket_of_a_test

    with bucket_of_a_test(sagemaker_emulator) as name:
        yield name


# Jobs.


@pytest.fixture(scope="session")
def training_job(sagemaker_emulator: SageMakerEmulator, pytestconfig: pytest.Config) -> TrainingJobs:
    """Runs a training job to its end and returns a result to assert on."""
    from .testing.jobs import TrainingJobs

    return TrainingJobs(sagemaker_emulator, session_of(pytestconfig))


@pytest.fixture(scope="session")
def processing_job(sagemaker_emulator: SageMakerEmulator, pytestconfig: pytest.Config) -> ProcessingJobs:
    """Runs a processing job to its end and returns a result to assert on."""
    from .testing.jobs import ProcessingJobs

    return ProcessingJobs(sagemaker_emulator, session_of(pytestconfig))


@pytest.fixture(scope="session")
def job_file(sagemaker_emulator: SageMakerEmulator, pytestconfig: pytest.Config) -> JobFileJobs:
    """Runs a job file to the end of its job, checks what it expects, and returns a result to assert on."""
    from .testing.job_files import JobFileJobs

    return JobFileJobs(sagemaker_emulator, session_of(pytestconfig))


@pytest.fixture
def opt_ml(request: pytest.FixtureRequest) -> Iterator[OptMl]:
    """Runs jobs whose program is a function or script of the project, in the test's process over a faked /opt/ml."""
    from .opt_ml.opt_ml import OptMl

    made = OptMl(request.node.name, request.config.rootpath)
    yield made
    made.close()


@pytest.fixture
def sagemaker_snapshot(request: pytest.FixtureRequest) -> Snapshots:
    """Compares a job's artifacts, and what its container found, with a text file beside the test."""
    from .testing.snapshots import Snapshots

    update = bool(request.config.getoption("--sagemaker-update-snapshots"))
    return Snapshots(request.path, request.node.name, update=update)
