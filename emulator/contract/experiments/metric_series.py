"""BatchGetMetrics: the values of a metric over steps or over time.

Source: BC `MetricQuery`, `MetricQueryResult`. Unconfirmed, and ours: a Period of time puts values into bins that
begin at its multiples, an XAxisValue is the beginning of its bin in epoch seconds, as are Start (the first that is
wanted) and End (the first that is not); IterationNumber takes each step by itself; values without a step count on
from 0 in the order in which they came, where steps are asked for and none has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .metric_summary import MetricPoint, MetricSummary

COMPLETE: Final = "Complete"
REFUSED: Final = "ValidationError"

_SECONDS: Final = {"OneMinute": 60, "FiveMinute": 300, "OneHour": 3600}


@dataclass(frozen=True, kw_only=True)
class SeriesQuery:
    """One query, read."""

    metric_name: str
    resource_arn: str
    statistic: str
    seconds: int | None
    by_step: bool
    start: int | None
    end: int | None

    @classmethod
    def parse(cls, query: Mapping[str, Any]) -> SeriesQuery:
        """Read one of MetricQueries."""
        return cls(
            metric_name=query["MetricName"],
            resource_arn=query["ResourceArn"],
            statistic=query["MetricStat"],
            seconds=_SECONDS.get(query["Period"]),
            by_step=query["XAxisType"] == "IterationNumber",
            start=query.get("Start"),
            end=query.get("End"),
        )

    @property
    def fault(self) -> str:
        """What is wrong with it; empty when nothing is."""
        if self.by_step and self.seconds is not None:
            return "With XAxisType IterationNumber the Period must be IterationNumber."
        return ""


def answered(query: SeriesQuery, points: Iterable[MetricPoint]) -> dict[str, Any]:
    """Return the result of a query over all values of its metric, in the order in which they came."""
    bins: dict[int, list[MetricPoint]] = {}
    for place, point in _placed(query, points):
        if (query.start is None or place >= query.start) and (query.end is None or place < query.end):
            bins.setdefault(place, []).append(point)
    places = sorted(bins)
    nothing = MetricSummary(name=query.metric_name)
    return {
        "Status": COMPLETE,
        "XAxisValues": places,
        "MetricValues": [nothing.with_points(bins[place]).statistic(query.statistic) for place in places],
    }


def refused(message: str) -> dict[str, Any]:
    """Return the result of a query that cannot be answered; the others of its request can."""
    return {"Status": REFUSED, "Message": message, "XAxisValues": [], "MetricValues": []}


def _placed(query: SeriesQuery, points: Iterable[MetricPoint]) -> Iterable[tuple[int, MetricPoint]]:
    """Yield each value with the place on the x axis that it counts for."""
    if not query.by_step:
        width = query.seconds or 1
        return ((int(point.at // width) * width, point) for point in points)
    every: Sequence[MetricPoint] = tuple(points)
    if all(point.step is None for point in every):
        return enumerate(every)
    return ((point.step, point) for point in every if point.step is not None)
