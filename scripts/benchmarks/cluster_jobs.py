"""Processing jobs, and jobs of both kinds on two hosts, beside as many bare `docker run`s and SDK V2's local mode."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from emulator.contract.arns import Scope
from emulator.contract.job import Job
from emulator.contract.processing_job import ProcessingJob
from emulator.contract.training_job import TrainingJob
from emulator.jobs.staging import lay_out
from tests.jobs import TERMINAL, AnyJob, ProcessingJobs

from .local_mode import LocalMode
from .measuring import Row, medians
from .running import CannotRunError, seconds_of
from .setting import POLL_SECONDS, Setting

_ROUNDS = 9
_DEADLINE_SECONDS = 120
_SCOPE = Scope(account="123456789012", region="us-east-1")
_COMMAND = ["python3", "-c", "print('processed')"]
_TWO_HOSTS = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}


def measure(setting: Setting) -> Iterator[Row]:
    """Measure one host beside local mode, then two hosts."""
    processing = ProcessingJobs(setting.jobs.clients, setting.jobs.bucket, setting.image)

    def create_processing(hosts: int) -> AnyJob:
        return processing.create(hosts=hosts, AppSpecification={"ContainerEntrypoint": _COMMAND})

    def create_training() -> AnyJob:
        return setting.jobs.running("true", ResourceConfig=_TWO_HOSTS)

    def bare_processing(hosts: int) -> list[list[str]]:
        request = processing.request(hosts=hosts, AppSpecification={"ContainerEntrypoint": _COMMAND})
        return bare_runs(setting, ProcessingJob.parse(request, _SCOPE))

    def bare_training() -> list[list[str]]:
        request = setting.jobs.request(Environment={"PROGRAM": "true"}, ResourceConfig=_TWO_HOSTS)
        return bare_runs(setting, TrainingJob.parse(request, _SCOPE))

    yield from _beside_local_mode(
        setting,
        lambda: job_seconds(setting, lambda: create_processing(1)),
        lambda: seconds_of(*bare_processing(1)),
    )
    for name, create, bare in (
        ("training job on two hosts", create_training, bare_training),
        ("processing job on two hosts", lambda: create_processing(2), lambda: bare_processing(2)),
    ):
        ours, baseline = medians(
            _ROUNDS,
            lambda create=create: job_seconds(setting, create),  # type: ignore[misc]
            lambda bare=bare: seconds_of(*bare()),  # type: ignore[misc]
        )
        yield Row(name=name, ours=ours, baseline=baseline, baseline_name="2 docker run")


def _beside_local_mode(setting: Setting, ours: Callable[[], float], bare: Callable[[], float]) -> Iterator[Row]:
    name, local_name, bare_name = "processing job", "SDK V2 local mode run() of a Processor", "docker run"
    try:
        with LocalMode(setting.folder(), setting.image("behaviour")) as local:
            job, baseline, run = medians(_ROUNDS, ours, bare, lambda: local.run_seconds(_COMMAND))
        local_row = Row(name=local_name, ours=run, baseline=baseline, baseline_name=bare_name)
    except CannotRunError as error:
        job, baseline = medians(_ROUNDS, ours, bare)
        local_row = Row(name=local_name, not_measured=str(error))
    yield Row(name=name, ours=job, baseline=baseline, baseline_name=bare_name, ratio_target=1.3)
    yield local_row


def job_seconds(setting: Setting, create: Callable[[], AnyJob]) -> float:
    """Return the time from the request to Completed, as a client sees it that asks every 50 ms."""
    started = time.perf_counter()
    job = create()
    while (described := job.describe())[f"{job.noun}JobStatus"] not in TERMINAL:
        if time.perf_counter() - started > _DEADLINE_SECONDS:
            raise CannotRunError(f"{job.name} has not ended after {_DEADLINE_SECONDS} s")
        time.sleep(POLL_SECONDS)
    seconds = time.perf_counter() - started
    if described[f"{job.noun}JobStatus"] != "Completed":
        raise CannotRunError(f"{job.name}: {described.get('FailureReason')}")
    setting.await_idle()
    return seconds


def bare_runs(setting: Setting, job: Job) -> list[list[str]]:
    """Return `docker run` of each host of a job: the same mounts, the same command, laid out beforehand."""
    entrypoint, arguments = job.command
    variables: dict[str, Any] = {"AWS_REGION": job.scope.region, **job.environment}
    runs = []
    for host in job.hosts:
        tree = lay_out(setting.folder(), job, host)
        options = [f"--mount=type=bind,source={one.source},target={one.target}" for one in tree.mounts(job.mount_roots)]
        options += [f"--env={name}={value}" for name, value in variables.items()]
        options += [f"--entrypoint={entrypoint[0]}"] if entrypoint else []
        runs.append(["docker", "run", "--rm", *options, job.image, *(entrypoint or ())[1:], *arguments])
    return runs
