"""What `experiments` and `runs` read of the endpoint, as any client could."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..contract.experiments.entities import name_in
from ..errors import UsageError
from ..jobfiles.clients import Clients


def components(clients: Clients, experiment: str | None = None) -> Iterator[Mapping[str, Any]]:
    """Yield the trial components of an experiment, or all there are, the newest first, with metrics and parents."""
    request: dict[str, Any] = {
        "Resource": "ExperimentTrialComponent",
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": 100,
    }
    if experiment is not None:
        named = {"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": experiment}
        request["SearchExpression"] = {"Filters": [named]}
    for page in clients.sagemaker.get_paginator("search").paginate(**request):
        for record in page["Results"]:
            yield record["TrialComponent"]


def component(clients: Clients, name: str, experiment: str | None) -> Mapping[str, Any]:
    """Return the Describe answer of a run.

    A run of the SDK is the component `<experiment>-<run>`, in lower case; a job's is `<job>-aws-training-job`.
    What is given may be that name, or the run's or the job's.

    Raises:
        UsageError: there is none.
    """
    runs = [f"{experiment}-{name}".lower()] if experiment is not None else []
    tried = [*runs, name_in(name), f"{name}-aws-training-job", f"{name}-aws-processing-job"]
    for one in tried:
        try:
            return dict(clients.sagemaker.describe_trial_component(TrialComponentName=one))
        except clients.sagemaker.exceptions.ResourceNotFound:
            continue
    raise UsageError(
        f"There is no run {name!r}; tried {', '.join(tried)}. `sagemaker-emulator experiments ls EXPERIMENT` lists "
        "runs; with --experiment a run's own name is enough."
    )


def series(metrics: Any, arn: str, names: Sequence[str]) -> dict[str, list[float]]:
    """Return the values of metrics of a component, in order of their steps, or as they came."""
    found: dict[str, list[float]] = {}
    for start in range(0, len(names), 100):  # the most that one request takes
        batch = names[start : start + 100]
        queries = [
            {
                "MetricName": name,
                "ResourceArn": arn,
                "MetricStat": "Last",
                "Period": "IterationNumber",
                "XAxisType": "IterationNumber",
            }
            for name in batch
        ]
        answers = metrics.batch_get_metrics(MetricQueries=queries)["MetricQueryResults"]
        found |= {name: answer["MetricValues"] for name, answer in zip(batch, answers, strict=True)}
    return found
