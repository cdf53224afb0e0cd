"""`sagemaker-emulator describe`: all there is to know about a job."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ..contract.kinds import TRAINING
from ..errors import EmulatorError
from .env import client_options, endpoint_url
from .exec_ import require_endpoint
from .options import kind_option

if TYPE_CHECKING:
    from .found_job import FoundJob


@click.command()
@click.argument("name")
@client_options
@kind_option
@click.option("--container", is_flag=True, help="Show what its containers found when they started instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the Describe answer, or the container view, as JSON.")
def describe(name: str, port: int, region: str, account: str, kind: str | None, container: bool, as_json: bool) -> None:
    """Show the job NAME: what was asked for, what happened, what it left."""
    require_endpoint(port)
    from .clients import make_clients
    from .found_job import find_job

    job = find_job(make_clients(endpoint_url(port), region=region, account=account), name, kind)
    if container:
        _show_container(job, as_json)
        return
    if as_json:
        job.description.pop("ResponseMetadata", None)
        click.echo(json.dumps(job.description, indent=2, default=_json_value))
        return
    lines = _training_lines if job.kind is TRAINING else _processing_lines
    _show((*_first_lines(job), *lines(job.description)))


def _show_container(job: FoundJob, as_json: bool) -> None:
    from .container_lines import container_lines

    view = job.clients.container_view(job.description[job.kind.arn_member])
    if view is None:
        raise EmulatorError(f"The containers of {job.name} have not started: there is nothing that they found.")
    if as_json:
        click.echo(json.dumps(view, indent=2))
        return
    _show(container_lines(view))


def _show(lines: Iterable[tuple[str, str]]) -> None:
    for label, text in lines:
        for line in text.splitlines() or [""]:
            click.echo(f"{label:<12} {line}".rstrip())


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _first_lines(job: FoundJob) -> Iterator[tuple[str, str]]:
    """Yield what a person wants to see first of a job of any kind, each line with its label."""
    described = job.description
    secondary = f" ({described['SecondaryStatus']})" if "SecondaryStatus" in described else ""
    yield "name", job.name
    yield "arn", described[job.kind.arn_member]
    yield "status", job.status + secondary
    for label, member in (("reason", "FailureReason"), ("message", "ExitMessage")):
        if member in described:
            yield label, described[member]
    yield "created", _time(described["CreationTime"])


def _training_lines(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "BillableTimeInSeconds" in job:
        yield "billable", f"{job['BillableTimeInSeconds']} s"
    yield "image", job["AlgorithmSpecification"].get("TrainingImage", "")
    yield "role", job["RoleArn"]
    for name, value in sorted(job.get("HyperParameters", {}).items()):
        yield "hyperparam", f"{name} = {value}"
    yield from _environment(job)
    for channel in job.get("InputDataConfig", ()):
        source = channel["DataSource"].get("S3DataSource", {})
        yield "channel", f"{channel['ChannelName']} from {source.get('S3Uri', 'elsewhere')}"
    yield "model", job["ModelArtifacts"]["S3ModelArtifacts"]
    for metric in job.get("FinalMetricDataList", ()):
        yield "metric", f"{metric['MetricName']} = {metric['Value']:.6g}"
    for one in job["SecondaryStatusTransitions"]:
        seconds = f"{(one['EndTime'] - one['StartTime']).total_seconds():8.1f} s" if "EndTime" in one else " so far"
        yield "history", f"{_time(one['StartTime'])} {seconds:>10}  {one['Status']}: {one.get('StatusMessage', '')}"


def _processing_lines(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, member in (("started", "ProcessingStartTime"), ("ended", "ProcessingEndTime")):
        if member in job:
            yield label, _time(job[member])
    application, cluster = job["AppSpecification"], job["ProcessingResources"]["ClusterConfig"]
    yield "image", application["ImageUri"]
    for label, member in (("entrypoint", "ContainerEntrypoint"), ("arguments", "ContainerArguments")):
        if member in application:
            yield label, shlex.join(application[member])
    yield "hosts", str(cluster["InstanceCount"])
    yield "role", job["RoleArn"]
    yield from _environment(job)
    for one in job.get("ProcessingInputs", ()):
        s3 = one.get("S3Input", {})
        yield "input", f"{one['InputName']} from {s3.get('S3Uri', 'elsewhere')} at {s3.get('LocalPath', 'nowhere')}"
    for one in job.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        s3 = one.get("S3Output", {})
        yield "output", f"{one['OutputName']} from {s3.get('LocalPath', 'nowhere')} to {s3.get('S3Uri', 'elsewhere')}"


def _environment(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(job.get("Environment", {}).items()):
        yield "environment", f"{name} = {value}"


def _time(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"
