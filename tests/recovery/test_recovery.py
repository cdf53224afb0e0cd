"""Jobs of an emulator that was killed, taken up by the next one with the same state directory."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.docker_engine import (
    UNTIL_SIGN,
    container_of,
    containers,
    docker,
    ended_in_engine,
    gone,
    host_container,
    said,
    sign,
)
from tests.jobs import Job
from tests.programs import ME
from tests.recovery.experiments import a_job_s_component_counts_each_value_once
from tests.recovery.stories import Images, Story, at, tell
from tests.up import COMMAND, PATIENT, SECONDS, Up, up

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

COUNT = "for i in $(seq {first} {last}); do echo out $i; echo err $i >&2; sleep 0.02; done; "
ARTIFACTS = "echo model > /opt/ml/model/m; echo result > /opt/ml/output/data/o; "
ADDRESS = "${AWS_CONTAINER_CREDENTIALS_FULL_URI:-http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI}"
FETCH = f"python3 -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read()[:12])' {ADDRESS}; "


def lines(name: str, until: int) -> list[str]:
    return [f"{name} {number}" for number in range(1, until + 1)]


def assert_whole(job: Job, until: int) -> None:
    """The log has each stream's lines once, in order, at times that do not go back."""
    log = job.log()
    assert [line for line in log if line.startswith("out ")] == lines("out", until)
    assert [line for line in log if line.startswith("err ")] == lines("err", until)
    streams = job.clients.logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job.name}/"
    )["logStreams"]
    assert len(streams) == 1, streams


def a_container_that_still_runs_is_watched_to_its_true_end(first: Up, image: Images) -> Story:
    job = first.jobs(image, "recovery").running(
        COUNT.format(first=1, last=10)
        + "until [ -e /tmp/unheard ]; do sleep 0.05; done; "
        + COUNT.format(first=11, last=60)
        + ARTIFACTS
        + f"echo done; {UNTIL_SIGN}; printf last",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    job.wrote("out 10")
    before = job.describe()
    (container,) = containers(job)
    yield
    sign(container, "/tmp/unheard")
    said(container, "out 20")
    job = at(job, (yield))
    assert job.describe()["SecondaryStatus"] == "Training"
    assert containers(job) == [container]
    job.wrote("done")
    assert job.status == "InProgress"  # its output is read as it comes, not at the end
    sign(container)
    job.ended()
    after = job.describe()
    assert after["TrainingJobStatus"] == "Completed", job.failure_reason
    assert after["TrainingStartTime"] == before["TrainingStartTime"]
    assert job.secondary_statuses == ["Starting", "Pending", "Downloading", "Training", "Uploading", "Completed"]
    assert_whole(job, 60)
    assert job.log()[-2:] == ["done", "last"]
    assert set(job.archive("model.tar.gz") or ()) == {"m"}
    assert job.read("output.tar.gz", "o") == b"result\n"
    gone(lambda: containers(job))


def a_container_that_ended_meanwhile_is_collected(exit_code: int, first: Up, image: Images) -> Story:
    job = first.jobs(image, "recovery").running(
        COUNT.format(first=1, last=10)
        + f"{UNTIL_SIGN}; "
        + COUNT.format(first=11, last=20)
        + ARTIFACTS
        + f"printf why > /opt/ml/output/failure; exit {exit_code}"
    )
    job.wrote("out 2")
    yield
    (container,) = containers(job)
    sign(container)
    ended_in_engine(container)
    job = at(job, (yield)).ended()
    assert job.status == ("Failed" if exit_code else "Completed")
    assert job.failure_reason == ("AlgorithmError: why, exit code: 3" if exit_code else "")
    assert_whole(job, 20)
    assert set(job.archive("model.tar.gz") or ()) == {"m"}
    gone(lambda: containers(job))


def a_job_whose_containers_are_gone_fails_and_says_why(first: Up, image: Images) -> Story:
    job = first.jobs(image, "recovery").running("echo before; sleep 600").wrote("before")
    yield
    docker("rm", "-f", *containers(job))
    job = at(job, (yield)).ended()
    assert job.status == "Failed"
    assert job.failure_reason.startswith("InternalServerError: ")
    assert "the emulator was killed while the job ran" in job.failure_reason
    assert "algo-1 were gone" in job.failure_reason
    assert job.log() == ["before"]


def a_stop_goes_on_and_can_be_asked_for_after_the_restart(first: Up, image: Images) -> Story:
    stubborn = f"trap 'echo told; {UNTIL_SIGN}; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    jobs = first.jobs(image, "recovery")
    stopping = jobs.running(stubborn).wrote("ready")
    running = jobs.running(stubborn).wrote("ready")
    stopping.stop().wrote("told")
    yield
    second = yield
    stopping, running = at(stopping, second), at(running, second)
    running.stop().wrote("told")
    for job in (running, stopping):
        sign(container_of(job))
    assert running.ended().status == stopping.ended().status == "Stopped"
    assert running.log() == ["ready", "told"]


def hosts_that_were_told_to_stop_are_stopped_also_if_one_has_ended(first: Up, image: Images) -> Story:
    program = (
        f"{ME} [ $me = algo-1 ] && trap 'exit 143' TERM || trap '{UNTIL_SIGN}; exit 0' TERM; "
        "echo ready; while :; do sleep 0.1; done"
    )
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = first.jobs(image, "recovery").running(program, ResourceConfig=resources).wrote("ready", times=2)
    job.stop()
    ended_in_engine(host_container(job, "algo-1"))
    yield
    second = yield
    sign(host_container(job, "algo-2"))
    assert at(job, second).ended().status == "Stopped"


def a_container_keeps_its_credentials_and_its_endpoint(first: Up, image: Images) -> Story:
    job = first.jobs(image, "recovery").running(f"{FETCH} {UNTIL_SIGN}; {FETCH}").wrote("RoleArn")
    yield
    second = yield
    sign(container_of(job))
    job = at(job, second).ended()
    assert job.status == "Completed", (job.failure_reason, job.log())
    assert job.log() == ["b'{\"RoleArn\": '"] * 2


def a_job_of_the_same_name_has_credentials_of_its_own(first: Up, image: Images) -> Story:
    def again_and_again(emulator: Up) -> None:
        for _ in range(2):
            job = emulator.jobs(image, "recovery").running(FETCH, TrainingJobName="again").ended()
            assert job.status == "Completed", (job.failure_reason, job.log())
            job.call("delete")

    again_and_again(first)
    yield
    again_and_again((yield))


def a_start_that_fails_leaves_the_jobs_to_the_next_one(first: Up, image: Images) -> Story:
    job = first.jobs(image, "recovery").running(f"echo ready; {UNTIL_SIGN}").wrote("ready")
    yield
    (container,) = containers(job)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*COMMAND, "--port", str(taken.getsockname()[1]), "--state-dir", str(first.state_dir)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 4, done.stderr
    assert containers(job) == [container]
    second = yield
    sign(container)
    job = at(job, second).ended()
    assert job.status == "Completed", job.failure_reason


def the_time_limit_counts_from_the_first_start(first: Up, image: Images) -> Story:
    limit = 60
    job = first.jobs(image, "recovery").running(
        "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done", StoppingCondition={"MaxRuntimeInSeconds": limit}
    )
    over = time.time() + limit
    job.wrote("ready")
    assert job.status == "InProgress"
    yield
    time.sleep(max(0.0, over - time.time()))
    second = yield
    somebody_was_there = time.time()
    described = at(job, second).ended().describe()
    assert described["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert described["TrainingEndTime"].timestamp() < somebody_was_there + limit / 2


def test_jobs_that_ran_are_taken_up(tmp_path: Path, image: Images) -> None:
    tell(
        tmp_path,
        image,
        a_container_that_still_runs_is_watched_to_its_true_end,
        partial(a_container_that_ended_meanwhile_is_collected, 0),
        partial(a_container_that_ended_meanwhile_is_collected, 3),
        a_job_whose_containers_are_gone_fails_and_says_why,
        a_stop_goes_on_and_can_be_asked_for_after_the_restart,
        hosts_that_were_told_to_stop_are_stopped_also_if_one_has_ended,
        a_container_keeps_its_credentials_and_its_endpoint,
        a_job_of_the_same_name_has_credentials_of_its_own,
        a_start_that_fails_leaves_the_jobs_to_the_next_one,
        a_job_s_component_counts_each_value_once,
        the_time_limit_counts_from_the_first_start,  # the last, so that it runs out while nobody is there
    )


def test_after_the_recovery_window_containers_are_removed_also_if_somebody_saved_the_state_in_it(
    tmp_path: Path, image: Callable[[str], str]
) -> None:
    """Who only saves the state is no successor."""
    state = tmp_path / "state"
    with up(state, "--recovery-window", "20") as first:
        job = first.jobs(image, "recovery").running("echo before; sleep 600").wrote("before")
        first.kill()
    save = [*COMMAND[:-1], "state", "save", str(tmp_path / "saved.tar"), "--state-dir", str(state)]
    subprocess.run(save, timeout=SECONDS, check=True, capture_output=True)
    assert containers(job)
    gone(lambda: containers(job))
    with up(state) as second:
        assert "were gone" in at(job, second).ended().failure_reason


def test_jobs_that_had_not_started_start_and_those_beyond_the_limit_wait(
    tmp_path: Path, image: Callable[[str], str]
) -> None:
    with up(tmp_path, *PATIENT, "--max-parallel-jobs", "1") as first:
        jobs = first.jobs(image, "recovery")
        running = jobs.running(f"echo ready; {UNTIL_SIGN}; echo done").wrote("ready")
        waiting = [jobs.running(f"echo {number}") for number in range(3)]
        first.kill()
    with up(tmp_path, "--max-parallel-jobs", "1") as second:
        sign(container_of(running))
        for number, job in enumerate(waiting):
            again = at(job, second).ended()
            assert (again.status, again.log()) == ("Completed", [str(number)]), again.failure_reason
        assert at(running, second).ended().log() == ["ready", "done"]
