"""Metrics of trial components: running summaries of all that was put, and the entry each has in Describe.

Source: BC `TrialComponentMetricSummary`, `RawMetricData`. Unconfirmed: that StdDev is of the whole population, and
that Last is by Timestamp, of equal ones (SDK V2 sends whole seconds) the one that came last.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

STATISTICS: Final = ("Min", "Max", "Avg", "StdDev", "Last", "Count")

SECONDS_BACK: Final = 14 * 86400
SECONDS_AHEAD: Final = 2 * 3600


@dataclass(frozen=True, kw_only=True)
class MetricPoint:
    """One value of a metric; the time is in epoch seconds."""

    at: float
    value: float
    step: int | None = None


@dataclass(frozen=True, kw_only=True)
class MetricSummary:
    """What is known of all values of one metric without reading them again.

    `source_arn` is the job that the values were found in the log of; "" is whoever called BatchPutMetrics.
    Mean and the sum of squared distances from it are kept (Welford), as sums of squares lose small deviations.
    All are finite: what would be larger than the largest double is that.
    """

    name: str
    source_arn: str = ""
    count: int = 0
    smallest: float = math.inf
    largest: float = -math.inf
    mean: float = 0.0
    squares: float = 0.0
    last: float = 0.0
    last_at: float = -math.inf

    def with_points(self, points: Iterable[MetricPoint]) -> MetricSummary:
        """Return the summary with more values."""
        count, mean, squares = self.count, self.mean, self.squares
        smallest, largest, last, last_at = self.smallest, self.largest, self.last, self.last_at
        for point in points:
            count += 1
            distance = point.value - mean
            mean += distance / count if math.isfinite(distance) else point.value / count - mean / count
            distance = finite(distance)
            squares = finite(squares + distance * (point.value - mean))
            smallest, largest = min(smallest, point.value), max(largest, point.value)
            if point.at >= last_at:
                last, last_at = point.value, point.at
        return MetricSummary(
            name=self.name,
            source_arn=self.source_arn,
            count=count,
            smallest=smallest,
            largest=largest,
            mean=mean,
            squares=squares,
            last=last,
            last_at=last_at,
        )

    def statistic(self, name: str) -> float:
        """Return one of STATISTICS."""
        match name:
            case "Min":
                return self.smallest
            case "Max":
                return self.largest
            case "Avg":
                return finite(self.mean)
            case "StdDev":
                return finite(math.sqrt(max(0.0, self.squares) / self.count))
            case "Last":
                return self.last
            case "Count":
                return self.count
            case _:
                raise ValueError(f"{name} is no statistic")


def metric_list(summaries: Sequence[MetricSummary]) -> list[dict[str, Any]]:
    """Return the Metrics of a Describe answer, by name.

    Where several have put values of one name there is an entry of each, jobs' in the order in which they are given,
    then the client's: clients that make a column of a name take the last.
    """
    ordered = sorted(summaries, key=lambda one: (one.name, one.source_arn == ""))
    return [
        {
            "MetricName": one.name,
            **({"SourceArn": one.source_arn} if one.source_arn else {}),
            "TimeStamp": one.last_at,
            **{name: one.statistic(name) for name in STATISTICS},
        }
        for one in ordered
    ]


def is_timely(at: float, now: float) -> bool:
    """Tell whether a value's time is one that the service takes: two weeks back to two hours ahead (SDK V2)."""
    return now - SECONDS_BACK <= at <= now + SECONDS_AHEAD


def finite(value: float) -> float:
    """Return a value that JSON can carry: sums of the largest doubles may be too large for one."""
    largest = 1.7976931348623157e308
    return 0.0 if math.isnan(value) else max(-largest, min(largest, value))
