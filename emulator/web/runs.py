"""The page of one run (any trial component), and the page of several beside one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import render_template, request

from ..contract.arns import ResourceName
from ..contract.experiments.entities import TRIAL_COMPONENT, Entity, describe_entity, is_running
from ..contract.kinds import job_kind, kind_of
from . import experiments
from .comparison import chart_columns, metric_rows, parameter_rows
from .run_charts import chart_groups
from .run_table import is_of_job
from .scopes import emulator, scope
from .series import components_named, labels

pages: Final = experiments.pages
MOST_RUNS: Final = 20


@dataclass(frozen=True, kw_only=True)
class JobLink:
    """A job that a run is of, or that ran inside of it."""

    resource: str
    words: str
    name: str
    exists: bool


@pages.get("/runs/<component>")
def run(component: str) -> str:
    """Show one run; htmx asks for what changes of it."""
    entity = emulator().tracking.get(TRIAL_COMPONENT, scope(), component)
    document = emulator().tracking.describe(entity)
    is_live = is_running(document)
    is_part = request.headers.get("HX-Target") == "run"
    return render_template(
        "experiments/run_facts.html" if is_part else "experiments/run.html",
        component=entity,
        document=document,
        jobs=_jobs(document),
        trials=emulator().entities.parents([entity])[entity.arn],
        is_of_job=is_of_job(document),
        is_live=is_live,
        seconds=_seconds(document, is_live),
        groups=[] if is_part else chart_groups([entity]),
        labels=labels([entity]),
        columns=[],
    )


@pages.get("/compare")
def compare() -> str:
    """Show several runs beside one another."""
    asked = list(dict.fromkeys(request.args.getlist("run")))
    components = components_named(asked[:MOST_RUNS])
    known = {one.name.lower() for one in components}
    metrics = emulator().metric_values.summaries(components)
    documents = [describe_entity(one, metrics[one.arn]) for one in components]
    parameters, measured = parameter_rows(documents), metric_rows(documents)
    return render_template(
        "experiments/compare.html",
        components=components,
        documents=documents,
        experiments=_experiments(components),
        missing=[name for name in asked[:MOST_RUNS] if name.lower() not in known],
        left_out=asked[MOST_RUNS:],
        most=MOST_RUNS,
        labels=labels(components),
        parameters=parameters,
        metrics=measured,
        columns=chart_columns(parameters, measured),
        groups=chart_groups(components),
        is_live=any(map(is_running, documents)),
    )


def _experiments(components: Sequence[Entity]) -> list[str]:
    """Return the names of the experiments that runs belong to."""
    trials = emulator().entities.parents(components)
    return list(dict.fromkeys(one.document["ExperimentName"] for found in trials.values() for one in found))


def _jobs(document: Mapping[str, Any]) -> list[JobLink]:
    sources = [*([document["Source"]] if "Source" in document else []), *document.get("Sources", ())]
    arns = dict.fromkeys(str(one["SourceArn"]) for one in sources)
    return [_job_link(arn) for arn in arns if job_kind(arn) is not None]  # a client may have named anything


def _job_link(arn: str) -> JobLink:
    record = emulator().records.get(arn.lower())
    kind = kind_of(arn)
    return JobLink(
        resource=kind.resource,
        words=kind.words,
        name=record.name if record is not None else ResourceName.parse(arn).name,
        exists=record is not None,
    )


def _seconds(document: Mapping[str, Any], is_live: bool) -> float | None:
    start, end = document.get("StartTime"), document.get("EndTime")
    if start is None or (end is None and not is_live):
        return None
    return float((emulator().clock.now() if end is None else end) - start)
