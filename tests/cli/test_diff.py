"""`describe --diff`: how two jobs differ."""

from __future__ import annotations

import json

import pytest

from emulator.endpoint import Endpoint
from tests.cli.commands import sagemaker_emulator
from tests.jobs import ProcessingJobs, TrainingJobs

pytestmark = pytest.mark.docker

METRIC = {"MetricDefinitions": [{"Name": "acc", "Regex": "acc=([0-9.]+)"}]}


def test_two_runs_of_one_request_do_not_differ(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    channel = jobs.channel("train", {"/a": b"1"})
    one, other = (jobs.running("true", InputDataConfig=[channel]).ended() for _ in range(2))
    done = sagemaker_emulator("describe", "--port", endpoint.port, "--diff", one.name, other.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{one.name} (-) and {other.name} (+): no differences\n")


def test_what_differs_is_named(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    good = jobs.running(
        "echo acc=0.9",
        HyperParameters={"epochs": "3"},
        AlgorithmSpecification=METRIC,
        InputDataConfig=[jobs.channel("train", {"/a": b"1"})],
    ).ended()
    bad = jobs.running(
        "echo acc=0.5; echo broke > /opt/ml/output/failure; exit 1",
        image="nonroot",
        HyperParameters={"epochs": "30", "rate": "1"},
        AlgorithmSpecification=METRIC,
        InputDataConfig=[jobs.channel("train", {"/a": b"12", "/b": b""})],
    ).ended()
    done = sagemaker_emulator("describe", "--port", endpoint.port, "--diff", good.name, bad.name)
    assert done.returncode == 1
    lines = done.stdout.splitlines()

    def difference(head: str) -> list[str]:
        place = lines.index(head)
        return lines[place + 1 : place + 3]

    assert difference("status     Status") == ["  - Completed", "  + Failed"]
    assert difference("status     FailureReason")[1].endswith("AlgorithmError: broke, exit code: 1")
    assert difference("metric     acc") == ["  - 0.9", "  + 0.5"] or "  + 0.5" in difference("metric     acc")[1]
    assert difference("request    HyperParameters.epochs") == ["  - 3", "  + 30"]
    assert difference("request    HyperParameters.rate") == ["  - (nothing)", "  + 1"]
    assert difference("container  hosts.algo-1.user") == ["  - root", "  + 1000"]
    assert difference("container  hosts.algo-1.tree /opt/ml/input/data/train/a.size") == ["  - 1", "  + 2"]
    assert "container  hosts.algo-1.tree /opt/ml/input/data/train/b" in done.stdout
    as_json = sagemaker_emulator("describe", "--port", endpoint.port, "--json", "--diff", good.name, bad.name)
    assert as_json.returncode == 1
    assert {one["part"] for one in json.loads(as_json.stdout)} >= {"status", "metric", "request", "container"}


def test_jobs_of_two_kinds(endpoint: Endpoint, jobs: TrainingJobs, processing: ProcessingJobs) -> None:
    one, other = jobs.running("true").ended(), processing.running("true").ended()
    done = sagemaker_emulator("describe", "--port", endpoint.port, "--diff", one.name, other.name)
    assert done.returncode == 1
    assert done.stdout.startswith("kind       \n  - training job\n  + processing job\n")


def test_how_many_jobs_are_named(endpoint: Endpoint) -> None:
    describe = ["describe", "--port", endpoint.port]
    for arguments in (["--diff", "one"], ["one", "two"]):
        assert sagemaker_emulator(*describe, *arguments).returncode == 2
