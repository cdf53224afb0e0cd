"""Runs as the SDK logs them, through boto3, for the pages of experiments."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from tests.jobs import Clients


class Experiment:
    """An experiment with a trial of its own."""

    def __init__(self, clients: Clients, description: str = "Made by a test.") -> None:
        self.clients = clients
        self.name = f"exp-{uuid.uuid4().hex[:8]}"
        self.trial = f"{self.name}-trial"
        clients.sagemaker.create_experiment(ExperimentName=self.name, Description=description)
        clients.sagemaker.create_trial(TrialName=self.trial, ExperimentName=self.name)

    def run(
        self,
        name: str,
        parameters: Mapping[str, str | float] | None = None,
        metrics: Mapping[str, Sequence[float]] | None = None,
        status: str = "Completed",
        *,
        steps: bool = True,
        artifacts: Mapping[str, str] | None = None,
    ) -> str:
        """Log a run, and return the name of its component."""
        component = f"{self.name}-{name}"
        self.clients.sagemaker.create_trial_component(
            TrialComponentName=component,
            DisplayName=name,
            Status={"PrimaryStatus": status},  # type: ignore[typeddict-item]
            Parameters={
                key: {"StringValue": value} if isinstance(value, str) else {"NumberValue": value}
                for key, value in (parameters or {}).items()
            },
            OutputArtifacts={key: {"Value": value} for key, value in (artifacts or {}).items()},
            Tags=[{"Key": "team", "Value": "ads"}],
        )
        self.clients.sagemaker.associate_trial_component(TrialComponentName=component, TrialName=self.trial)
        for metric, values in (metrics or {}).items():
            self.measure(component, metric, values, steps=steps)
        return component

    def measure(
        self, component: str, metric: str, values: Sequence[float], *, start: int = 0, steps: bool = True
    ) -> None:
        """Log values of a metric."""
        now = int(time.time()) - 100
        points = [
            {"MetricName": metric, "Value": value, "Timestamp": now + place, **({"Step": place} if steps else {})}
            for place, value in enumerate(values, start=start)
        ]
        for first in range(0, len(points), 10):
            self.clients.metrics.batch_put_metrics(TrialComponentName=component, MetricData=points[first : first + 10])

    def chart(self, component: str, bucket: str, title: str, document: Mapping[str, Any]) -> None:
        """Log a chart as SDK V2 does: an object, an artifact, an association."""
        text = json.dumps({"title": title, **document}).encode()
        self.chart_of_bytes(component, bucket, title, text, document["type"])

    def chart_of_bytes(self, component: str, bucket: str, title: str, text: bytes, chart_type: str) -> None:
        """Log a chart whose file may hold anything."""
        key = f"trial-component-artifacts/{component}/{title}.json"
        etag = self.clients.s3.put_object(Bucket=bucket, Key=key, Body=text)["ETag"]
        artifact = self.clients.sagemaker.create_artifact(
            ArtifactName=title,
            ArtifactType=chart_type,
            Source={"SourceUri": f"s3://{bucket}/{key}", "SourceTypes": [{"SourceIdType": "S3ETag", "Value": etag}]},
        )["ArtifactArn"]
        arn = self.clients.sagemaker.describe_trial_component(TrialComponentName=component)["TrialComponentArn"]
        self.clients.sagemaker.add_association(SourceArn=arn, DestinationArn=artifact, AssociationType="Produced")


MATRIX = {"type": "ConfusionMatrix", "version": 0, "confusionMatrix": [[20, 3], [4, 33]]}
ROC = {
    "type": "ROCCurve",
    "version": 0,
    "falsePositiveRate": [0, 0.1, 1],
    "truePositiveRate": [0, 0.8, 1],
    "areaUnderCurve": 0.85,
}
