"""What an emulator that was killed has tracked: experiments, and the components of jobs it did not see the end of."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import Clients, Job
from tests.recovery.engine import containers, docker
from tests.up import free_port, up

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

LOSSES = "for n in 1 2 3 4; do echo loss=$n; done; until [ -e /opt/ml/input/go ]; do sleep 0.1; done; echo loss=5"


def with_metrics(api: Any, counts: list[tuple[str, int]]) -> dict[str, Any]:
    """Wait until the run has so many values of each metric: they come right behind their lines in the log."""
    deadline = time.monotonic() + 20
    while True:
        run: dict[str, Any] = api.describe_trial_component(TrialComponentName="exp-run")
        if [(one["MetricName"], one["Count"]) for one in run["Metrics"]] == counts:
            return run
        assert time.monotonic() < deadline, run["Metrics"]
        time.sleep(0.05)


def test_a_job_s_component_counts_each_value_once_after_a_kill(tmp_path: Path, image: Callable[[str], str]) -> None:
    port = free_port()
    with up(tmp_path, port=port) as first:
        api = first.clients.sagemaker
        api.create_experiment(ExperimentName="Exp", Tags=[{"Key": "a", "Value": "b"}])
        api.create_trial(TrialName="trial", ExperimentName="Exp")
        api.create_trial_component(TrialComponentName="exp-run", Parameters={"lr": {"NumberValue": 0.5}})
        api.associate_trial_component(TrialComponentName="exp-run", TrialName="trial")
        now = int(time.time())
        put = [
            {"MetricName": "own", "Value": value, "Timestamp": now, "Step": step} for step, value in enumerate((1, 2))
        ]
        first.clients.metrics.batch_put_metrics(TrialComponentName="exp-run", MetricData=put)
        job = first.jobs(image, "tracked").running(
            LOSSES,
            AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]},
            ExperimentConfig={"ExperimentName": "Exp", "TrialName": "trial", "RunName": "exp-run"},
        )
        job.wrote("loss=4")
        before = with_metrics(api, [("loss", 4), ("own", 2)])
        first.kill()
    with up(tmp_path, port=port) as second:
        job = Job(Clients(f"http://127.0.0.1:{port}"), job.name, job.bucket)
        (container,) = containers(job)
        docker("exec", container, "touch", "/opt/ml/input/go")
        job.ended()
        api = second.clients.sagemaker
        run = api.describe_trial_component(TrialComponentName="exp-run")
        component = api.describe_trial_component(TrialComponentName=f"{job.name}-aws-training-job")
        assert [(one["MetricName"], one["Count"], one["Last"]) for one in run["Metrics"]] == [
            ("loss", 5, 5.0),
            ("own", 2, 2.0),
        ]
        assert [(one["Count"], one["Max"]) for one in component["Metrics"]] == [(5, 5.0)]
        assert component["Status"]["PrimaryStatus"] == "Completed"
        assert run["Parameters"]["lr"] == {"NumberValue": 0.5}
        assert run["Sources"] == before["Sources"]
        assert len(api.list_trial_components(TrialName="trial")["TrialComponentSummaries"]) == 2
        assert api.list_tags(ResourceArn=api.describe_experiment(ExperimentName="exp")["ExperimentArn"])["Tags"] == [
            {"Key": "a", "Value": "b"}
        ]
