"""CloudWatch Logs and metrics as the platform writes to them: moto's backends, in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends

from ..contract.arns import Scope
from ..contract.metrics import MetricValue
from ..jobs.ports import LogStore, MetricStore


class MotoLogStore:
    """Log events in moto's CloudWatch Logs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def write(self, scope: Scope, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Append events; the group and stream are made on first use."""
        backend = logs_backends[scope.account][scope.region]
        batch = [{"timestamp": timestamp, "message": message} for timestamp, message in events]
        with self._lock:
            backend.ensure_log_group(group)
            backend.ensure_log_stream(group, stream)
            backend.put_log_events(group, stream, batch)


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


_logs: type[LogStore] = MotoLogStore
_metrics: type[MetricStore] = MotoMetricStore
