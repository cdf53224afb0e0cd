"""Summaries of metrics that are kept up value by value, and the series that BatchGetMetrics answers."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.experiments.metric_series import SeriesQuery, answered
from emulator.contract.experiments.metric_summary import MetricPoint, MetricSummary, is_timely, metric_list

EXTREMES = [1.7976931348623157e308, -1.7976931348623157e308, -8.98846567431158e307]
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


def points(*values: float) -> list[MetricPoint]:
    return [MetricPoint(at=float(second), value=value) for second, value in enumerate(values)]


@given(values=VALUES, cut=st.integers(0, 50))
def test_a_summary_is_that_of_all_values_however_they_came(values: list[float], cut: int) -> None:
    every = points(*values)
    summary = MetricSummary(name="m").with_points(every[:cut]).with_points(every[cut:])

    assert summary.statistic("Count") == len(values)
    assert summary.statistic("Min") == min(values)
    assert summary.statistic("Max") == max(values)
    assert summary.statistic("Last") == values[-1]
    assert summary.statistic("Avg") == pytest.approx(statistics.fmean(values), rel=1e-9, abs=1e-6)
    assert summary.statistic("StdDev") == pytest.approx(statistics.pstdev(values), rel=1e-6, abs=1e-6)


def test_the_last_value_is_the_latest_and_of_one_moment_the_last_to_come() -> None:
    at = [MetricPoint(at=5, value=1), MetricPoint(at=5, value=2), MetricPoint(at=4, value=3)]

    assert MetricSummary(name="m").with_points(at).statistic("Last") == 2


def test_small_deviations_of_large_values_are_kept() -> None:
    summary = MetricSummary(name="m").with_points(points(1e9 + 1, 1e9 + 2, 1e9 + 3))

    assert summary.statistic("StdDev") == pytest.approx(0.8164966)


def test_sums_too_large_for_a_double_stay_numbers() -> None:
    summary = MetricSummary(name="m").with_points(points(1.7e308, -1.7e308))

    (entry,) = metric_list([summary])
    assert all(abs(value) <= 1.8e308 for name, value in entry.items() if name in ("Avg", "StdDev"))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(EXTREMES), min_size=1, max_size=9))
def test_whatever_was_put_the_figures_that_are_kept_are_finite(values: list[float]) -> None:
    summary = MetricSummary(name="m").with_points(points(*values))

    assert math.isfinite(summary.mean)
    assert math.isfinite(summary.squares)


def test_what_clients_put_stands_behind_what_a_job_found() -> None:
    own = MetricSummary(name="loss").with_points(points(1))
    job = MetricSummary(name="loss", source_arn="arn:job").with_points(points(2))
    other = MetricSummary(name="auc").with_points(points(3))

    assert [(one["MetricName"], one.get("SourceArn")) for one in metric_list([own, other, job])] == [
        ("auc", None),
        ("loss", "arn:job"),
        ("loss", None),
    ]


@pytest.mark.parametrize(
    ("seconds", "timely"), [(0, True), (-14 * 86400, True), (-14 * 86400 - 1, False), (7200, True), (7201, False)]
)
def test_two_weeks_back_and_two_hours_ahead(seconds: float, timely: bool) -> None:
    assert is_timely(2e9 + seconds, 2e9) is timely


def query(**changes: Any) -> SeriesQuery:
    document = {
        "MetricName": "m",
        "ResourceArn": "arn",
        "MetricStat": "Avg",
        "Period": "IterationNumber",
        "XAxisType": "IterationNumber",
        **changes,
    }
    return SeriesQuery.parse(document)


STEPPED = [MetricPoint(at=60.0 + 50 * step, value=value, step=step) for step, value in ((0, 1.0), (2, 3.0), (2, 5.0))]


@pytest.mark.parametrize(
    ("changes", "x", "y"),
    [
        ({}, [0, 2], [1.0, 4.0]),
        ({"MetricStat": "Last"}, [0, 2], [1.0, 5.0]),
        ({"MetricStat": "Count"}, [0, 2], [1, 2]),
        ({"Start": 1}, [2], [4.0]),
        ({"End": 2}, [0], [1.0]),
        ({"Period": "OneMinute", "XAxisType": "Timestamp"}, [60, 120], [1.0, 4.0]),
        ({"Period": "OneHour", "XAxisType": "Timestamp", "MetricStat": "Max"}, [0], [5.0]),
        ({"XAxisType": "Timestamp"}, [60, 160], [1.0, 4.0]),
    ],
)
def test_a_series(changes: dict[str, Any], x: list[int], y: list[float]) -> None:
    assert answered(query(**changes), STEPPED) == {"Status": "Complete", "XAxisValues": x, "MetricValues": y}


def test_values_without_a_step_are_counted() -> None:
    assert answered(query(), points(5, 4, 3))["XAxisValues"] == [0, 1, 2]
    assert answered(query(), [])["XAxisValues"] == []


def test_a_period_of_time_does_not_go_with_steps() -> None:
    assert query(Period="OneMinute").fault
    assert not query().fault
