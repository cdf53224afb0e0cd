"""Charts that a run logs: JSON objects in S3, which a lineage artifact of the chart's type leads to.

Source: SDK V2 `Run.log_confusion_matrix`, `log_roc_curve`, `log_precision_recall` (experiments/run.py), and
`Tracker.log_table` of smexperiments. What is in such a file is up to whoever wrote it, so nothing of it is trusted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ...errors import EmulatorError

CONFUSION_MATRIX: Final = "ConfusionMatrix"
ROC_CURVE: Final = "ROCCurve"
PRECISION_RECALL_CURVE: Final = "PrecisionRecallCurve"
TABLE: Final = "Table"

MOST_BYTES: Final = 16 * 2**20
MOST_CLASSES: Final = 60
MOST_ROWS: Final = 100

_AXES: Final = {
    ROC_CURVE: ("falsePositiveRate", "truePositiveRate", "areaUnderCurve"),
    PRECISION_RECALL_CURVE: ("recall", "precision", "averagePrecisionScore"),
}
CHART_TYPES: Final = (CONFUSION_MATRIX, *_AXES, TABLE)


class ChartError(EmulatorError):
    """The file of a chart holds something else."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """How many examples of the class of a row were taken for that of a column."""

    title: str
    cells: Sequence[Sequence[float]]

    @property
    def largest(self) -> float:
        """The largest cell; never 0, as cells are shown as parts of it."""
        return max((cell for row in self.cells for cell in row), default=0.0) or 1.0

    @property
    def accuracy(self) -> float | None:
        """Which part of all examples was taken for what it is."""
        total = sum(map(sum, self.cells))
        return sum(row[place] for place, row in enumerate(self.cells)) / total if total else None


@dataclass(frozen=True, kw_only=True)
class CurveChart:
    """A ROC curve (area) or a precision-recall curve (average precision); both axes go from 0 to 1."""

    title: str
    chart_type: str
    x: Sequence[float]
    y: Sequence[float]
    score: float | None
    no_skill: float | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """The first rows of a table; `count` is how many it has."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    count: int


Chart = Matrix | CurveChart | Table


def parse_chart(chart_type: str, name: str, text: bytes) -> Chart:
    """Read the file of a chart of one of `CHART_TYPES`; `name` is its title if it has none of its own.

    Raises:
        ChartError: saying what is wrong with it.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ChartError(f"it is no JSON ({error})") from error
    if not isinstance(document, Mapping):
        raise ChartError("it is no JSON object")
    title = str(document.get("title") or name or chart_type)
    if chart_type == CONFUSION_MATRIX:
        return _matrix(title, document.get("confusionMatrix"))
    return _table(title, document) if chart_type == TABLE else _curve(title, chart_type, document)


def _matrix(title: str, given: Any) -> Matrix:
    if not isinstance(given, list) or not given:
        raise ChartError("its confusionMatrix is no list of rows")
    if len(given) > MOST_CLASSES:
        raise ChartError(f"its confusionMatrix has {len(given)} classes; up to {MOST_CLASSES} are shown")
    rows = [_numbers(row, "a row of its confusionMatrix") for row in given]
    if any(len(row) != len(rows) for row in rows):
        raise ChartError("its confusionMatrix is not square")
    if any(cell < 0 for row in rows for cell in row):
        raise ChartError("its confusionMatrix has a negative count")
    return Matrix(title=title, cells=rows)


def _curve(title: str, chart_type: str, document: Mapping[str, Any]) -> CurveChart:
    x_name, y_name, score_name = _AXES[chart_type]
    x, y = _numbers(document.get(x_name), f"its {x_name}"), _numbers(document.get(y_name), f"its {y_name}")
    if len(x) != len(y) or not x:
        raise ChartError(f"its {x_name} and {y_name} are not of one length")
    return CurveChart(
        title=title,
        chart_type=chart_type,
        x=x,
        y=y,
        score=_number(document.get(score_name)),
        no_skill=_number(document.get("noSkill")),
    )


def _table(title: str, document: Mapping[str, Any]) -> Table:
    data = document.get("data")
    if not isinstance(data, Mapping) or not all(isinstance(column, list) for column in data.values()):
        raise ChartError("its data is no object of columns")
    count = max(map(len, data.values()), default=0)
    rows = [
        [str(column[place]) if place < len(column) else "" for column in data.values()]
        for place in range(min(count, MOST_ROWS))
    ]
    return Table(title=title, columns=list(map(str, data)), rows=rows, count=count)


def _numbers(given: Any, what: str) -> list[float]:
    found = [_number(one) for one in given] if isinstance(given, list) else [None]
    if None in found:
        raise ChartError(f"{what} is no list of numbers")
    return [one for one in found if one is not None]


def _number(given: Any) -> float | None:
    try:
        number = float(given) if isinstance(given, int | float) and not isinstance(given, bool) else math.nan
    except OverflowError:  # JSON's integers have any length
        number = math.nan
    return number if math.isfinite(number) else None
