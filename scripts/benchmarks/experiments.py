"""Experiments with many runs, metrics and values: what a client waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from emulator.contract.arns import Scope
from emulator.contract.experiments.entities import EXPERIMENT, TRIAL, TRIAL_COMPONENT, Entity, EntityKind, new_entity
from emulator.contract.experiments.metric_summary import MetricPoint
from emulator.storage.database import FILE_NAME, Database
from emulator.storage.experiments.entities import SqliteEntityStore
from emulator.storage.experiments.metric_values import SqliteMetricValueStore
from tests.jobs import Clients

from . import servers
from .measuring import Row, medians, timed
from .setting import Setting

_RUNS = 1_000
_METRICS = 10
_VALUES = 1_000
LONG = "bench-long-run"
"""The trial component of a run with so many values of one metric."""
LONG_VALUES = 100_000
_ROUNDS = 5
_BATCHES = 200
_SCOPE = Scope(account="123456789012", region="us-east-1")
_WHAT = "1,000 runs x 10 metrics x 1,000 values"


def measure(setting: Setting) -> Iterator[Row]:
    """Measure requests as boto3 sends them, one after the other."""
    state = setting.folder() / "state"
    fill(state)
    with servers.emulator(state) as server:
        clients = Clients(server.url)
        api: Any = clients.sagemaker
        mine = {"Filters": [{"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": "bench"}]}
        sort = {"SortBy": "Metrics.m0.Min", "SortOrder": "Ascending", "MaxResults": 100}
        arn = TRIAL_COMPONENT.arn(_SCOPE, name(1))
        queries = [
            {
                "MetricName": f"m{metric}",
                "ResourceArn": arn,
                "MetricStat": "Last",
                "Period": "IterationNumber",
                "XAxisType": "IterationNumber",
            }
            for metric in range(_METRICS)
        ]
        requests = {
            "DescribeTrialComponent with its metrics": lambda: api.describe_trial_component(TrialComponentName=name(5)),
            "ListTrialComponents, a page of 100": lambda: api.list_trial_components(
                ExperimentName="bench", MaxResults=100
            ),
            "Search, 100 of an experiment's runs by a metric": lambda: api.search(
                Resource="ExperimentTrialComponent", SearchExpression=mine, **sort
            ),
            "BatchGetMetrics, 10 series of a run": lambda: clients.metrics.batch_get_metrics(MetricQueries=queries),
        }
        taken = medians(_ROUNDS, *(lambda request=request: 1000 * timed(request) for request in requests.values()))
        for what, milliseconds in zip(requests, taken, strict=True):
            yield Row(name=f"{what}; {_WHAT}", ours=milliseconds, unit="ms", most=1000)
        batch = [{"MetricName": "new", "Value": 0.5, "Timestamp": int(time.time()), "Step": step} for step in range(10)]
        seconds = timed(
            lambda: [
                clients.metrics.batch_put_metrics(TrialComponentName=name(0), MetricData=batch) for _ in range(_BATCHES)
            ]
        )
        yield Row(name=f"BatchPutMetrics of 10 values; {_WHAT}", ours=1000 * seconds / _BATCHES, unit="ms", most=20)


def fill(state_dir: Path) -> None:
    """Write what that many runs have logged, through the stores."""
    state_dir.mkdir(parents=True, exist_ok=True)
    at = time.time() - 86400
    with closing(Database(state_dir / FILE_NAME)) as database:
        entities, metrics = SqliteEntityStore(database), SqliteMetricValueStore(database)
        _made(entities, EXPERIMENT, {"ExperimentName": "bench"}, at)
        trial = _made(entities, TRIAL, {"TrialName": "bench-trial", "ExperimentName": "bench"}, at)
        for number in range(_RUNS):
            parameters = {f"p{place}": {"NumberValue": float(number % (place + 2))} for place in range(10)}
            request = {"TrialComponentName": name(number), "Parameters": parameters}
            run = _made(entities, TRIAL_COMPONENT, request, at + number)
            entities.associate(trial, run)
            points = [
                (f"m{metric}", MetricPoint(at=at + step, value=number / (step + metric + 1), step=step))
                for metric in range(_METRICS)
                for step in range(_VALUES)
            ]
            metrics.put(run, "", points)
        _made(entities, EXPERIMENT, {"ExperimentName": "bench-long"}, at)
        trial = _made(entities, TRIAL, {"TrialName": "bench-long-trial", "ExperimentName": "bench-long"}, at)
        run = _made(entities, TRIAL_COMPONENT, {"TrialComponentName": LONG}, at)
        entities.associate(trial, run)
        noise = Random(0)
        values = (1 / (1 + step / 1000) + noise.random() / 10 for step in range(LONG_VALUES))
        long = [("loss", MetricPoint(at=at + step, value=value, step=step)) for step, value in enumerate(values)]
        metrics.put(run, "", long)


def name(number: int) -> str:
    """Return the name of a run's trial component."""
    return f"bench-run-{number:04}"


def _made(entities: SqliteEntityStore, kind: EntityKind, request: dict[str, Any], at: float) -> Entity:
    made = entities.create(new_entity(kind, _SCOPE, request, at))
    assert made is not None
    return made
