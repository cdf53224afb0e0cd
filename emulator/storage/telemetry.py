"""CloudWatch metrics as the platform writes to them: moto's backend, in this process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from moto.cloudwatch.models import cloudwatch_backends

from ..contract.arns import Scope
from ..contract.metrics import MetricValue
from ..jobs.ports import MetricStore


class MotoMetricStore:
    """Metric values in moto's CloudWatch."""

    def put(self, scope: Scope, namespace: str, job_name: str, values: Iterable[MetricValue]) -> None:
        """Store values under the dimension TrainingJobName."""
        cloudwatch_backends[scope.account][scope.region].put_metric_data(
            namespace,
            [
                {
                    "MetricName": value.name,
                    "Dimensions": [{"Name": "TrainingJobName", "Value": job_name}],
                    "Value": value.value,
                    "Timestamp": datetime.fromtimestamp(value.timestamp, UTC).replace(tzinfo=None),
                }
                for value in values
            ],
        )


_: type[MetricStore] = MotoMetricStore
