"""Publishes what the containers write: log events, and the metrics found on the lines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence

from ..contract.job import Job
from ..contract.log_lines import LineAssembler, event_messages
from ..contract.metrics import MetricDefinition, MetricScanner, MetricValue
from ..contract.training_job import METRIC_NAMESPACE
from .log_replay import Replay
from .ports import Clock, LogStore, MetricStore

logger = logging.getLogger(__name__)


class JobLog:
    """Receives the output of a job's containers, from one thread a host.

    A line is published when it is complete, or when its container has ended. Nothing raised here may
    reach the engine's thread, as the container would then block on a full pipe: the first error is
    kept and raised by `finish`.
    """

    def __init__(
        self,
        job: Job,
        definitions: Sequence[MetricDefinition],
        started_at: float,
        *,
        logs: LogStore,
        metrics: MetricStore,
        clock: Clock,
        taken_up: bool = False,
    ) -> None:
        """Be the log of a job whose containers start at a time (epoch seconds), and look for metrics in it.

        `taken_up`: an earlier emulator has published the beginning already; the containers' output comes
        here whole all the same.
        """
        self._job = job
        self._logs = logs
        self._metrics = metrics
        self._clock = clock
        self._streams = {host.name: job.log_stream(host, started_at) for host in job.hosts}
        self._assemblers = {host.name: LineAssembler() for host in job.hosts}
        self._replays = {host.name: Replay(self._published(host.name)) for host in job.hosts} if taken_up else {}
        self._scanner = MetricScanner(definitions)
        self._last_millisecond = 0
        self._lock = threading.Lock()
        self._error: Exception | None = None
        self.last_values: dict[str, MetricValue] = {}

    def write(self, host: str, stream: str, chunk: bytes, at: float | None = None) -> None:
        """Take what a container has written to "stdout" or "stderr" at a time (epoch seconds; None: now)."""
        try:
            with self._lock:
                self._take(host, list(self._assemblers[host].feed(stream, chunk)), at)
        except Exception as error:  # noqa: BLE001 - see the class: kept for finish()
            self._keep(error)

    def finish(self) -> None:
        """Publish lines that have no newline at their end.

        Raises:
            Exception: the first error met while publishing.
        """
        with self._lock:
            for host, assembler in self._assemblers.items():
                self._take(host, list(assembler.finish()), None)
                if host in self._replays:
                    self._publish(host, self._replays[host].rest(), self._clock.now())
        if self._error is not None:
            raise self._error

    def _take(self, host: str, lines: list[str], at: float | None) -> None:
        if not lines:
            return
        at = self._clock.now() if at is None else at
        messages = [message for line in lines for message in event_messages(line)]
        if host in self._replays:
            messages = [one for message in messages for one in self._replays[host].unpublished(message)]
        self._publish(host, messages, at)
        values = [value for line in lines for value in self._scanner.scan(line, at)]
        if values:
            self.last_values.update({value.name: value for value in values})
            self._metrics.put(self._job.scope, METRIC_NAMESPACE, self._job.name, values)

    def _publish(self, host: str, messages: list[str], at: float) -> None:
        if messages:
            millisecond = self._last_millisecond = max(self._last_millisecond, int(at * 1000))
            events = [(millisecond, message) for message in messages]
            self._logs.write(self._job.scope, self._job.kind.log_group, self._streams[host], events)

    def _published(self, host: str) -> Iterator[str]:
        """Yield what an earlier emulator has published; nothing may be published before it."""
        for millisecond, message in self._logs.events(self._job.scope, self._job.kind.log_group, self._streams[host]):
            self._last_millisecond = max(self._last_millisecond, millisecond)
            yield message

    def _keep(self, error: Exception) -> None:
        logger.error("Publishing the log of %s failed", self._job.arn, exc_info=error)
        self._error = self._error or error
