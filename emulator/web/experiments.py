"""Experiments, and the runs of each as a table that can be sorted, filtered, picked from and taken along."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from ..contract.experiments.analytics import analytics_columns, analytics_row, spreadsheet_cells
from ..contract.experiments.entities import EXPERIMENT, Entity, ExperimentSize
from .arguments import whole_number
from .files import disposition
from .run_table import RunTable, cell, is_of_job, run_table
from .runs_asked import OPERATORS, STATISTICS, Asked
from .scopes import emulator, scope

pages = Blueprint("experiments", __name__)
PAGE_SIZE: Final = 100


@dataclass(frozen=True, kw_only=True)
class ExperimentRow:
    """What the list shows of one experiment. The time is in epoch seconds."""

    name: str
    display_name: str
    description: str
    size: ExperimentSize
    modified: float


@pages.get("/experiments")
def index() -> str:
    """Show the experiments that a search wants, the one first in which something changed last."""
    words = request.args.get("q", "").lower().split()
    sizes = emulator().entities.sizes(scope())
    every = [
        _row(one, sizes.get(one.arn, ExperimentSize())) for one in emulator().entities.all(scope(), EXPERIMENT, {})
    ]
    rows = [one for one in every if all(word in _searched(one) for word in words)]
    rows.sort(key=lambda one: (one.modified, one.name), reverse=True)
    number = max(1, whole_number(request.args.get("page", "")) or 1)
    first = (number - 1) * PAGE_SIZE
    template = (
        "experiments/list.html" if request.headers.get("HX-Target") == "experiments" else "experiments/index.html"
    )
    return render_template(
        template,
        rows=rows[first : first + PAGE_SIZE],
        total=len(rows),
        following=number + 1 if len(rows) > first + PAGE_SIZE else None,
        wanted=request.args,
    )


@pages.get("/experiments/<name>")
def show(name: str) -> str:
    """Show the runs of an experiment; htmx asks for the table alone."""
    experiment = emulator().tracking.get(EXPERIMENT, scope(), name)
    asked = Asked.parse(request.args)
    table = run_table(documents_of(experiment), asked)
    rows = table.page(asked.page)
    template = "experiments/runs.html" if request.headers.get("HX-Target") == "runs" else "experiments/show.html"
    return render_template(
        template,
        experiment=experiment,
        asked=asked,
        table=table,
        rows=rows,
        cell=cell,
        is_of_job=is_of_job,
        statistics=STATISTICS,
        operators=OPERATORS,
    )


@pages.get("/experiments/<name>/runs.csv")
def csv_file(name: str) -> Response:
    """Give all rows that the page's filters want, in its order, with the columns of ExperimentAnalytics."""
    experiment = emulator().tracking.get(EXPERIMENT, scope(), name)
    table = run_table(documents_of(experiment), Asked.parse(request.args))
    return Response(
        _lines(table),
        mimetype="text/csv",
        headers={"Content-Disposition": disposition(f"{experiment.name}-runs.csv")},
    )


def documents_of(experiment: Entity) -> list[Mapping[str, Any]]:
    """Return the trial components of an experiment as Search has them."""
    found = emulator().searching.components(scope(), {"Parents.ExperimentName": experiment.name})
    return [one.document for one in found]


def _lines(table: RunTable) -> Iterator[str]:
    columns = analytics_columns(analytics_row(one) for one in table.documents)
    yield _line(spreadsheet_cells(columns))
    for one in table.documents:
        row = analytics_row(one)
        yield _line(spreadsheet_cells([row.get(column, "") for column in columns]))


def _line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _row(entity: Entity, size: ExperimentSize) -> ExperimentRow:
    return ExperimentRow(
        name=entity.name,
        display_name=entity.document.get("DisplayName", entity.name),
        description=entity.document.get("Description", ""),
        size=size,
        modified=max(entity.modified, size.modified),
    )


def _searched(row: ExperimentRow) -> str:
    return f"{row.name}\n{row.display_name}\n{row.description}".lower()
