"""Publishes what the containers write: log events, and the metrics found on the lines."""

from __future__ import annotations

import logging
import threading

from ..contract.log_lines import LineAssembler, event_messages
from ..contract.metrics import MetricScanner, MetricValue
from ..contract.training_job import LOG_GROUP, METRIC_NAMESPACE, TrainingJob
from .ports import Clock, LogStore, MetricStore

logger = logging.getLogger(__name__)


class JobLog:
    """Receives the output of a job's containers, from one thread a host.

    A line is published when it is complete, or when its container has ended. Nothing raised here may
    reach the engine's thread, as the container would then block on a full pipe: the first error is
    kept and raised by `finish`.
    """

    def __init__(
        self, job: TrainingJob, started_at: float, *, logs: LogStore, metrics: MetricStore, clock: Clock
    ) -> None:
        self._job = job
        self._logs = logs
        self._metrics = metrics
        self._clock = clock
        self._streams = {host.name: job.log_stream(host, started_at) for host in job.hosts}
        self._assemblers = {host.name: LineAssembler() for host in job.hosts}
        self._scanner = MetricScanner(job.metric_definitions)
        self._last_millisecond = 0
        self._lock = threading.Lock()
        self._error: Exception | None = None
        self.last_values: dict[str, MetricValue] = {}

    def write(self, host: str, stream: str, chunk: bytes) -> None:
        """Take what a container has just written to "stdout" or "stderr"."""
        try:
            with self._lock:
                self._publish(host, list(self._assemblers[host].feed(stream, chunk)))
        except Exception as error:  # noqa: BLE001 - see the class: kept for finish()
            self._keep(error)

    def finish(self) -> None:
        """Publish lines that have no newline at their end.

        Raises:
            Exception: the first error met while publishing.
        """
        with self._lock:
            for host, assembler in self._assemblers.items():
                self._publish(host, list(assembler.finish()))
        if self._error is not None:
            raise self._error

    def _publish(self, host: str, lines: list[str]) -> None:
        if not lines:
            return
        millisecond = self._last_millisecond = max(self._last_millisecond, int(self._clock.now() * 1000))
        events = [(millisecond, message) for line in lines for message in event_messages(line)]
        self._logs.write(self._job.scope, LOG_GROUP, self._streams[host], events)
        values = [value for line in lines for value in self._scanner.scan(line, millisecond / 1000)]
        if values:
            self.last_values.update({value.name: value for value in values})
            self._metrics.put(self._job.scope, METRIC_NAMESPACE, self._job.name, values)

    def _keep(self, error: Exception) -> None:
        logger.error("Publishing the log of %s failed", self._job.arn, exc_info=error)
        self._error = self._error or error
