"""Jobs on several hosts, and processing jobs, of an emulator that was killed, taken up by the next one."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docker_engine import (
    UNTIL_SIGN,
    containers,
    docker,
    ended_in_engine,
    gone,
    host_container,
    said,
    sign,
)
from tests.jobs import ProcessingJob, ProcessingJobs
from tests.programs import ME
from tests.recovery.stories import Images, Story, at, tell
from tests.up import PATIENT, SECONDS, Up, up

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
ROOT = "/opt/ml/processing"
HOSTS = ("algo-1", "algo-2")


def processing_of(emulator: Up, image: Callable[[str], str]) -> ProcessingJobs:
    jobs = emulator.jobs(image, "recovery")
    return ProcessingJobs(jobs.clients, jobs.bucket, image)


def hosts_that_still_run_are_watched_to_their_true_end(first: Up, image: Images) -> Story:
    """A training job and a processing job at once: logs whole, artifacts of both hosts, inputs as they were."""
    count = (
        "for i in $(seq 30); do echo out $i; "
        "case $i in 10|20) until [ -e /tmp/after-$i ]; do sleep 0.05; done;; esac; done"
    )
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
    before = {job.name: sorted(containers(job.wrote("out 10", times=2))) for job in (training, processed)}
    started = processed.describe()["ProcessingStartTime"]
    yield
    hosts = [container for found in before.values() for container in found]
    for container in hosts:
        sign(container, "/tmp/after-10")
        said(container, "out 20")
    second = yield
    training, processed = at(training, second), at(processed, second)
    assert {job.name: sorted(containers(job)) for job in (training, processed)} == before
    for container in hosts:
        sign(container, "/tmp/after-20")
    lines = [f"out {number}" for number in range(1, 31)]
    assert training.ended().status == processed.ended().status == "Completed", processed.failure_reason
    assert training.log("algo-1") == training.log("algo-2") == lines
    assert sorted(training.archive("model.tar.gz") or ()) == list(HOSTS)
    assert processed.log("algo-1") == [*lines, "0", "2", "4"]
    assert processed.log("algo-2") == [*lines, "1", "3"]
    assert processed.objects("out/") == {f"algo-{n % 2 + 1}-{n}": b"%d" % n for n in range(5)}
    assert processed.describe()["ProcessingStartTime"] == started
    gone(lambda: [*containers(training), *containers(processed)])


def the_first_of_two_failures_meanwhile_is_the_job_s(first: Up, image: Images) -> Story:
    """The hosts end in the other order than their names', while nobody watches."""
    wait = f"{ME} echo ready; {UNTIL_SIGN}"
    training = first.jobs(image, "recovery").running(
        f"{wait}; printf $me > /opt/ml/output/failure; exit ${{me#algo-}}", ResourceConfig=CLUSTER
    )
    processed = processing_of(first, image).running(
        f"{wait}; printf $me. > /opt/ml/output/message; exit ${{me#algo-}}", hosts=2
    )
    for job in (training, processed):
        job.wrote("ready", times=2)
    yield
    for host in reversed(HOSTS):
        for job in (training, processed):
            sign(host_container(job, host))
            ended_in_engine(host_container(job, host))
    second = yield
    assert at(training, second).ended().failure_reason == "AlgorithmError: algo-2, exit code: 2"
    assert at(processed, second).ended().failure_reason == "AlgorithmError: algo-2., exit code: 2"


def one_host_that_failed_meanwhile_ends_the_others(first: Up, image: Images) -> Story:
    program = f"{ME} trap 'echo told; exit 0' TERM; echo ready; {UNTIL_SIGN}; echo went; [ $me = algo-1 ]"
    training = first.jobs(image, "recovery").running(program, ResourceConfig=CLUSTER)
    processed = processing_of(first, image).running(program, hosts=2)
    for job in (training, processed):
        job.wrote("ready", times=2)
    yield
    for job in (training, processed):
        sign(host_container(job, "algo-2"))
        ended_in_engine(host_container(job, "algo-2"))
    second = yield
    for job in (at(training, second), at(processed, second)):
        assert job.ended().failure_reason == "AlgorithmError: , exit code: 1"
        assert job.log("algo-1") == ["ready", "told"]


def a_continuous_output_goes_on(first: Up, image: Images) -> Story:
    program = (
        f"trap 'exit 0' TERM; {ME} cd {ROOT}/out; echo 1 > $me-1; {UNTIL_SIGN}; "
        "echo 2 > $me-2; while :; do sleep 0.05; done"
    )
    processing = processing_of(first, image)
    job = processing.running(program, hosts=2, ProcessingOutputConfig=processing.outputs("out", mode="Continuous"))
    for host in HOSTS:
        job.stored(f"out/{host}-1", b"1\n")
    yield
    leave_half_a_copy(first.state_dir)
    job = at(job, (yield))
    for host in HOSTS:
        sign(host_container(job, host))
        job.stored(f"out/{host}-2", b"2\n")
    assert job.objects("out/").keys() == {"algo-1-1", "algo-2-1", "algo-1-2", "algo-2-2"}
    assert job.stop().ended().status == "Stopped", job.failure_reason


def an_upload_that_was_killed_is_done_again(first: Up, image: Images) -> Story:
    processing = processing_of(first, image)
    job = processing.running(
        f"cd {ROOT}/out; echo ready; {UNTIL_SIGN}; echo x > x; printf done > /opt/ml/output/message",
        ProcessingOutputConfig=processing.outputs("out"),
    ).wrote("ready")
    yield
    (container,) = containers(job)
    sign(container)
    ended_in_engine(container)
    leave_half_a_copy(first.state_dir)
    job = at(job, (yield)).ended()
    assert (job.status, job.failure_reason) == ("Completed", "")
    assert job.objects("out/") == {"x": b"x\n"}
    assert job.describe()["ExitMessage"] == "done"


def leave_half_a_copy(state_dir: Path) -> None:
    """Leave in each job's workspace what an emulator leaves that is killed while it copies a file to store it."""
    for workspace in (state_dir / "work").iterdir():
        (workspace / "upload").write_text("half")


def a_job_whose_host_is_gone_fails_and_leaves_nothing(first: Up, image: Images) -> Story:
    job = first.jobs(image, "recovery").running("echo before; sleep 600", ResourceConfig=CLUSTER)
    job.wrote("before", times=2)
    yield
    docker("rm", "-f", host_container(job, "algo-2"))
    job = at(job, (yield)).ended()
    assert "the containers of algo-2 were gone" in job.failure_reason
    gone(lambda: containers(job))


def test_jobs_that_ran_are_taken_up(tmp_path: Path, image: Images) -> None:
    tell(
        tmp_path,
        image,
        hosts_that_still_run_are_watched_to_their_true_end,
        the_first_of_two_failures_meanwhile_is_the_job_s,
        one_host_that_failed_meanwhile_ends_the_others,
        a_continuous_output_goes_on,
        an_upload_that_was_killed_is_done_again,
        a_job_whose_host_is_gone_fails_and_leaves_nothing,
    )


def test_a_job_that_had_not_started_starts_again(tmp_path: Path, image: Callable[[str], str]) -> None:
    """Whether it waited, or its inputs were being downloaded."""
    with up(tmp_path, *PATIENT, "--max-parallel-jobs", "1") as first:
        processing = processing_of(first, image)
        data = {"/large": b"x" * 2_000_000, **{f"/{number}": b"1" for number in range(300)}}
        inputs = [processing.input("in", data)]
        program = f"ls {ROOT}/input/in | wc -l"
        jobs: list[ProcessingJob] = [processing.running(program, hosts=2, ProcessingInputs=inputs) for _ in range(3)]
        deadline = time.monotonic() + SECONDS
        while not [*(tmp_path / "work").glob("*/algo-1/processing/input/in/1")]:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        first.kill()
    with up(tmp_path) as second:
        for job in jobs:
            again = at(job, second).ended()
            assert again.status == "Completed", again.failure_reason
            assert again.log("algo-1") == again.log("algo-2") == ["301"]
