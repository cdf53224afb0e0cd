"""Jobs of an emulator that was killed, taken up by the next one with the same state directory."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs import Clients, Job
from tests.recovery.engine import containers, docker, ended_in_engine, gone
from tests.up import COMMAND, Up, free_port, up

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

COUNT = "i=0; while [ $i -lt {until} ]; do i=$((i+1)); echo out $i; echo err $i >&2; sleep {pause}; done; "
ARTIFACTS = "echo model > /opt/ml/model/m; echo result > /opt/ml/output/data/o; "


def at(job: Job, emulator: Up) -> Job:
    """Return the job as clients of another emulator see it."""
    return Job(Clients(f"http://127.0.0.1:{emulator.port}"), job.name, job.bucket)


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


def test_a_container_that_still_runs_is_watched_to_its_true_end(tmp_path: Path, image: Callable[[str], str]) -> None:
    port = free_port()
    with up(tmp_path, port=port) as first:
        job = first.jobs(image, "recovery").running(
            COUNT.format(until=60, pause=0.05)
            + ARTIFACTS
            + "echo done; until [ -e /opt/ml/input/go ]; do sleep 0.1; done; printf last",
            Tags=[{"Key": "a", "Value": "b"}],
        )
        job.wrote("out 10")
        before = job.describe()
        (container,) = containers(job)
        first.kill()
    time.sleep(0.5)
    with up(tmp_path, port=port) as second:
        job = at(job, second)
        assert job.describe()["SecondaryStatus"] == "Training"
        assert containers(job) == [container]
        job.wrote("done")
        assert job.status == "InProgress"  # its output is read as it comes, not at the end
        docker("exec", container, "touch", "/opt/ml/input/go")
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


@pytest.mark.parametrize("exit_code", [0, 3])
def test_a_container_that_ended_meanwhile_is_collected(
    tmp_path: Path, image: Callable[[str], str], exit_code: int
) -> None:
    with up(tmp_path) as first:
        job = first.jobs(image, "recovery").running(
            COUNT.format(until=20, pause=0.02) + ARTIFACTS + f"printf why > /opt/ml/output/failure; exit {exit_code}"
        )
        job.wrote("out 2")
        first.kill()
    ended_in_engine(job)
    with up(tmp_path) as second:
        job = at(job, second).ended()
        assert job.status == ("Failed" if exit_code else "Completed")
        assert job.failure_reason == ("AlgorithmError: why, exit code: 3" if exit_code else "")
        assert_whole(job, 20)
        assert set(job.archive("model.tar.gz") or ()) == {"m"}
        gone(lambda: containers(job))


def test_a_job_whose_containers_are_gone_fails_and_says_why(tmp_path: Path, image: Callable[[str], str]) -> None:
    with up(tmp_path) as first:
        job = first.jobs(image, "recovery").running("echo before; sleep 60").wrote("before")
        first.kill()
    docker("rm", "-f", *containers(job))
    with up(tmp_path) as second:
        job = at(job, second).ended()
        assert job.status == "Failed"
        assert job.failure_reason.startswith("InternalServerError: ")
        assert "the emulator was killed while the job ran" in job.failure_reason
        assert "algo-1 were gone" in job.failure_reason
        assert job.log() == ["before"]


def test_after_the_recovery_window_containers_are_removed(tmp_path: Path, image: Callable[[str], str]) -> None:
    with up(tmp_path, "--recovery-window", "0.5") as first:
        job = first.jobs(image, "recovery").running("echo before; sleep 60").wrote("before")
        first.kill()
    gone(lambda: containers(job))
    with up(tmp_path) as second:
        assert "were gone" in at(job, second).ended().failure_reason


def test_a_stop_goes_on_and_can_be_asked_for_after_the_restart(tmp_path: Path, image: Callable[[str], str]) -> None:
    stubborn = "trap 'echo told; sleep 1; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    with up(tmp_path) as first:
        jobs = first.jobs(image, "recovery")
        stopping = jobs.running(stubborn).wrote("ready")
        running = jobs.running(stubborn).wrote("ready")
        stopping.stop().wrote("told")
        first.kill()
    with up(tmp_path) as second:
        assert at(running, second).stop().ended().status == "Stopped"
        assert at(stopping, second).ended().status == "Stopped"
        assert at(running, second).log() == ["ready", "told"]


def test_the_time_limit_counts_from_the_first_start(tmp_path: Path, image: Callable[[str], str]) -> None:
    limit = 8
    with up(tmp_path) as first:
        job = (
            first.jobs(image, "recovery")
            .running(
                "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done",
                StoppingCondition={"MaxRuntimeInSeconds": limit},
            )
            .wrote("ready")
        )
        first.kill()
    time.sleep(limit)
    with up(tmp_path) as second:
        before = time.time()
        described = at(job, second).ended().describe()
        assert described["SecondaryStatus"] == "MaxRuntimeExceeded"
        assert described["TrainingEndTime"].timestamp() < before + limit


def test_jobs_that_had_not_started_start_and_those_beyond_the_limit_wait(
    tmp_path: Path, image: Callable[[str], str]
) -> None:
    with up(tmp_path, "--max-parallel-jobs", "1") as first:
        jobs = first.jobs(image, "recovery")
        running = jobs.running("echo ready; sleep 2; echo done").wrote("ready")
        waiting = [jobs.running(f"echo {number}") for number in range(3)]
        first.kill()
    with up(tmp_path, "--max-parallel-jobs", "1") as second:
        for number, job in enumerate(waiting):
            again = at(job, second).ended()
            assert (again.status, again.log()) == ("Completed", [str(number)]), again.failure_reason
        assert at(running, second).ended().log() == ["ready", "done"]


def test_a_container_keeps_its_credentials_and_its_endpoint(tmp_path: Path, image: Callable[[str], str]) -> None:
    address = "${AWS_CONTAINER_CREDENTIALS_FULL_URI:-http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI}"
    fetch = f"python3 -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read()[:12])' {address}; "
    program = f"{fetch} while [ ! -e /opt/ml/input/go ]; do sleep 0.1; done; {fetch}"
    port = free_port()
    with up(tmp_path, port=port) as first:
        job = first.jobs(image, "recovery").running(program).wrote("RoleArn")
        first.kill()
    with up(tmp_path, port=port) as second:
        (container,) = containers(job)
        docker("exec", container, "touch", "/opt/ml/input/go")
        job = at(job, second).ended()
        assert job.status == "Completed", (job.failure_reason, job.log())
        assert job.log() == ["b'{\"RoleArn\": '"] * 2


def test_a_start_that_fails_leaves_the_jobs_to_the_next_one(tmp_path: Path, image: Callable[[str], str]) -> None:
    with up(tmp_path, "--recovery-window", "30") as first:
        job = first.jobs(image, "recovery").running("echo ready; until [ -e /opt/ml/input/go ]; do sleep 0.1; done")
        job.wrote("ready")
        first.kill()
    (container,) = containers(job)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*COMMAND, "--port", str(taken.getsockname()[1]), "--state-dir", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4, done.stderr
    assert containers(job) == [container]
    with up(tmp_path) as second:
        docker("exec", container, "touch", "/opt/ml/input/go")
        job = at(job, second).ended()
        assert job.status == "Completed", job.failure_reason


def test_who_only_saves_the_state_is_no_successor(tmp_path: Path, image: Callable[[str], str]) -> None:
    state = tmp_path / "state"
    with up(state, "--recovery-window", "2") as first:
        job = first.jobs(image, "recovery").running("echo ready; sleep 60").wrote("ready")
        first.kill()
    command = [
        sys.executable,
        "-m",
        "emulator",
        "state",
        "save",
        str(tmp_path / "saved.tar"),
        "--state-dir",
        str(state),
    ]
    subprocess.run(command, timeout=60, check=True, capture_output=True)
    gone(lambda: containers(job))


def test_hosts_that_were_told_to_stop_are_stopped_also_if_one_has_ended(
    tmp_path: Path, image: Callable[[str], str]
) -> None:
    program = (
        "grep -q 'current_host\":\"algo-1' /opt/ml/input/config/resourceconfig.json || trap 'sleep 3; exit 0' TERM; "
        "echo ready; while :; do sleep 0.1; done"
    )
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    with up(tmp_path) as first:
        jobs = first.jobs(image, "recovery")
        job = jobs.running(f"trap 'exit 143' TERM; {program}", ResourceConfig=resources).wrote("ready")
        job.stop()
        time.sleep(1)
        first.kill()
    with up(tmp_path) as second:
        assert at(job, second).ended().status == "Stopped"


def test_a_job_of_the_same_name_has_credentials_of_its_own(tmp_path: Path, image: Callable[[str], str]) -> None:
    address = "${AWS_CONTAINER_CREDENTIALS_FULL_URI:-http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI}"
    program = f"python3 -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read()[:12])' {address}"
    with up(tmp_path) as emulator:
        jobs = emulator.jobs(image, "recovery")
        for _ in range(4):
            job = jobs.running(program, TrainingJobName="again").ended()
            assert job.status == "Completed", (job.failure_reason, job.log())
            job.call("delete")
