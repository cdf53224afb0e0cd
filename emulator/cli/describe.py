"""`sagemaker-emulator describe`: all there is to know about a training job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from .env import client_options, endpoint_url
from .exec_ import require_endpoint


@click.command()
@click.argument("name")
@client_options
@click.option("--json", "as_json", is_flag=True, help="Print the DescribeTrainingJob answer as JSON.")
def describe(name: str, port: int, region: str, account: str, as_json: bool) -> None:
    """Show the training job NAME: what was asked for, what happened, what it left."""
    require_endpoint(port)
    from .clients import describe_job, make_clients

    description = describe_job(make_clients(endpoint_url(port), region=region, account=account), name)
    if as_json:
        description.pop("ResponseMetadata", None)
        click.echo(json.dumps(description, indent=2, default=_json_value))
        return
    for label, text in _lines(description):
        for line in text.splitlines() or [""]:
            click.echo(f"{label:<12} {line}".rstrip())


def _json_value(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _lines(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a person wants to see of a Describe answer, each line with its label."""
    yield "name", job["TrainingJobName"]
    yield "arn", job["TrainingJobArn"]
    yield "status", f"{job['TrainingJobStatus']} ({job['SecondaryStatus']})"
    if "FailureReason" in job:
        yield "reason", job["FailureReason"]
    yield "created", _time(job["CreationTime"])
    if "BillableTimeInSeconds" in job:
        yield "billable", f"{job['BillableTimeInSeconds']} s"
    yield "image", job["AlgorithmSpecification"].get("TrainingImage", "")
    yield "role", job["RoleArn"]
    for name, value in sorted(job.get("HyperParameters", {}).items()):
        yield "hyperparam", f"{name} = {value}"
    for name, value in sorted(job.get("Environment", {}).items()):
        yield "environment", f"{name} = {value}"
    for channel in job.get("InputDataConfig", ()):
        source = channel["DataSource"].get("S3DataSource", {})
        yield "channel", f"{channel['ChannelName']} from {source.get('S3Uri', 'elsewhere')}"
    yield "model", job["ModelArtifacts"]["S3ModelArtifacts"]
    for metric in job.get("FinalMetricDataList", ()):
        yield "metric", f"{metric['MetricName']} = {metric['Value']:.6g}"
    for one in job["SecondaryStatusTransitions"]:
        seconds = f"{(one['EndTime'] - one['StartTime']).total_seconds():8.1f} s" if "EndTime" in one else " so far"
        yield "history", f"{_time(one['StartTime'])} {seconds:>10}  {one['Status']}: {one.get('StatusMessage', '')}"


def _time(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M:%S}"
