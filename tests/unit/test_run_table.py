"""The table of runs, its file for spreadsheets, and runs beside one another: what the pages show, without pages."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from emulator.contract.experiments.analytics import analytics_columns, analytics_row, spreadsheet_cells
from emulator.contract.experiments.curves import Curve
from emulator.contract.experiments.metric_summary import MetricPoint, MetricSummary
from emulator.web.comparison import chart_columns, metric_rows, parameter_rows
from emulator.web.run_table import MOST_COLUMNS, Column, RunTable, cell, run_table
from emulator.web.runs_asked import Asked
from emulator.web.series import as_json

STATISTICS = ("Min", "Max", "Avg", "StdDev", "Last", "Count")


def component(
    name: str, *, job: bool = False, metrics: dict[str, float] | None = None, **parameters: Any
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "TrialComponentName": name,
        "TrialComponentArn": f"arn:aws:sagemaker:us-east-1:123456789012:experiment-trial-component/{name}",
        "DisplayName": name,
        "CreationTime": 1.0,
        "Parameters": {
            key: {"StringValue": value} if isinstance(value, str) else {"NumberValue": value}
            for key, value in parameters.items()
        },
        "Parents": [{"TrialName": "t", "ExperimentName": "e"}],
    }
    if job:
        found["Source"] = {"SourceArn": f"arn:{name}", "SourceType": "SageMakerTrainingJob"}
    if metrics:
        found["Metrics"] = [
            {"MetricName": key, **dict.fromkeys(STATISTICS, value), "Max": value * 2} for key, value in metrics.items()
        ]
    return found


RUNS = [
    component("a", metrics={"auc": 0.7}, lr=0.1, optimizer="adam"),
    component("b", metrics={"auc": 0.9, "v.loss": 3}, lr=0.01, optimizer="sgd"),
    component("c", metrics={"auc": 0.8}, lr=0.1),
    component("j-aws-training-job", job=True, metrics={"auc": 0.1}, epochs=3),
]


def table(**arguments: Any) -> RunTable:
    return run_table(RUNS, Asked.parse(MultiDict(arguments)))


def names(found: RunTable) -> list[str]:
    return [one["TrialComponentName"] for one in found.documents]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"sort": "Metrics.auc.Last"}, ["b", "c", "a"]),
        ({"sort": "metrics.auc.max", "order": "Ascending"}, ["a", "c", "b"]),
        ({"sort": "Parameters.lr", "order": "Ascending"}, ["b", "a", "c"]),
        ({"sort": "Metrics.v.loss.Last"}, ["b", "c", "a"]),
        ({"q": "optimizer=AD"}, ["a"]),
        ({"q": "v.loss b"}, ["b"]),
        ({"where": "Metrics.auc.Last", "value": "0.75", "sort": "DisplayName", "order": "Ascending"}, ["b", "c"]),
        ({"where": "Parameters.optimizer", "is": "NotExists"}, ["c"]),
        ({"show": "jobs"}, ["j-aws-training-job"]),
        ({"show": "all", "sort": "Metrics.auc.Last", "order": "Ascending"}, ["j-aws-training-job", "a", "c", "b"]),
    ],
)
def test_rows_are_sorted_and_filtered_as_search_does(arguments: dict[str, str], expected: list[str]) -> None:
    found = table(**arguments)

    assert names(found) == expected
    assert found.fault == ""


def test_an_experiment_of_jobs_alone_shows_them() -> None:
    found = run_table(RUNS[3:], Asked())

    assert names(found) == ["j-aws-training-job"]
    assert found.words == "1 job"


@pytest.mark.parametrize(
    ("show", "words"),
    [("", "3 runs; 1 job not shown"), ("jobs", "1 job; 3 runs not shown"), ("all", "3 runs and 1 job")],
)
def test_how_many_there_are_is_told(show: str, words: str) -> None:
    assert table(show=show).words == words


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"sort": "No.Such"}, "No.Such"),
        ({"where": "Nothing", "value": "1"}, "Nothing"),
        ({"where": "Metrics.auc"}, "''"),
    ],
)
def test_what_cannot_be_asked_is_said_and_rows_are_shown(arguments: dict[str, str], what: str) -> None:
    found = table(**arguments)

    assert what in found.fault
    assert len(found.documents) == 3


def test_columns_and_their_cells() -> None:
    found = table()

    assert [one.key for one in found.columns] == [
        "Parameters.lr",
        "Parameters.optimizer",
        "Metrics.auc",
        "Metrics.v.loss",
    ]
    assert cell(RUNS[0], Column(key="Metrics.auc"), "Max") == 1.4
    assert cell(RUNS[0], Column(key="Parameters.optimizer"), "Last") == "adam"
    assert cell(RUNS[0], Column(key="Metrics.v.loss"), "Last") is None
    assert [one.title for one in table(column="Metrics.v.loss").shown] == ["v.loss"]


def test_of_many_columns_those_that_differ_are_shown() -> None:
    alike: dict[str, Any] = {f"p{one}": 1 for one in range(20)}
    metrics = {f"m{one}": 1.0 for one in range(20)}
    many = [component(f"r{number}", metrics=metrics, **alike, zed=number) for number in range(3)]
    found = run_table(many, Asked())

    assert len(found.columns) == 41
    assert len(found.shown) == MOST_COLUMNS
    assert "zed" in [one.title for one in found.shown]


def test_an_address_keeps_what_is_asked() -> None:
    given = {
        "q": "x",
        "sort": "Metrics.auc.Max",
        "stat": "Max",
        "where": "Parameters.lr",
        "is": "LessThan",
        "value": "1",
    }
    asked = Asked.parse(MultiDict([*given.items(), ("column", "Metrics.auc"), ("column", "Parameters.lr")]))

    assert asked.arguments() == {**given, "column": ["Metrics.auc", "Parameters.lr"]}
    assert asked.sorted_by("Metrics.auc.Max")["order"] == "Ascending"
    assert "order" not in asked.sorted_by("DisplayName")
    assert asked.direction("Metrics.auc.Max") == "descending"


@pytest.mark.parametrize(
    ("given", "sort", "statistic"),
    [
        ({"sort": "Metrics.auc.Max"}, "Metrics.auc.Max", "Max"),
        ({"sort": "Metrics.auc.Max", "stat": "Min"}, "Metrics.auc.Min", "Min"),
        ({"sort": "Parameters.a.Max", "stat": "Min"}, "Parameters.a.Max", "Min"),
    ],
)
def test_rows_are_sorted_by_the_statistic_they_show(given: dict[str, str], sort: str, statistic: str) -> None:
    asked = Asked.parse(MultiDict(given))

    assert (asked.sort, asked.statistic) == (sort, statistic)


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "²", "99999999999999999999"])
def test_a_page_that_is_none_has_no_rows_or_is_the_first(page: str) -> None:
    asked = Asked.parse(MultiDict({"page": page}))
    assert len(table().page(asked.page)) in (0, 3)


def test_the_dataframe_s_columns() -> None:
    rows = [analytics_row(one) for one in (RUNS[0], RUNS[3])]

    assert analytics_columns(rows) == [
        "TrialComponentName",
        "DisplayName",
        "lr",
        "optimizer",
        *(f"auc - {one}" for one in STATISTICS),
        "SourceArn",
        "epochs",
        "Trials",
        "Experiments",
    ]
    assert (rows[0]["auc - Max"], rows[0]["Trials"], rows[1]["SourceArn"]) == (1.4, "t", "arn:j-aws-training-job")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-x", "'-x"),
        ("+cmd", "'+cmd"),
        ("\t=1", "'\t=1"),
        ("-1.5", "-1.5"),
        ("a=1", "a=1"),
    ],
)
def test_a_spreadsheet_takes_no_text_for_a_formula(text: str, safe: str) -> None:
    assert spreadsheet_cells([text, -1.0]) == [safe, -1.0]


def test_runs_beside_one_another() -> None:
    parameters, metrics = parameter_rows(RUNS[:3]), metric_rows(RUNS[:3])

    assert [(row.name, row.differs) for row in parameters] == [("lr", True), ("optimizer", True)]
    assert [parameters[0].deviates(place) for place in range(3)] == [False, True, False]
    assert [metrics[0].mark(place) for place in range(3)] == ["lowest", "highest", ""]
    assert [metrics[1].mark(place) for place in range(3)] == ["", "", ""]
    columns = chart_columns(parameters, metrics)
    assert [(one["title"], one["numeric"]) for one in columns] == [
        ("lr", True),
        ("optimizer", False),
        ("auc", True),
        ("v.loss", True),
    ]
    assert columns[1]["values"] == ["adam", "sgd", None]


def test_a_parameter_of_numbers_and_words_is_an_axis_of_words() -> None:
    rows = parameter_rows([component("a", depth=3.0), component("b", depth="auto"), component("c", depth=float("inf"))])
    assert chart_columns(rows, [])[0]["values"] == ["3", "auto", "inf"]


def test_a_curve_is_json_whatever_its_values_are() -> None:
    points = [
        MetricPoint(at=1.5, value=value, step=step) for value, step in ((math.inf, 0), (1.0, None), (-math.inf, 2))
    ]
    curve = Curve(summary=MetricSummary(name="loss").with_points(points), numbers=range(3), points=points)

    told = json.loads(json.dumps(as_json(curve), allow_nan=False))

    assert (told["values"], told["steps"], told["first"]) == ([None, 1.0, None], [0, None, 2], None)
    assert (told["min"], told["max"], told["count"]) == (None, None, 3)
