"""`sagemaker-emulator runs`: runs side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from .env import client_options, endpoint_url
from .exec_ import require_endpoint
from .text_charts import CHART_WIDTH, columns, number, plain, sparkline

_STATISTICS: Final = ("Min", "Max", "Avg", "Last", "Count")


@click.group()
def runs() -> None:
    """Look at runs side by side."""


@runs.command()
@click.argument("names", nargs=-1, required=True)
@client_options
@click.option("--experiment", help="The experiment of the runs; then their own names are enough.")
@click.option("--changed", is_flag=True, help="Only parameters that are not the same in all of them.")
def compare(
    port: int, region: str, account: str, names: tuple[str, ...], experiment: str | None, *, changed: bool
) -> None:
    """Show parameters and metrics of the runs NAMES side by side, metrics as charts on one scale.

    A name is that of a trial component, of a run (with --experiment) or of a job. `*` marks parameters that differ.
    """
    require_endpoint(port)
    from ..jobfiles.clients import service_errors
    from ..jobfiles.connecting import make_clients, make_metrics_client
    from .tracked import component, series

    clients = make_clients(endpoint_url(port), region=region, account=account)
    metrics = make_metrics_client(endpoint_url(port), region=region, account=account)
    with service_errors():
        found = [component(clients, name, experiment) for name in names]
        curves = [series(metrics, one["TrialComponentArn"], list(_metrics(one))) for one in found]
    for line in (*_parameter_lines(found, changed=changed), *_metric_lines(found, curves)):
        click.echo(line)


def _parameter_lines(found: Sequence[Mapping[str, Any]], *, changed: bool) -> list[str]:
    rows = [("  ", "", *(plain(one["TrialComponentName"]) for one in found))]
    rows.append(("  ", "status", *(one.get("Status", {}).get("PrimaryStatus", "") for one in found)))
    names = sorted({name for one in found for name in one.get("Parameters", {})})
    for name in names:
        cells = [_parameter(one.get("Parameters", {}).get(name)) for one in found]
        differs = len(set(cells)) > 1
        if differs or not changed:
            rows.append(("* " if differs else "  ", plain(name), *map(plain, cells)))
    return columns(rows)


def _metric_lines(found: Sequence[Mapping[str, Any]], curves: Sequence[Mapping[str, Sequence[float]]]) -> Iterator[str]:
    """Yield a block a metric: each run's chart, all on one scale, and its figures."""
    for name in sorted({name for one in found for name in _metrics(one)}):
        every = [value for curve in curves for value in curve.get(name, ())]
        rows = [("  ", "", "".ljust(CHART_WIDTH), *(word.lower() for word in _STATISTICS))]
        for one, curve in zip(found, curves, strict=True):
            summary = _metrics(one).get(name)
            values = curve.get(name, ())
            chart = sparkline(values, min(every), max(every)) if values else ""
            figures = [number(summary[word]) if summary else "-" for word in _STATISTICS]
            rows.append(("  ", plain(one["TrialComponentName"]), chart, *figures))
        yield ""
        yield plain(name, 120)
        yield from columns(rows)


def _metrics(component: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {one["MetricName"]: one for one in component.get("Metrics", ())}


def _parameter(value: Mapping[str, Any] | None) -> str:
    if not value:
        return "-"
    return number(value["NumberValue"]) if "NumberValue" in value else str(value.get("StringValue", "-"))
