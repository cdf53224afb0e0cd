"""What containers write becomes events and metric values, in memory here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import pytest

from emulator.contract.arns import Scope
from emulator.contract.metrics import MetricValue
from emulator.jobs.clock import SystemClock
from emulator.jobs.job_log import JobLog
from emulator.jobs.ports import Clock, LogStore, MetricStore
from tests.builders import SCOPE, algorithm, training_job

LOSS = [{"Name": "loss", "Regex": "loss=(\\S+)"}]


class MemoryLogs:
    """Events by scope, group and stream."""

    def __init__(self, failures: Iterable[Exception] = ()) -> None:
        self.written: dict[tuple[Scope, str, str], list[tuple[int, str]]] = defaultdict(list)
        self._failures = iter(failures)

    def write(self, scope: Scope, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        for failure in self._failures:
            raise failure
        self.written[scope, group, stream] += events

    def events(self, scope: Scope, group: str, stream: str) -> Iterator[tuple[int, str]]:
        return iter(list(self.written[scope, group, stream]))

    def messages(self, stream: str) -> list[str]:
        return [text for _, text in self.written[SCOPE, "/aws/sagemaker/TrainingJobs", stream]]


class MemoryMetrics:
    """Values as they were put."""

    def __init__(self) -> None:
        self.values: list[tuple[Scope, str, str, float]] = []

    def put(self, scope: Scope, namespace: str, job_name: str, values: Iterable[MetricValue]) -> None:
        self.values += [(scope, namespace, job_name, value.value) for value in values]


@dataclass(frozen=True)
class Moments(SystemClock):
    """A clock that shows these times."""

    times: Iterator[float] = field(default_factory=lambda: iter(()))

    def now(self) -> float:
        return next(self.times)


_logs: type[LogStore] = MemoryLogs
_metrics: type[MetricStore] = MemoryMetrics


class Publishing:
    """A job's log, and where it arrives."""

    def __init__(
        self, *, hosts: int = 1, clock: Clock | None = None, failures: Iterable[Exception] = (), **changes: Any
    ):
        resources = {"InstanceType": "ml.m5.large", "InstanceCount": hosts}
        self.job = training_job(TrainingJobName="Job-A", ResourceConfig=resources, **changes)
        self.logs, self.metrics = MemoryLogs(failures), MemoryMetrics()
        self._clock = clock or SystemClock()
        self.log = self._log(taken_up=False)

    def _log(self, *, taken_up: bool) -> JobLog:
        ports: Any = {"logs": self.logs, "metrics": self.metrics, "clock": self._clock}
        return JobLog(self.job, self.job.metric_definitions, 1692170805.9, **ports, taken_up=taken_up)

    def killed(self) -> None:
        """Go on as the next emulator does: nothing of the log is left but what was published."""
        self.log = self._log(taken_up=True)

    def messages(self, host: int = 1) -> list[str]:
        return self.logs.messages(f"Job-A/algo-{host}-1692170805")


def test_lines_go_to_the_stream_of_their_host() -> None:
    publishing = Publishing(hosts=2)
    publishing.log.write("algo-1", "stdout", b"one\n")
    publishing.log.write("algo-2", "stdout", b"two\n")
    publishing.log.write("algo-1", "stderr", b"a\tb\n")
    assert publishing.messages(1) == ["one", "a#011b"]
    assert publishing.messages(2) == ["two"]


def test_a_line_is_published_as_soon_as_it_is_complete() -> None:
    publishing = Publishing()
    publishing.log.write("algo-1", "stdout", b"first\nsec")
    assert publishing.messages() == ["first"]
    publishing.log.write("algo-1", "stdout", b"ond")
    publishing.log.finish()
    assert publishing.messages() == ["first", "second"]


def test_a_job_that_wrote_nothing_has_no_stream() -> None:
    publishing = Publishing()
    publishing.log.write("algo-1", "stdout", b"")
    publishing.log.finish()
    assert not publishing.logs.written


def test_times_are_milliseconds_and_never_go_back() -> None:
    publishing = Publishing(clock=Moments(times=iter([100.25, 99.0, 101.0])))
    for line in (b"a\n", b"b\n", b"c\n"):
        publishing.log.write("algo-1", "stdout", line)
    (events,) = publishing.logs.written.values()
    assert events == [(100250, "a"), (100250, "b"), (101000, "c")]


def test_metrics_are_put_and_the_last_value_is_kept() -> None:
    publishing = Publishing(
        clock=Moments(times=repeat(100.25)), AlgorithmSpecification=algorithm(MetricDefinitions=LOSS)
    )
    publishing.log.write("algo-1", "stdout", b"loss=3\nloss=2\n")
    publishing.log.write("algo-1", "stderr", b"loss=1\nno metric\n")
    where = (SCOPE, "/aws/sagemaker/TrainingJobs", "Job-A")
    assert publishing.metrics.values == [(*where, 3), (*where, 2), (*where, 1)]
    assert publishing.log.last_values == {"loss": MetricValue(name="loss", value=1, timestamp=100.25)}


def test_a_metric_on_the_last_line_without_a_newline_counts() -> None:
    publishing = Publishing(AlgorithmSpecification=algorithm(MetricDefinitions=LOSS))
    publishing.log.write("algo-1", "stdout", b"loss=0.5")
    publishing.log.finish()
    assert publishing.log.last_values["loss"].value == 0.5


def test_metrics_are_searched_in_the_line_and_not_in_what_the_log_shows() -> None:
    definitions = [{"Name": "m", "Regex": "a\\tb=(\\d)"}]
    publishing = Publishing(AlgorithmSpecification=algorithm(MetricDefinitions=definitions))
    publishing.log.write("algo-1", "stdout", b"a\tb=1\n")
    assert publishing.log.last_values["m"].value == 1


def test_an_error_does_not_reach_the_writer_and_the_first_comes_at_the_end() -> None:
    publishing = Publishing(failures=[OSError("first"), OSError("second")])
    publishing.log.write("algo-1", "stdout", b"lost\n")
    publishing.log.write("algo-1", "stdout", b"lost too\n")
    publishing.log.write("algo-1", "stdout", b"kept\n")
    publishing.log.write("no-such-host", "stdout", b"x\n")
    assert publishing.messages() == ["kept"]
    with pytest.raises(OSError, match="first"):
        publishing.log.finish()


def test_hosts_may_write_at_the_same_time() -> None:
    publishing = Publishing(hosts=4)

    def write(host: int) -> None:
        for number in range(200):
            publishing.log.write(f"algo-{host}", "stdout", f"{number}\nx".encode())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(1, 5)))
    publishing.log.finish()
    expected = ["0", *(f"x{number}" for number in range(1, 200)), "x"]
    assert [publishing.messages(host) for host in range(1, 5)] == [expected] * 4


def test_a_log_that_is_taken_up_has_every_line_once_and_at_its_time() -> None:
    publishing = Publishing(AlgorithmSpecification=algorithm(MetricDefinitions=LOSS))
    publishing.log.write("algo-1", "stdout", b"one\nloss=2\nhalf a li")
    publishing.killed()
    for line, at in ((b"one\n", 1.0), (b"loss=2\n", 2.0), (b"half a line\n", 3e9), (b"last", 3e9 + 1)):
        publishing.log.write("algo-1", "stdout", line, at)
    publishing.log.finish()
    assert publishing.messages() == ["one", "loss=2", "half a line", "last"]
    assert publishing.log.last_values["loss"].value == 2
    times = [time for ((_, _, _), events) in publishing.logs.written.items() for time, _ in events]
    assert times == sorted(times)
    assert times[2] == 3_000_000_000_000


def test_a_log_may_be_taken_up_twice_and_before_its_first_line() -> None:
    publishing = Publishing()
    publishing.killed()
    publishing.log.write("algo-1", "stdout", b"a\n", 1.0)
    publishing.killed()
    for line in (b"a\n", b"a\n", b"b"):
        publishing.log.write("algo-1", "stderr", line, 2.0)
    publishing.log.finish()
    assert publishing.messages() == ["a", "a", "b"]
