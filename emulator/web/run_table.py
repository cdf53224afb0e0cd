"""The table of an experiment's runs: the rows and columns that a page asks for. Sorting and filters are Search's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..contract.experiments.analytics import Cell, parameter_value
from ..contract.experiments.search import COMPONENT_MEMBERS, check_expression, check_property
from ..contract.experiments.search_page import ALL_OF_THEM, Found, search_page
from ..errors import ValidationError
from .runs_asked import ALL, JOBS, RUNS, Asked

PAGE_SIZE: Final = 100
MOST_COLUMNS: Final = 14
"""More are shown only when they are chosen."""

_PARAMETERS: Final = "Parameters."
_METRICS: Final = "Metrics."
_PLATFORM: Final = "Parameters.SageMaker."


@dataclass(frozen=True, kw_only=True)
class Column:
    """A parameter or a metric, by the name that Search knows it by: `Parameters.lr`, `Metrics.auc`."""

    key: str

    @property
    def title(self) -> str:
        """The name that the run gave it."""
        return self.key.partition(".")[2]

    @property
    def is_metric(self) -> bool:
        """Whether it has statistics."""
        return self.key.startswith(_METRICS)

    def sort_name(self, statistic: str) -> str:
        """Return the name that rows are sorted by."""
        return f"{self.key}.{statistic}" if self.is_metric else self.key


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """The rows that are asked for, as documents of Search, and the columns: all there are, and those to show."""

    documents: Sequence[Mapping[str, Any]]
    total: int
    run_count: int
    job_count: int
    show: str
    columns: Sequence[Column]
    shown: Sequence[Column]
    fault: str = ""

    def page(self, number: int) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a page."""
        return self.documents[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]

    @property
    def words(self) -> str:
        """How many there are of what is shown, and that there is more."""
        counts = {RUNS: (self.run_count, "run"), JOBS: (self.job_count, "job")}
        told = {kind: f"{count} {word}{'' if count == 1 else 's'}" for kind, (count, word) in counts.items()}
        if self.show == ALL:
            return " and ".join(told[kind] for kind, (count, _) in counts.items() if count)
        other = JOBS if self.show == RUNS else RUNS
        return f"{told[self.show]}; {told[other]} not shown" if counts[other][0] else told[self.show]

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, math.ceil(len(self.documents) / PAGE_SIZE))


def run_table(documents: Sequence[Mapping[str, Any]], asked: Asked) -> RunTable:
    """Return the table over the trial components of an experiment."""
    runs = [one for one in documents if not is_of_job(one)]
    jobs = [one for one in documents if is_of_job(one)]
    show = asked.show or (RUNS if runs else ALL)
    candidates = {RUNS: runs, JOBS: jobs, ALL: documents}[show]
    words = asked.text.lower().split()
    wanted = [one for one in candidates if has_words(one, words)] if words else candidates
    chosen, fault = _found(wanted, asked)
    columns = _columns(candidates)
    return RunTable(
        documents=chosen,
        total=len(documents),
        run_count=len(runs),
        job_count=len(jobs),
        show=show,
        columns=columns,
        shown=_shown(columns, candidates, asked.columns),
        fault=fault,
    )


def is_of_job(document: Mapping[str, Any]) -> bool:
    """Tell whether a component is one that the platform made for a job."""
    return str(document.get("Source", {}).get("SourceType", "")).startswith("SageMaker")


def cell(document: Mapping[str, Any], column: Column, statistic: str) -> Cell | None:
    """Return what a row has in a column; None: nothing."""
    if not column.is_metric:
        value = document.get("Parameters", {}).get(column.title)
        return None if value is None else parameter_value(value)
    found = [one for one in document.get("Metrics", ()) if one["MetricName"] == column.title]
    return found[-1][statistic] if found else None


def has_words(document: Mapping[str, Any], words: Iterable[str]) -> bool:
    """Tell whether each of some words (in lower case) is in a name of a run, or in a parameter as `name=value`."""
    parameters = (f"{name}={parameter_value(value)}" for name, value in document.get("Parameters", {}).items())
    metrics = (one["MetricName"] for one in document.get("Metrics", ()))
    told = (document["TrialComponentName"], document.get("DisplayName", ""), *parameters, *metrics)
    text = "\n".join(told).lower()
    return all(word in text for word in words)


def _found(documents: Iterable[Mapping[str, Any]], asked: Asked) -> tuple[list[Mapping[str, Any]], str]:
    """Return the rows that satisfy the condition, in order, and what is wrong with the condition, if anything is."""
    fault = ""
    request: dict[str, Any] = {
        "MaxResults": ALL_OF_THEM,
        "SortBy": asked.sort,
        "SortOrder": "Descending" if asked.descending else "Ascending",
    }
    try:
        check_property(asked.sort, COMPONENT_MEMBERS)
    except ValidationError as error:
        fault = error.message
        request["SortBy"] = "CreationTime"
    expression = asked.expression()
    if expression is not None:
        try:
            check_expression("ExperimentTrialComponent", expression, COMPONENT_MEMBERS)
            request["SearchExpression"] = expression
        except ValidationError as error:
            fault = error.message
    every = (Found(identity=one["TrialComponentArn"], document=one) for one in documents)
    return [one.document for one in search_page(every, request).results], fault


def _columns(documents: Iterable[Mapping[str, Any]]) -> list[Column]:
    """Return a column for each parameter and each metric; parameters that the platform adds come last of them."""
    parameters: set[str] = set()
    metrics: set[str] = set()
    for one in documents:
        parameters.update(one.get("Parameters", {}))
        metrics.update(metric["MetricName"] for metric in one.get("Metrics", ()))
    keys = sorted((_PARAMETERS + name for name in parameters), key=lambda key: (key.startswith(_PLATFORM), key))
    return [Column(key=key) for key in (*keys, *sorted(_METRICS + name for name in metrics))]


def _shown(columns: list[Column], documents: Sequence[Mapping[str, Any]], chosen: Sequence[str]) -> list[Column]:
    """Return the chosen columns; without a choice all, or where they are many those in which runs differ first."""
    if chosen:
        return [column for column in columns if column.key in chosen]
    if len(columns) <= MOST_COLUMNS:
        return columns
    metrics = [column for column in columns if column.is_metric][: MOST_COLUMNS // 2]
    parameters = [column for column in columns if not column.is_metric]
    differing = [one for one in parameters if len({cell(document, one, "") for document in documents}) > 1]
    alike = [one for one in parameters if one not in differing]
    first = [*differing, *alike][: MOST_COLUMNS - len(metrics)]
    return [column for column in columns if column in first or column in metrics]
