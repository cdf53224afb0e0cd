"""`experiments ls` and `runs compare` against a running endpoint."""

from __future__ import annotations

import time
import uuid

import pytest

from emulator.endpoint import Endpoint
from tests.cli.commands import sagemaker_emulator
from tests.jobs import Clients

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def experiment(clients: Clients) -> str:
    """An experiment with two runs whose losses go down by other ways."""
    name = f"cli-{uuid.uuid4().hex[:8]}"
    api = clients.sagemaker
    api.create_experiment(ExperimentName=name)
    api.create_trial(TrialName=f"{name}-t", ExperimentName=name)
    for run, rate, losses in (("slow", 0.1, (8, 7, 6, 5)), ("fast", 0.5, (8, 4, 2, 1))):
        component = f"{name}-{run}"
        api.create_trial_component(
            TrialComponentName=component,
            Parameters={"rate": {"NumberValue": rate}, "features": {"StringValue": "v1"}},
            Status={"PrimaryStatus": "Completed"},
        )
        api.associate_trial_component(TrialComponentName=component, TrialName=f"{name}-t")
        data = [
            {"MetricName": "loss", "Value": value, "Timestamp": int(time.time()), "Step": step}
            for step, value in enumerate(losses)
        ]
        clients.metrics.batch_put_metrics(TrialComponentName=component, MetricData=data)
    return name


def test_experiments_ls(endpoint: Endpoint, experiment: str) -> None:
    done = sagemaker_emulator("experiments", "ls", "--port", endpoint.port)

    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["EXPERIMENT", "TRIALS", "RUNS", "CREATED"]
    (row,) = [one for one in rows if one.startswith(experiment)]
    assert row.split()[1:3] == ["1", "2"]


def test_experiments_ls_of_one(endpoint: Endpoint, experiment: str) -> None:
    done = sagemaker_emulator("experiments", "ls", experiment, "--port", endpoint.port)

    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["RUN", "DISPLAY", "NAME", "STATUS", "CREATED", "loss"]
    assert [(row.split()[0], row.split()[-1]) for row in rows] == [
        (f"{experiment}-fast", "1"),
        (f"{experiment}-slow", "5"),
    ]


def test_runs_compare(endpoint: Endpoint, experiment: str) -> None:
    done = sagemaker_emulator("runs", "compare", "slow", "fast", "--experiment", experiment, "--port", endpoint.port)

    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[:4] == [
        [f"{experiment}-slow", f"{experiment}-fast"],
        ["status", "Completed", "Completed"],
        ["features", "v1", "v1"],
        ["*", "rate", "0.1", "0.5"],
    ]
    assert lines[4:] == [
        [],
        ["loss"],
        ["min", "max", "avg", "last", "count"],
        [f"{experiment}-slow", "█▇▆▅", "5", "8", "6.5", "5", "4"],
        [f"{experiment}-fast", "█▄▂▁", "1", "8", "3.75", "1", "4"],
    ]


def test_runs_compare_only_what_differs(endpoint: Endpoint, experiment: str) -> None:
    names = [f"{experiment}-slow", f"{experiment}-fast"]

    done = sagemaker_emulator("runs", "compare", *names, "--changed", "--port", endpoint.port)

    assert "features" not in done.stdout
    assert "rate" in done.stdout


def test_what_is_not_there(endpoint: Endpoint) -> None:
    run = sagemaker_emulator("runs", "compare", "no-such", "--port", endpoint.port)
    listed = sagemaker_emulator("experiments", "ls", "no-such", "--port", endpoint.port)

    assert (run.returncode, "There is no run 'no-such'" in run.stderr) == (2, True)
    assert listed.returncode == 1
    assert "'no-such' does not exist" in listed.stderr
