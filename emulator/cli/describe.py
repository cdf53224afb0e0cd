"""`sagemaker-emulator describe`: all there is to know about a job."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ..contract.kinds import TRAINING
from ..errors import EmulatorError, UsageError
from .env import client_options, endpoint_url
from .exec_ import require_endpoint
from .options import kind_option

if TYPE_CHECKING:
    from .found_job import FoundJob


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME")
@client_options
@kind_option
@click.option("--container", is_flag=True, help="Show what its containers found when they started instead.")
@click.option("--diff", is_flag=True, help="Show what differs between two jobs. Exit code 0: nothing; 1: something.")
@click.option("--json", "as_json", is_flag=True, help="Print the Describe answer, or the container view, as JSON.")
def describe(
    names: tuple[str, ...],
    port: int,
    region: str,
    account: str,
    kind: str | None,
    container: bool,
    diff: bool,
    as_json: bool,
) -> None:
    """Show the job NAME: what was asked for, what happened, what it left. With --diff: how two jobs differ."""
    if len(names) != (2 if diff else 1):
        raise UsageError("Name two jobs to compare: --diff A B" if diff else "Name one job; two only with --diff.")
    require_endpoint(port)
    from .clients import make_clients
    from .found_job import find_job

    clients = make_clients(endpoint_url(port), region=region, account=account)
    job = find_job(clients, names[0], kind)
    if diff:
        sys.exit(_show_differences(job, find_job(clients, names[1], kind), as_json=as_json))
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


def _show_differences(left: FoundJob, right: FoundJob, *, as_json: bool) -> int:
    """Show how two jobs differ, and return the exit code. How long they took is shown, and is no difference."""
    from dataclasses import asdict

    from ..jobfiles.comparison import Job, differences

    def known(job: FoundJob) -> Job:
        view = job.clients.container_view(job.description[job.kind.arn_member])
        return Job(kind=job.kind, description=job.description, view=view)

    found = list(differences(known(left), known(right)))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            click.echo(f"{one.part:<10} {one.where}")
            for sign, text in (("-", one.left), ("+", one.right)):
                for line in text.splitlines() or [""]:
                    click.echo(f"  {sign} {line}")
        count = sum(one.counts for one in found)
        click.echo(f"{left.name} (-) and {right.name} (+): {count or 'no'} difference{'' if count == 1 else 's'}")
    return 1 if any(one.counts for one in found) else 0


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
