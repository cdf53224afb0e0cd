"""What benchmarks measure: an emulator in a process of its own, images, and the bare engine beside them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property
from pathlib import Path
from urllib.request import urlopen

from emulator.contract.arns import Scope
from emulator.contract.training_job import TrainingJob
from emulator.jobs.staging import HostTree, lay_out
from tests.jobs import TERMINAL, Clients, TrainingJobs

ROOT = Path(__file__).resolve().parent.parent.parent
POLL_SECONDS = 0.05
_UP_SECONDS = 30
_JOB_SECONDS = 120
_SCRIPT = "print('trained')\n"


class CannotRunError(Exception):
    """A benchmark cannot run here; the text says why."""


def run(*command: str | Path, timeout: float = 300) -> str:
    """Run a program and return what it printed.

    Raises:
        CannotRunError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()[-1000:]
        raise CannotRunError(f"`{' '.join(map(str, command))[:200]}` ended with {done.returncode}: {said}")
    return done.stdout


class Setting:
    """The emulator, the images and a scratch folder, each made when it is first asked for."""

    def __init__(self, scratch: Path, opened: ExitStack) -> None:
        self.scratch = scratch
        self._opened = opened

    @cached_property
    def jobs(self) -> TrainingJobs:
        """Creates jobs at an emulator that runs until the end."""
        clients = Clients(self._url)
        clients.s3.create_bucket(Bucket="benchmarks")
        return TrainingJobs(clients, "benchmarks", self.image)

    @cached_property
    def _url(self) -> str:
        return self._opened.enter_context(emulator_process(self.scratch / "state"))[1]

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
        # Containers are removed after Completed is told; the next measurement must not pay for that.
        while running_jobs(self._url):
            time.sleep(0.01)
        return seconds

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


def seconds_of(*commands: Sequence[str]) -> float:
    """Return how long programs take that are started at once, until the last has ended."""
    started = time.perf_counter()
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for command in commands
    ]
    errors = [process.communicate(timeout=_JOB_SECONDS)[1] for process in running]
    seconds = time.perf_counter() - started
    for process, error in zip(running, errors, strict=True):
        if process.returncode != 0:
            raise CannotRunError(f"`{process.args!r}` ended with {process.returncode}: {error.strip()[-1000:]}")
    return seconds


@contextmanager
def emulator_process(state_dir: Path) -> Iterator[tuple[float, str]]:
    """Start `up`; give the seconds until it was healthy, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "emulator", "up", f"--port={port}", f"--state-dir={state_dir}"]
    log = state_dir.with_suffix(".log")
    started = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT)
    try:
        while not _is_healthy(url):
            if process.poll() is not None or time.perf_counter() - started > _UP_SECONDS:
                raise CannotRunError(f"the emulator does not answer: {log.read_text()[-1000:]}")
            time.sleep(0.01)
        yield time.perf_counter() - started, url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


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
