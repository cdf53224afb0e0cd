"""What benchmarks measure: an emulator in a process of its own, images, and the bare engine beside them."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack
from functools import cache, cached_property
from pathlib import Path

from emulator.contract.arns import Scope
from emulator.contract.training_job import TrainingJob
from emulator.jobs.staging import HostTree, lay_out
from tests.jobs import TERMINAL, Clients, TrainingJobs

from . import servers
from .running import ROOT, CannotRunError, run

POLL_SECONDS = 0.05
_JOB_SECONDS = 120
_SCRIPT = "print('trained')\n"


class Setting:
    """The emulator, the images and a scratch folder, each made when it is first asked for."""

    def __init__(self, scratch: Path, opened: ExitStack) -> None:
        self.scratch = scratch
        self.opened = opened

    @cached_property
    def jobs(self) -> TrainingJobs:
        """Creates jobs at an emulator that runs until the end."""
        clients = Clients(self._url)
        clients.s3.create_bucket(Bucket="benchmarks")
        return TrainingJobs(clients, "benchmarks", self.image)

    @cached_property
    def _url(self) -> str:
        return self.opened.enter_context(servers.emulator(self.scratch / "state")).url

    def folder(self) -> Path:
        """Return a new empty folder."""
        path = self.scratch / uuid.uuid4().hex[:8]
        path.mkdir()
        return path

    def image(self, name: str) -> str:
        """Return the tag of an image of fixtures/images, or "script": the toolkit with a program of one line."""
        return _built_script_image(self.scratch) if name == "script" else _built(name, ROOT / "fixtures/images" / name)

    def job_seconds(self, image: str = "behaviour", **changes: object) -> float:
        """Return the time from CreateTrainingJob to Completed, as a client sees it that asks every 50 ms."""
        return self.jobs_seconds(1, image=image, **changes)

    def jobs_seconds(self, count: int, *, image: str = "behaviour", **changes: object) -> float:
        """Return the time until the last of some jobs at once is Completed."""
        requests = [self.jobs.request(image=image, **changes) for _ in range(count)]
        sagemaker = self.jobs.clients.sagemaker
        started = time.perf_counter()
        for request in requests:
            sagemaker.create_training_job(**request)
        for request in requests:
            self._await_completion(request["TrainingJobName"], started + _JOB_SECONDS)
        seconds = time.perf_counter() - started
        self.await_idle()
        return seconds

    def await_idle(self) -> None:
        """Wait for clean-up: containers are removed after Completed is told, and nobody else is to pay for it."""
        while servers.running_jobs(self._url):
            time.sleep(0.01)

    def bare_run(self, image: str = "behaviour", **changes: object) -> list[str]:
        """Return `docker run` of what a job would run: the same mounts, the same command, laid out beforehand."""
        request = self.jobs.request(image=image, **changes)
        job = TrainingJob.parse(request, Scope(account="123456789012", region="us-east-1"))
        tree: HostTree = lay_out(self.folder(), job, job.hosts[0])
        mounts = [
            f"--mount=type=bind,source={mount.source},target={mount.target}" for mount in tree.mounts(job.mount_roots)
        ]
        variables = {"AWS_REGION": "us-east-1", "TRAINING_JOB_NAME": job.name, **job.environment}
        environment = [f"--env={name}={value}" for name, value in variables.items()]
        # The toolkit waits until the name of its host is known.
        return ["docker", "run", "--rm", "--hostname=algo-1", *mounts, *environment, self.image(image), "train"]

    def _await_completion(self, name: str, deadline: float) -> None:
        describe = self.jobs.clients.sagemaker.describe_training_job
        while (job := describe(TrainingJobName=name))["TrainingJobStatus"] not in TERMINAL:
            if time.perf_counter() > deadline:
                raise CannotRunError(f"{name} has not ended after {_JOB_SECONDS} s")
            time.sleep(POLL_SECONDS)
        if job["TrainingJobStatus"] != "Completed":
            raise CannotRunError(f"{name} is {job['TrainingJobStatus']}: {job.get('FailureReason')}")


@cache
def _built(name: str, folder: Path) -> str:
    if name == "toolkit":
        run("scripts/wheels", folder, folder / "requirements.txt")
    tag = f"sagemaker-emulator-test/{name}:latest"
    run("docker", "build", "--quiet", "--tag", tag, folder)
    return tag


@cache
def _built_script_image(scratch: Path) -> str:
    """Build what a user's image is: the toolkit, and a program."""
    toolkit = _built("toolkit", ROOT / "fixtures/images/toolkit")
    folder = scratch / "script-image"
    folder.mkdir()
    (folder / "train.py").write_text(_SCRIPT)
    (folder / "Dockerfile").write_text(f"FROM {toolkit}\nCOPY train.py /opt/ml/code/\nENV SAGEMAKER_PROGRAM=train.py\n")
    tag = "sagemaker-emulator-bench/script:latest"
    run("docker", "build", "--quiet", "--tag", tag, folder)
    return tag
