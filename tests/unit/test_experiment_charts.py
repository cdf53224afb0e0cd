"""The files of charts that runs log: read as the SDKs write them, and never trusted."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.experiments.charts import (
    CHART_TYPES,
    CONFUSION_MATRIX,
    MOST_CLASSES,
    MOST_ROWS,
    PRECISION_RECALL_CURVE,
    ROC_CURVE,
    TABLE,
    ChartError,
    CurveChart,
    Matrix,
    Table,
    parse_chart,
)


def parsed(chart_type: str, **document: Any) -> Any:
    return parse_chart(chart_type, "name", json.dumps(document).encode())


def test_a_confusion_matrix() -> None:
    found = parsed(
        CONFUSION_MATRIX, type="ConfusionMatrix", version=0, title="clicks", confusionMatrix=[[2, 0], [1, 1]]
    )

    assert found == Matrix(title="clicks", cells=[[2.0, 0.0], [1.0, 1.0]])
    assert (found.largest, found.accuracy) == (2.0, 0.75)


def test_curves() -> None:
    roc = parsed(ROC_CURVE, title=None, falsePositiveRate=[0, 1], truePositiveRate=[0, 1], areaUnderCurve=0.5)
    assert roc == CurveChart(title="name", chart_type=ROC_CURVE, x=[0, 1], y=[0, 1], score=0.5)
    recall = parsed(PRECISION_RECALL_CURVE, precision=[0.5, 1], recall=[1, 0], averagePrecisionScore=0.6, noSkill=0.4)
    assert (recall.x, recall.y, recall.no_skill) == ([1, 0], [0.5, 1], 0.4)


def test_a_table_shows_its_first_rows() -> None:
    found = parsed(TABLE, title="t", fields=[], data={"x": list(range(1000)), "y": ["a"]})

    assert isinstance(found, Table)
    assert (found.columns, found.count, len(found.rows)) == (["x", "y"], 1000, MOST_ROWS)
    assert found.rows[:2] == [["0", "a"], ["1", ""]]


@pytest.mark.parametrize(
    ("chart_type", "document", "what"),
    [
        (CONFUSION_MATRIX, {}, "confusionMatrix is no list"),
        (CONFUSION_MATRIX, {"confusionMatrix": [[1, 2]]}, "not square"),
        (CONFUSION_MATRIX, {"confusionMatrix": [["a"]]}, "no list of numbers"),
        (CONFUSION_MATRIX, {"confusionMatrix": [[-1]]}, "negative"),
        (CONFUSION_MATRIX, {"confusionMatrix": [[0]] * (MOST_CLASSES + 1)}, "61 classes"),
        (ROC_CURVE, {"falsePositiveRate": [0], "truePositiveRate": []}, "not of one length"),
        (ROC_CURVE, {"falsePositiveRate": [0], "truePositiveRate": [float("nan")]}, "no list of numbers"),
        (TABLE, {"data": [1]}, "no object of columns"),
    ],
)
def test_what_is_wrong_is_said(chart_type: str, document: dict[str, Any], what: str) -> None:
    with pytest.raises(ChartError, match=what):
        parsed(chart_type, **document)


@given(chart_type=st.sampled_from(CHART_TYPES), text=st.binary(max_size=50) | st.just(b"[" * 100_000))
def test_any_bytes_are_a_chart_or_an_error(chart_type: str, text: bytes) -> None:
    with pytest.raises(ChartError):
        parse_chart(chart_type, "name", text)


SOMETHING: list[Any] = [
    None,
    True,
    1.5,
    -(10**400),
    float("nan"),
    "text",
    [],
    [1],
    [0, 1],
    [[1]],
    [[1, 2], [3, 4]],
    [[[]]],
    {},
    {"x": [1]},
]
MEMBERS = ["confusionMatrix", "falsePositiveRate", "truePositiveRate", "areaUnderCurve", "precision", "recall", "data"]


@given(
    chart_type=st.sampled_from(CHART_TYPES),
    document=st.dictionaries(st.sampled_from(MEMBERS), st.sampled_from(SOMETHING)),
)
def test_any_document_is_a_chart_or_an_error(chart_type: str, document: dict[str, Any]) -> None:
    with suppress(ChartError):
        assert parsed(chart_type, **document).title == "name"
