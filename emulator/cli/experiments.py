"""`sagemaker-emulator experiments`: what is tracked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

import click

from .env import client_options, endpoint_url
from .exec_ import require_endpoint
from .text_charts import columns, number, plain

_EXPERIMENTS: Final = ("EXPERIMENT", "TRIALS", "RUNS", "CREATED")
_MOST_METRICS: Final = 4


@click.group()
def experiments() -> None:
    """Look at experiments and their runs."""


@experiments.command("ls")
@click.argument("name", required=False)
@client_options
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most this many.")
def list_experiments(port: int, region: str, account: str, name: str | None, limit: int) -> None:
    """List the experiments, or the runs of the experiment NAME with their metrics, the newest first."""
    require_endpoint(port)
    from ..jobfiles.clients import service_errors
    from ..jobfiles.connecting import make_clients
    from .tracked import components

    clients = make_clients(endpoint_url(port), region=region, account=account)
    with service_errors():
        if name is not None:
            clients.sagemaker.describe_experiment(ExperimentName=name)
            rows = _runs(list(islice(components(clients, name), limit)))
        else:
            found = clients.sagemaker.get_paginator("list_experiments").paginate(
                PaginationConfig={"MaxItems": limit, "PageSize": 100}
            )
            counts = _counts(components(clients))
            rows = [
                _EXPERIMENTS,
                *(
                    (
                        one["ExperimentName"],
                        *map(str, counts.get(one["ExperimentName"], (0, 0))),
                        f"{one['CreationTime'].astimezone():%Y-%m-%d %H:%M:%S}",
                    )
                    for page in found
                    for one in page["ExperimentSummaries"]
                ),
            ]
    for line in columns(rows):
        click.echo(line)


def _counts(every: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Return how many trials with components, and how many components, each experiment has."""
    trials: dict[str, set[str]] = {}
    runs: dict[str, set[str]] = {}
    for one in every:
        for parent in one.get("Parents", ()):
            trials.setdefault(parent["ExperimentName"], set()).add(parent["TrialName"])
            runs.setdefault(parent["ExperimentName"], set()).add(one["TrialComponentName"])
    return {name: (len(trials[name]), len(found)) for name, found in runs.items()}


def _runs(found: list[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Return a row a run, with a column for each of the first metrics: its last value."""
    names = list(dict.fromkeys(metric["MetricName"] for one in found for metric in one.get("Metrics", ())))
    shown = sorted(names)[:_MOST_METRICS]
    rows: list[tuple[str, ...]] = [("RUN", "DISPLAY NAME", "STATUS", "CREATED", *map(plain, shown))]
    for one in found:
        last = {metric["MetricName"]: metric["Last"] for metric in one.get("Metrics", ())}
        rows.append(
            (
                one["TrialComponentName"],
                one.get("DisplayName", ""),
                one.get("Status", {}).get("PrimaryStatus", ""),
                f"{one['CreationTime'].astimezone():%Y-%m-%d %H:%M:%S}",
                *(number(last[name]) if name in last else "" for name in shown),
            )
        )
    return rows
