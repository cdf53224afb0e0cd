"""What an emulator that was killed has tracked: experiments, and the components of jobs it did not see the end of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.docker_engine import UNTIL_SIGN, container_of, sign
from tests.recovery.stories import Images, Story, at
from tests.up import SECONDS, Up


def component(api: Any, name: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until a trial component is so: what is tracked comes right behind what it tells of."""
    deadline = time.monotonic() + SECONDS
    while not reached(described := api.describe_trial_component(TrialComponentName=name)):
        assert time.monotonic() < deadline, described
        time.sleep(0.05)
    return dict(described)


def a_job_s_component_counts_each_value_once(first: Up, image: Images) -> Story:
    counts = [("loss", 4), ("own", 2)]
    api = first.clients.sagemaker
    api.create_experiment(ExperimentName="Exp", Tags=[{"Key": "a", "Value": "b"}])
    api.create_trial(TrialName="trial", ExperimentName="Exp")
    api.create_trial_component(TrialComponentName="exp-run", Parameters={"lr": {"NumberValue": 0.5}})
    api.associate_trial_component(TrialComponentName="exp-run", TrialName="trial")
    now = int(time.time())
    put = [{"MetricName": "own", "Value": value, "Timestamp": now, "Step": step} for step, value in enumerate((1, 2))]
    first.clients.metrics.batch_put_metrics(TrialComponentName="exp-run", MetricData=put)
    job = first.jobs(image, "tracked").running(
        f"for n in 1 2 3 4; do echo loss=$n; done; {UNTIL_SIGN}; echo loss=5",
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]},
        ExperimentConfig={"ExperimentName": "Exp", "TrialName": "trial", "RunName": "exp-run"},
    )
    before = component(
        api, "exp-run", lambda run: [(one["MetricName"], one["Count"]) for one in run["Metrics"]] == counts
    )
    yield
    second = yield
    api = second.clients.sagemaker
    sign(container_of(job))
    job = at(job, second).ended()
    tracked = component(api, f"{job.name}-aws-training-job", lambda one: one["Status"]["PrimaryStatus"] == "Completed")
    run = api.describe_trial_component(TrialComponentName="exp-run")
    assert [(one["MetricName"], one["Count"], one["Last"]) for one in run["Metrics"]] == [
        ("loss", 5, 5.0),
        ("own", 2, 2.0),
    ]
    assert [(one["Count"], one["Max"]) for one in tracked["Metrics"]] == [(5, 5.0)]
    assert run["Parameters"]["lr"] == {"NumberValue": 0.5}
    assert run["Sources"] == before["Sources"]
    assert len(api.list_trial_components(TrialName="trial")["TrialComponentSummaries"]) == 2
    assert api.list_tags(ResourceArn=api.describe_experiment(ExperimentName="exp")["ExperimentArn"])["Tags"] == [
        {"Key": "a", "Value": "b"}
    ]
