"""Runs beside one another: in which parameters they differ, what their metrics came to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract.experiments.analytics import Cell, parameter_value
from .series import finite
from .texts import figure

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ParameterRow:
    """One parameter of all runs; None: a run does not have it."""

    name: str
    values: Sequence[Cell | None]

    @property
    def differs(self) -> bool:
        """Whether the runs do not all have the same."""
        return any(value != self.values[0] for value in self.values)

    def deviates(self, place: int) -> bool:
        """Tell whether a run has something else than the first one."""
        return self.values[place] != self.values[0]


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """One metric of all runs: its entries of Describe; None: a run does not have it."""

    name: str
    entries: Sequence[Document | None]

    def mark(self, place: int) -> str:
        """Return what to say of a run's last value among others: that it is the highest or the lowest."""
        lasts = [one["Last"] for one in self.entries if one is not None]
        mine = self.entries[place]
        if mine is None or len(lasts) < 2 or min(lasts) == max(lasts):
            return ""
        if mine["Last"] == max(lasts):
            return "highest"
        return "lowest" if mine["Last"] == min(lasts) else ""


def parameter_rows(documents: Sequence[Document]) -> list[ParameterRow]:
    """Return a row for each parameter that a run has: those that differ first."""
    names = sorted({name for one in documents for name in one.get("Parameters", {})})
    rows = [
        ParameterRow(name=name, values=[_parameter(one.get("Parameters", {}).get(name)) for one in documents])
        for name in names
    ]
    return sorted(rows, key=lambda row: not row.differs)


def metric_rows(documents: Sequence[Document]) -> list[MetricRow]:
    """Return a row for each metric that a run has."""
    metrics = [{entry["MetricName"]: entry for entry in one.get("Metrics", ())} for one in documents]
    return [MetricRow(name=name, entries=[one.get(name) for one in metrics]) for name in sorted(set().union(*metrics))]


def chart_columns(parameters: Sequence[ParameterRow], metrics: Sequence[MetricRow]) -> list[dict[str, Any]]:
    """Return parameters and last values of metrics as a script draws them: axes of numbers, or of words."""
    columns = [
        {"title": row.name, "kind": "parameter", "differs": row.differs, **_axis(row.values)} for row in parameters
    ]
    for metric in metrics:
        lasts = [None if one is None else one["Last"] for one in metric.entries]
        columns.append({"title": metric.name, "kind": "metric", "differs": True, **_axis(lasts)})
    return columns


def _axis(values: Sequence[Cell | None]) -> dict[str, Any]:
    numbers = [value if isinstance(value, int | float) else None for value in values]
    if all(number is not None or value is None for number, value in zip(numbers, values, strict=True)):
        return {"numeric": True, "values": [None if one is None else finite(one) for one in numbers]}
    return {"numeric": False, "values": [figure(one) if isinstance(one, int | float) else one for one in values]}


def _parameter(value: Mapping[str, Any] | None) -> Cell | None:
    return None if value is None else parameter_value(value)
