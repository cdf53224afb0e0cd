"""`jobs`, `describe`, `logs` and `stop` against a running endpoint."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from emulator.endpoint import Endpoint
from tests.cli.commands import SECONDS, read_until, sagemaker_emulator, started
from tests.jobs import ProcessingJobs, TrainingJobs
from tests.programs import TALK

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

OBEYS = "trap 'echo asked to stop; exit 0' TERM; echo ready; while :; do sleep 0.05; done"


def name_like(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:8]}"


def test_jobs_lists_the_newest_first(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    kind = name_like("listed")
    jobs.running("true", TrainingJobName=f"{kind}-a").ended()
    jobs.running("exit 1", TrainingJobName=f"{kind}-b-longer").ended()

    done = sagemaker_emulator("jobs", "--port", endpoint.port, "--name", kind)

    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["NAME", "KIND", "STATUS", "SECONDARY", "CREATED", "SECONDS"]
    assert [row.split()[:4] for row in rows] == [
        [f"{kind}-b-longer", "training", "Failed", "Failed"],
        [f"{kind}-a", "training", "Completed", "Completed"],
    ]
    assert all(re.search(r"  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \d+\.\d$", row) for row in rows)
    assert len({row.index(word) for row, word in zip(rows, ["Failed", "Completed"], strict=True)}) == 1


def test_jobs_by_status_and_number(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    kind = name_like("chosen")
    for number in range(3):
        jobs.running("exit 1", TrainingJobName=f"{kind}-{number}").ended()
    listed = ["jobs", "--port", endpoint.port, "--name", kind]

    assert len(sagemaker_emulator(*listed, "--limit", 2).stdout.splitlines()) == 3
    assert len(sagemaker_emulator(*listed, "--status", "failed").stdout.splitlines()) == 4
    assert sagemaker_emulator(*listed, "--status", "Completed").stdout.split() == [
        "NAME",
        "KIND",
        "STATUS",
        "SECONDARY",
        "CREATED",
        "SECONDS",
    ]


def test_describe(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    channel = jobs.channel("train", {"/a": b"1"})
    job = jobs.running(
        "printf 'bad\\nworse' > /opt/ml/output/failure; exit 2",
        HyperParameters={"epochs": "3"},
        InputDataConfig=[channel],
    ).ended()

    done = sagemaker_emulator("describe", "--port", endpoint.port, job.name)

    assert done.returncode == 0, done.stderr
    for line in (
        f"name +{job.name}",
        r"status +Failed \(Failed\)",
        "reason +AlgorithmError: bad\nreason +worse, exit code: 2",
        "hyperparam +epochs = 3",
        f"channel +train from {channel['DataSource']['S3DataSource']['S3Uri']}",
        r"history +[-\d]+ [:\d]+ +[\d.]+ s  Downloading: ",
    ):
        assert re.search(f"^{line}", done.stdout, re.MULTILINE), f"{line} is not in:\n{done.stdout}"


def test_describe_as_json_is_the_services_answer(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    job = jobs.running("true").ended()
    done = sagemaker_emulator("describe", "--json", "--port", endpoint.port, job.name)
    document = json.loads(done.stdout)
    assert document["TrainingJobName"] == job.name
    assert re.match(r"\d{4}-\d\d-\d\dT", document["CreationTime"])
    assert "ResponseMetadata" not in document


def test_logs_prints_what_there_is(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    job = jobs.running("for i in $(seq 1 50); do echo line $i; done").ended()
    done = sagemaker_emulator("logs", "--port", endpoint.port, job.name)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"line {number}" for number in range(1, 51)]


def test_logs_of_a_job_that_wrote_nothing(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    job = jobs.running("true").ended()
    done = sagemaker_emulator("logs", "--follow", "--port", endpoint.port, job.name)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_logs_shows_lines_while_the_job_runs_until_it_ends(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    job = jobs.running(f"echo line 1; echo line 2; {OBEYS}")
    with started("logs", "-f", "--port", endpoint.port, job.name.upper(), PYTHONUNBUFFERED="1") as following:
        assert read_until(following, "ready").splitlines() == ["line 1", "line 2", "ready"]
        assert job.status == "InProgress"
        job.stop()
        assert following.stdout is not None
        assert following.stdout.read() == "asked to stop\n"
        assert following.wait(SECONDS) == 0


def test_stop_and_wait(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    job = jobs.running(OBEYS).wrote("ready")
    done = sagemaker_emulator("stop", "--wait", "--port", endpoint.port, job.name)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{job.name} is being stopped\n{job.name} is Stopped\n"
    assert job.log()[-1] == "asked to stop"


def test_stop_without_waiting(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    job = jobs.running(OBEYS).wrote("ready")
    done = sagemaker_emulator("stop", "--port", endpoint.port, job.name)
    assert done.stdout == f"{job.name} is being stopped\n"
    assert job.ended().status == "Stopped"


def test_a_job_that_has_ended_cannot_be_stopped(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    job = jobs.running("true").ended()
    done = sagemaker_emulator("stop", "--port", endpoint.port, job.name)
    assert done.returncode == 1
    assert done.stderr.startswith("sagemaker-emulator: StopTrainingJob was refused: The request was rejected because")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["describe", "logs", "stop"])
def test_a_job_that_does_not_exist(endpoint: Endpoint, command: str) -> None:
    done = sagemaker_emulator(command, "--port", endpoint.port, "--region", "eu-west-1", "no-such-job")
    assert done.returncode == 1
    assert done.stderr == (
        "sagemaker-emulator: There is no job 'no-such-job' of account 123456789012 in eu-west-1. "
        "See which there are: sagemaker-emulator jobs\n"
    )


@pytest.mark.parametrize("command", [["jobs"], ["describe", "a"], ["logs", "a"], ["stop", "a"]])
def test_nobody_answers(command: list[str]) -> None:
    done = sagemaker_emulator(*command, "--port", "1")
    assert done.returncode == 4
    assert "Start it first: sagemaker-emulator up --port 1" in done.stderr


def test_a_name_that_cannot_be_one(endpoint: Endpoint) -> None:
    done = sagemaker_emulator("describe", "--port", endpoint.port, "not_a_name")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_an_account_that_cannot_be_one(endpoint: Endpoint) -> None:
    done = sagemaker_emulator("jobs", "--port", endpoint.port, "--account", "42")
    assert done.returncode == 2
    assert "twelve digits" in done.stderr


def test_processing_jobs_are_jobs_too(endpoint: Endpoint, processing: ProcessingJobs) -> None:
    name = name_like("prepared")
    # The first host that fails ends the others, so each waits until the other has written too.
    job = processing.running(
        "echo from $(hostname | cut -c1-2); printf 'seven rows' > /opt/ml/output/message; "
        "python3 /opt/ml/processing/input/rows/talk.py > /dev/null; exit 4",
        hosts=2,
        ProcessingJobName=name,
        Environment={"A": "b"},
        ProcessingInputs=[processing.input("rows", {"/talk.py": TALK.encode()})],
        ProcessingOutputConfig=processing.outputs("out"),
    ).ended()

    described = sagemaker_emulator("describe", "--port", endpoint.port, name)
    assert described.returncode == 0, described.stderr
    for line in (
        f"name +{name}",
        r"status +Failed$",
        "reason +AlgorithmError: seven rows, exit code: 4",
        "message +seven rowsseven rows",
        "entrypoint +sh -c ",
        "hosts +2",
        "environment +A = b",
        "input +rows from s3://.+ at /opt/ml/processing/input/rows",
        f"output +out from /opt/ml/processing/out to s3://.+/{name}/out",
    ):
        assert re.search(f"^{line}", described.stdout, re.MULTILINE), f"{line} is not in:\n{described.stdout}"

    listed = sagemaker_emulator("jobs", "--port", endpoint.port, "--name", name, "--kind", "processing")
    assert listed.stdout.splitlines()[1].split()[:3] == [name, "processing", "Failed"]
    logs = sagemaker_emulator("logs", "-f", "--port", endpoint.port, job.name)
    assert sorted(line.split()[0] for line in logs.stdout.splitlines()) == ["algo-1", "algo-2"]


def test_of_two_jobs_of_one_name_one_is_chosen_by_its_kind(
    endpoint: Endpoint, jobs: TrainingJobs, processing: ProcessingJobs
) -> None:
    name = name_like("both")
    jobs.running("echo training", TrainingJobName=name).ended()
    running = processing.running(OBEYS, ProcessingJobName=name).wrote("ready")

    refused = sagemaker_emulator("logs", "--port", endpoint.port, name)
    assert refused.returncode == 2
    assert f"There are a training job and a processing job named {name!r}." in refused.stderr
    assert "--kind training or --kind processing" in refused.stderr
    chosen = sagemaker_emulator("logs", "--port", endpoint.port, "--kind", "training", name)
    assert chosen.stdout == "training\n"
    stopped = sagemaker_emulator("stop", "--wait", "--port", endpoint.port, "--kind", "processing", name)
    assert stopped.stdout.endswith(f"{name} is Stopped\n")
    assert running.log()[-1] == "asked to stop"


def test_a_full_disk_behind_standard_output() -> None:
    command = [sys.executable, "-m", "emulator", "jobs", "--help"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("sagemaker-emulator: No space is left on a disk")
