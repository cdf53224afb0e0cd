"""What jobs have left in SageMaker Experiments, as any client reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emulator.jobfiles.connecting import make_metrics_client
from tests.jobs import Clients


@dataclass(frozen=True)
class Run:
    """A trial component."""

    arn: str
    name: str
    display_name: str
    status: str
    parameters: dict[str, Any]


def runs_of(aws: Clients, trial: str) -> Iterator[Run]:
    """Yield the components of a trial."""
    for page in aws.sagemaker.get_paginator("list_trial_components").paginate(TrialName=trial):
        for one in page["TrialComponentSummaries"]:
            described = aws.sagemaker.describe_trial_component(TrialComponentName=one["TrialComponentName"])
            yield Run(
                arn=described["TrialComponentArn"],
                name=described["TrialComponentName"],
                display_name=described["DisplayName"],
                status=described["Status"]["PrimaryStatus"],
                parameters={
                    name: value["NumberValue"] if "NumberValue" in value else value["StringValue"]
                    for name, value in described.get("Parameters", {}).items()
                },
            )


def curve(url: str, arn: str, metric: str) -> list[float]:
    """Return a metric of a component, a value an iteration."""
    client = make_metrics_client(url, region="us-east-1", account="123456789012")
    query: Any = {
        "MetricName": metric,
        "ResourceArn": arn,
        "MetricStat": "Last",
        "Period": "IterationNumber",
        "XAxisType": "IterationNumber",
    }
    (result,) = client.batch_get_metrics(MetricQueries=[query])["MetricQueryResults"]
    values: list[float] = result["MetricValues"]
    return values


def charts_of(aws: Clients, arn: str) -> dict[str, dict[str, Any]]:
    """Return the charts that a component has produced, by their types."""
    found: dict[str, dict[str, Any]] = {}
    for one in aws.sagemaker.list_associations(SourceArn=arn, AssociationType="Produced")["AssociationSummaries"]:
        uri = aws.sagemaker.describe_artifact(ArtifactArn=one["DestinationArn"])["Source"]["SourceUri"]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        chart = json.loads(aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        assert chart["type"] == one["DestinationType"]
        found[chart["type"]] = chart
    return found
