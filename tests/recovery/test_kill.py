"""Many ends by SIGKILL, at any moment of uploads, downloads and jobs: what was acknowledged is there and true."""

from __future__ import annotations

import hashlib
import io
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.jobs import Job, TrainingJobs
from tests.up import PATIENT, SECONDS, Up, free_port, up

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

KILLS = 32
BUCKET = "kills"
KEYS = 16
LINES = 25
MOST_JOBS = 10
WENT_WRONG = (BotoCoreError, ClientError, OSError, boto3.exceptions.Boto3Error)

PROGRAM = (
    f"i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo out $i; echo err $i >&2; sleep 0.05; done; "
    "echo $SAGEMAKER_JOB > /opt/ml/model/name; printf why > /opt/ml/output/failure; exit $CODE"
)


class Objects:
    """Puts, overwrites, deletes and reads objects, and knows which contents a key may have."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        # The digests that a key may show; None: no object. More than one while an answer is missing.
        self.possible: dict[str, set[str | None]] = {f"key/{number}": {None} for number in range(KEYS)}
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self.acknowledged = 0

    def work(self, s3: S3Client, stop: threading.Event) -> None:
        """Do one thing after another until the endpoint is gone."""
        while not stop.is_set():
            with self._lock:
                key = self._random.choice([one for one in self.possible if one not in self._busy])
                self._busy.add(key)
                action = self._random.choice((self._put, self._put, self._upload, self._delete, self._read))
            try:
                action(s3, key)
            except WENT_WRONG:
                return
            finally:
                with self._lock:
                    self._busy.discard(key)

    def verify(self, s3: S3Client) -> None:
        """Every key has one of its possible contents, and from now on that one."""
        listed = {one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET, Prefix="key/").get("Contents", ())}
        for key, possible in self.possible.items():
            digest = self._digest(s3, key)
            assert digest in possible, f"{key} has lost its acknowledged content"
            assert (key in listed) == (digest is not None)
            self.possible[key] = {digest}

    def _content(self, largest: int) -> bytes:
        with self._lock:
            return self._random.randbytes(self._random.randrange(largest))

    def _put(self, s3: S3Client, key: str) -> None:
        content = self._content(400_000)
        self._change(key, content, lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=content))

    def _upload(self, s3: S3Client, key: str) -> None:
        content = self._content(12_000_000)
        self._change(key, content, lambda: s3.upload_fileobj(io.BytesIO(content), BUCKET, key))

    def _delete(self, s3: S3Client, key: str) -> None:
        self._change(key, None, lambda: s3.delete_object(Bucket=BUCKET, Key=key))

    def _change(self, key: str, content: bytes | None, act: Callable[[], object]) -> None:
        digest = None if content is None else hashlib.sha256(content).hexdigest()
        self.possible[key] = self.possible[key] | {digest}
        act()
        self.possible[key] = {digest}
        with self._lock:
            self.acknowledged += 1

    def _read(self, s3: S3Client, key: str) -> None:
        assert self._digest(s3, key) in self.possible[key]

    def _digest(self, s3: S3Client, key: str) -> str | None:
        try:
            body = s3.get_object(Bucket=BUCKET, Key=key)["Body"]
        except s3.exceptions.NoSuchKey:
            return None
        return hashlib.sha256(body.read()).hexdigest()


class Jobs:
    """Starts jobs, some of which fail by themselves."""

    def __init__(self, image: Callable[[str], str], seed: int) -> None:
        self._image = image
        self._random = random.Random(seed)
        self.started: dict[str, int] = {}
        self.acknowledged: set[str] = set()
        self.ended: set[str] = set()

    def work(self, emulator: Up, stop: threading.Event) -> None:
        jobs = TrainingJobs(emulator.clients, BUCKET, self._image)
        while len(self.started) - len(self.ended) < MOST_JOBS:
            code, name = self._random.choice((0, 0, 3)), f"kill-{len(self.started)}"
            # Known before it is asked for: whether the answer comes or not, it must be true if it is there.
            self.started[name] = code
            environment = {"CODE": str(code), "SAGEMAKER_JOB": name}
            try:
                jobs.running(PROGRAM, TrainingJobName=name, Environment=environment)
            except WENT_WRONG:
                return
            self.acknowledged.add(name)
            if stop.wait(self._random.uniform(0.05, 0.5)):
                return

    def verify(self, emulator: Up, *, wait: bool) -> None:
        """Every job that has ended has ended truly; with `wait`, all have."""
        pages = emulator.clients.sagemaker.get_paginator("list_training_jobs").paginate()
        known = {one["TrainingJobName"] for page in pages for one in page["TrainingJobSummaries"]}
        for name, code in self.started.items():
            job = Job(emulator.clients, name, BUCKET)
            if name not in known:
                assert name not in self.acknowledged
                self.ended.add(name)
                continue
            if wait:
                job.ended()
            if job.status != "InProgress" and name not in self.ended:
                self._assert_true(job, code)
                self.ended.add(name)

    def _assert_true(self, job: Job, code: int) -> None:
        expected = ("Failed", "AlgorithmError: why, exit code: 3") if code else ("Completed", "")
        assert (job.status, job.failure_reason) == expected
        log = job.log()
        for stream in ("out", "err"):
            whole = [f"{stream} {number}" for number in range(1, LINES + 1)]
            assert [line for line in log if line.startswith(stream)] == whole, job.name
        assert job.read("model.tar.gz", "name").decode().strip() == job.name


def owned(kind: str, state: Path) -> list[str | Path]:
    identity = (state / "identity").read_text()
    options = ["-a"] if kind == "container" else []
    command = ["docker", kind, "ls", *options, "-q", "--filter", f"label=sagemaker-emulator.owner={identity}"]
    return [*subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout.split()]


def impatient(port: int) -> S3Client:
    """Return a client that takes an error for an answer."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=SECONDS, max_pool_connections=20),
    )


def test_nothing_acknowledged_is_lost_and_every_job_is_true(
    tmp_path: Path, image: Callable[[str], str], record_property: Callable[[str, object], None]
) -> None:
    seed = random.randrange(2**32)
    record_property("seed", seed)
    moments = random.Random(seed)
    objects, jobs, port = Objects(seed), Jobs(image, seed), free_port()
    for _ in range(KILLS):
        with up(tmp_path, *PATIENT, port=port) as emulator, ThreadPoolExecutor(4) as workers:
            s3, stop = impatient(port), threading.Event()
            if not jobs.started:
                s3.create_bucket(Bucket=BUCKET)
            objects.verify(s3)
            jobs.verify(emulator, wait=False)
            running = [workers.submit(objects.work, s3, stop) for _ in range(3)]
            running.append(workers.submit(jobs.work, emulator, stop))
            # After so many changes, also none, and at any moment of the next ones.
            enough = objects.acknowledged + moments.randrange(12)
            deadline = time.monotonic() + SECONDS
            while objects.acknowledged < enough and time.monotonic() < deadline:
                time.sleep(0.01)
            assert objects.acknowledged >= enough
            time.sleep(moments.uniform(0, 0.3))
            emulator.kill()
            stop.set()
            for one in running:
                one.result(timeout=SECONDS)
    with up(tmp_path, port=port) as emulator:
        objects.verify(impatient(port))
        jobs.verify(emulator, wait=True)
        deadline = time.monotonic() + SECONDS
        while left := [*owned("container", tmp_path), *(tmp_path / "work").iterdir()]:
            assert time.monotonic() < deadline, left
            time.sleep(0.1)
        assert emulator.end(signal.SIGTERM) == 0
    assert owned("network", tmp_path) == []
    assert objects.acknowledged > KILLS
    assert len(jobs.started) > 5
