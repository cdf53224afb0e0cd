"""The page of one job. Its head and its metrics are brought up to date until the job has ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..contract.arns import ResourceName, Scope
from ..contract.experiments.entities import TRIAL_COMPONENT
from ..contract.experiments.job_component import ExperimentConfig, component_name
from ..contract.kinds import KINDS, job_kind
from ..contract.outcome import ImageMissingError
from ..contract.plan import Program
from ..contract.record import JobRecord, describe
from ..contract.rerun import request_of
from ..contract.status import is_terminal, status_of
from ..jobfiles.expectations import exit_code, final_metrics
from . import container_tree, copy_as, job_facts, timeline
from .scopes import emulator, scope

pages = Blueprint("job", __name__)
_STOP_POLLING: Final = 286
_POINTS: Final = 600


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of a job: its final value, or the last one so far, and what is known of the others."""

    name: str
    value: float
    is_final: bool
    count: int | None = None
    smallest: float | None = None
    largest: float | None = None
    curve: str = ""
    """Where its values are to be had; empty where only the final one is known."""


@pages.get("/jobs/arn")
def by_arn() -> Response:
    """Lead to the job with an ARN, whichever account and region it is in."""
    arn = request.args.get("arn", "")
    if job_kind(arn) is None:
        abort(
            404,
            f"{arn} is no job's ARN: write arn:aws:sagemaker:REGION:ACCOUNT:training-job/NAME, or processing-job/NAME.",
        )
    named = ResourceName.parse(arn)
    return redirect(address(named.scope, named.kind, named.name))


@pages.get("/jobs/<resource>/<name>")
def show(resource: str, name: str) -> str:
    """Show all that is known of a job."""
    record = find(resource, name)
    place = copy_as.Place(url=request.host_url.rstrip("/"), scope=record.scope)
    return render_template(
        "job/show.html",
        **_head(record),
        metrics=metrics_of(record),
        digest=_digest(metrics_of(record)),
        hyperparameters=record.request.get("HyperParameters", {}),
        environment=record.request.get("Environment", {}),
        inputs=job_facts.inputs_of(record),
        outputs=job_facts.outputs_of(record),
        settings=list(job_facts.settings_of(record)),
        experiment=ExperimentConfig.parse(record.request),
        request_text=_json(request_of(record, record.name)),
        describe_text=_json(describe(record)),
        boto3_text=copy_as.boto3_script(record, place),
        cli_text=copy_as.cli_command(record, place),
        job_file_text=copy_as.job_file(record, _program(record)),
        port=request.host.rpartition(":")[2],
        component=component_name(record.kind, record.name),
    )


@pages.get("/jobs/<resource>/<name>/head")
def head(resource: str, name: str) -> str:
    """Return what changes most: status, reason of a failure, steps and times."""
    return render_template("job/head.html", **_head(find(resource, name)))


@pages.get("/jobs/<resource>/<name>/metrics")
def metrics(resource: str, name: str) -> str:
    """Return the table of the metrics, as far as they are known."""
    record = find(resource, name)
    return render_template("job/metrics.html", record=record, ended=_ended(record), metrics=metrics_of(record))


@pages.get("/jobs/<resource>/<name>/charts")
def charts(resource: str, name: str) -> Response:
    """Return a chart for each metric, or nothing where the page has them: drawn ones would be lost."""
    record = find(resource, name)
    found, ended = metrics_of(record), _ended(record)
    if request.args.get("shown") == _digest(found):
        return Response(status=_STOP_POLLING if ended else 204, headers={"HX-Reswap": "none"})
    return make_response(
        render_template("job/charts.html", record=record, ended=ended, metrics=found, digest=_digest(found))
    )


@pages.get("/jobs/<resource>/<name>/container")
def container(resource: str, name: str) -> str:
    """Return what each host's container found when it started."""
    record = find(resource, name)
    view = emulator().container_views.of(record)
    hosts: Mapping[str, Any] = {} if view is None else view["hosts"]
    trees = {host: container_tree.roots(one["tree"], one["texts"]) for host, one in hosts.items()}
    return render_template("job/container.html", record=record, ended=_ended(record), view=view, trees=trees)


def find(resource: str, name: str) -> JobRecord:
    """Return the job that a page's path names; else the answer says that there is none."""
    kind = next((one for one in KINDS if one.resource == resource), None)
    if kind is None:
        known = " and ".join(one.resource for one in KINDS)
        abort(404, f"There is no kind of job {resource!r}: there are {known}.")
    record = emulator().records.get(kind.arn(scope(), name))
    if record is None:
        abort(
            404,
            f"There is no {kind.words} {name!r} in account {scope().account}, {scope().region}. It may have been "
            "deleted, or be in another account: choose one above.",
        )
    return record


def address(of: Scope, resource: str, name: str) -> str:
    """Return where the page of a job is."""
    return url_for("job.show", account=of.account, region=of.region, resource=resource, name=name)


def metrics_of(record: JobRecord) -> list[Metric]:
    """Return the metrics of a job by name."""
    final = final_metrics(record.facts)
    name = component_name(record.kind, record.name)
    component = emulator().entities.get(TRIAL_COMPONENT.arn(record.scope, name))
    summaries = {}
    if component is not None:
        summaries = {one.name: one for one in emulator().metric_values.summaries([component])[component.arn]}
    known = [
        Metric(
            name=one.name,
            value=final.get(one.name, one.last),
            is_final=one.name in final,
            count=one.count,
            smallest=one.smallest,
            largest=one.largest,
            curve=_curve(record, name, one.name),
        )
        for one in summaries.values()
    ]
    others = [Metric(name=name, value=value, is_final=True) for name, value in final.items() if name not in summaries]
    return sorted([*known, *others], key=lambda one: one.name)


def _curve(record: JobRecord, component: str, metric: str) -> str:
    path = url_for("series.curves", account=record.scope.account, region=record.scope.region)
    return f"{path}?{urlencode({'component': component, 'metric': metric, 'points': _POINTS})}"


def _head(record: JobRecord) -> dict[str, Any]:
    now = emulator().clock.now()
    return {
        "record": record,
        "status": status_of(record.facts),
        "secondary": record.facts.get("SecondaryStatus", ""),
        "ended": _ended(record),
        "steps": timeline.steps_of(record, now),
        "seconds": (record.facts["LastModifiedTime"] if _ended(record) else now) - record.facts["CreationTime"],
        "exit_code": exit_code(record.facts) if _ended(record) else None,
        "progress": emulator().supervisor.progress(record.arn),
    }


def _ended(record: JobRecord) -> bool:
    return is_terminal(record.facts)


def _digest(found: Sequence[Metric]) -> str:
    """Return what tells whether a page has a chart for each metric already."""
    return hashlib.sha256("\0".join(one.name for one in found).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _program(record: JobRecord) -> Program | None:
    """Return what the engine runs in the place of the job's image, where it has no images."""
    programs = emulator().engine.programs
    try:
        return None if programs is None else programs.find(record.image)
    except ImageMissingError:
        return None


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
