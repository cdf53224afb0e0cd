"""Jobs on several hosts, and processing jobs, of an emulator that was killed, taken up by the next one."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.jobs import AnyJob, Clients, Job, ProcessingJob, ProcessingJobs
from tests.programs import ME
from tests.recovery.engine import containers, docker, ended_in_engine, gone
from tests.up import Up, free_port, up

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

AnyJobT = TypeVar("AnyJobT", bound=AnyJob)
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
ROOT = "/opt/ml/processing"
HOSTS = ("algo-1", "algo-2")


def at(job: AnyJobT, emulator: Up) -> AnyJobT:
    """Return the job as clients of another emulator see it."""
    return dataclasses.replace(job, clients=Clients(f"http://127.0.0.1:{emulator.port}"))


def processing_of(emulator: Up, image: Callable[[str], str]) -> ProcessingJobs:
    jobs = emulator.jobs(image, "recovery")
    return ProcessingJobs(jobs.clients, jobs.bucket, image)


def host_container(job: AnyJob, host: str) -> str:
    """Return the id of one host's container."""
    names = ("--filter", f"label=sagemaker-emulator.host={host}", "--filter")
    return docker("ps", "-aq", *names, f"label=sagemaker-emulator.job-name={job.name}").strip()


def test_hosts_that_still_run_are_watched_to_their_true_end(tmp_path: Path, image: Callable[[str], str]) -> None:
    """A training job and a processing job at once: logs whole, artifacts of both hosts, inputs as they were."""
    count = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo out $i; sleep 0.1; done"
    port = free_port()
    with up(tmp_path, port=port) as first:
        training = first.jobs(image, "recovery").running(
            f"{ME} {count}; echo x > /opt/ml/model/$me", ResourceConfig=CLUSTER
        )
        processing = processing_of(first, image)
        shards = processing.input("in", {f"/{n}": b"%d" % n for n in range(5)}, S3DataDistributionType="ShardedByS3Key")
        code = processing.input("code", {"/count": count.encode()})
        processed = processing.running(
            f"{ME} cd {ROOT}/input; . code/count; ls in; cd in; for f in *; do cp $f ../../out/$me-$f; done",
            hosts=2,
            ProcessingInputs=[shards, code],
            ProcessingOutputConfig=processing.outputs("out"),
        )
        before = {job.name: sorted(containers(job.wrote("out 5", times=2))) for job in (training, processed)}
        started = processed.describe()["ProcessingStartTime"]
        first.kill()
    time.sleep(0.5)
    with up(tmp_path, port=port) as second:
        training, processed = at(training, second), at(processed, second)
        assert {job.name: sorted(containers(job)) for job in (training, processed)} == before
        lines = [f"out {number}" for number in range(1, 41)]
        assert training.ended().status == processed.ended().status == "Completed", processed.failure_reason
        assert training.log("algo-1") == training.log("algo-2") == lines
        assert sorted(training.archive("model.tar.gz") or ()) == list(HOSTS)
        assert processed.log("algo-1") == [*lines, "0", "2", "4"]
        assert processed.log("algo-2") == [*lines, "1", "3"]
        assert processed.objects("out/") == {f"algo-{n % 2 + 1}-{n}": b"%d" % n for n in range(5)}
        assert processed.describe()["ProcessingStartTime"] == started
        gone(lambda: [*containers(training), *containers(processed)])


def test_the_first_of_two_failures_meanwhile_is_the_job_s(tmp_path: Path, image: Callable[[str], str]) -> None:
    """The hosts end in the other order than their names', while nobody watches."""
    wait = f"{ME} echo ready; while [ ! -e /tmp/go ]; do sleep 0.05; done"
    with up(tmp_path) as first:
        training = first.jobs(image, "recovery").running(
            f"{wait}; printf $me > /opt/ml/output/failure; exit ${{me#algo-}}", ResourceConfig=CLUSTER
        )
        processed = processing_of(first, image).running(
            f"{wait}; printf $me. > /opt/ml/output/message; exit ${{me#algo-}}", hosts=2
        )
        for job in (training, processed):
            job.wrote("ready", times=2)
        first.kill()
    for host in reversed(HOSTS):
        for job in (training, processed):
            docker("exec", host_container(job, host), "touch", "/tmp/go")
            docker("wait", host_container(job, host))
    with up(tmp_path) as second:
        assert at(training, second).ended().failure_reason == "AlgorithmError: algo-2, exit code: 2"
        assert at(processed, second).ended().failure_reason == "AlgorithmError: algo-2., exit code: 2"


def test_one_host_that_failed_meanwhile_ends_the_others(tmp_path: Path, image: Callable[[str], str]) -> None:
    program = (
        f"{ME} trap 'echo told; exit 0' TERM; echo ready; while [ ! -e /tmp/go ]; do sleep 0.05; done; "
        "echo went; [ $me = algo-1 ]"
    )
    with up(tmp_path) as first:
        training = first.jobs(image, "recovery").running(program, ResourceConfig=CLUSTER)
        processed = processing_of(first, image).running(program, hosts=2)
        for job in (training, processed):
            job.wrote("ready", times=2)
        first.kill()
    for job in (training, processed):
        docker("exec", host_container(job, "algo-2"), "touch", "/tmp/go")
        docker("wait", host_container(job, "algo-2"))
    with up(tmp_path) as second:
        for job in (at(training, second), at(processed, second)):
            assert job.ended().failure_reason == "AlgorithmError: , exit code: 1"
            assert job.log("algo-1") == ["ready", "told"]


def test_a_continuous_output_goes_on(tmp_path: Path, image: Callable[[str], str]) -> None:
    program = (
        f"trap 'exit 0' TERM; {ME} cd {ROOT}/out; echo 1 > $me-1; while [ ! -e /tmp/go ]; do sleep 0.05; done; "
        "echo 2 > $me-2; while :; do sleep 0.05; done"
    )
    with up(tmp_path) as first:
        processing = processing_of(first, image)
        job = processing.running(program, hosts=2, ProcessingOutputConfig=processing.outputs("out", mode="Continuous"))
        stored(job, "algo-1-1", "algo-2-1")
        first.kill()
    # Killed while it copied a file to store it, it leaves the half of it.
    (workspace,) = (tmp_path / "work").iterdir()
    (workspace / "upload").write_text("half")
    with up(tmp_path) as second:
        job = at(job, second)
        for host in HOSTS:
            docker("exec", host_container(job, host), "touch", "/tmp/go")
        stored(job, "algo-1-1", "algo-2-1", "algo-1-2", "algo-2-2")
        assert job.status == "InProgress"
        assert job.stop().ended().status == "Stopped", job.failure_reason


def stored(job: ProcessingJob, *names: str) -> None:
    """Wait until the output has these files."""
    deadline = time.monotonic() + 30
    while (found := job.objects("out/").keys()) != set(names):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_an_upload_that_was_killed_is_done_again(tmp_path: Path, image: Callable[[str], str]) -> None:
    with up(tmp_path) as first:
        processing = processing_of(first, image)
        job = processing.running(
            f"cd {ROOT}/out; echo ready; sleep 1; echo x > x; printf done > /opt/ml/output/message",
            ProcessingOutputConfig=processing.outputs("out"),
        ).wrote("ready")
        first.kill()
    ended_in_engine(job)
    (workspace,) = (tmp_path / "work").iterdir()
    (workspace / "upload").write_text("half")
    with up(tmp_path) as second:
        job = at(job, second).ended()
        assert (job.status, job.failure_reason) == ("Completed", "")
        assert job.objects("out/") == {"x": b"x\n"}
        assert job.describe()["ExitMessage"] == "done"


def test_a_job_that_had_not_started_starts_again(tmp_path: Path, image: Callable[[str], str]) -> None:
    """Whether it waited, or its inputs were being downloaded."""
    with up(tmp_path, "--max-parallel-jobs", "1") as first:
        processing = processing_of(first, image)
        data = {"/large": b"x" * 2_000_000, **{f"/{number}": b"1" for number in range(300)}}
        inputs = [processing.input("in", data)]
        program = f"ls {ROOT}/input/in | wc -l"
        jobs: list[ProcessingJob] = [processing.running(program, hosts=2, ProcessingInputs=inputs) for _ in range(3)]
        deadline = time.monotonic() + 30
        while not [*(tmp_path / "work").glob("*/algo-1/processing/input/in/1")]:
            assert time.monotonic() < deadline
        first.kill()
    with up(tmp_path) as second:
        for job in jobs:
            again = at(job, second).ended()
            assert again.status == "Completed", again.failure_reason
            assert again.log("algo-1") == again.log("algo-2") == ["301"]


def test_a_job_whose_host_is_gone_fails_and_leaves_nothing(tmp_path: Path, image: Callable[[str], str]) -> None:
    with up(tmp_path) as first:
        job: Job = first.jobs(image, "recovery").running("echo before; sleep 60", ResourceConfig=CLUSTER)
        job.wrote("before", times=2)
        first.kill()
    docker("rm", "-f", host_container(job, "algo-2"))
    with up(tmp_path) as second:
        job = at(job, second).ended()
        assert "the containers of algo-2 were gone" in job.failure_reason
        gone(lambda: containers(job))
