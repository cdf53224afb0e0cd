"""What became of a job of the test's process: the same questions as to any other job's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

from ..contract.kinds import JobKind
from ..contract.metrics import MetricValue
from ..contract.outcome import HostExit
from ..contract.processing_job import ProcessingJob
from ..contract.record import JobRecord, describe
from ..contract.status import status_of
from ..contract.training_job import TrainingJob
from ..jobfiles.events import LogLine
from ..testing.logs import JobLogs
from ..testing.views import ContainerView
from .memory import LogEvent, MemoryObjects

if TYPE_CHECKING:
    from ..testing.files import JobFiles

_LINES_SHOWN: Final = 20


class OptMlResult:
    """A job that has ended."""

    def __init__(
        self,
        record: JobRecord,
        *,
        objects: MemoryObjects,
        events: Sequence[LogEvent],
        view: Mapping[str, Any] | None,
        exits: Sequence[HostExit],
        exception: BaseException | None,
        expected: str | None,
    ) -> None:
        self.name = record.name
        self.arn = record.arn
        self.expected = expected
        """The status that the test expects; None: any."""
        self.exception = exception
        """What the function raised, if that ended the job: also a SystemExit that is no success."""
        self._record = record
        self._objects = objects
        self._events = events
        self._view = view
        self._exits = exits

    @property
    def kind(self) -> JobKind:
        """What kind of job it is."""
        return self._record.kind

    @property
    def status(self) -> str:
        """Completed or Failed."""
        return status_of(self._record.facts)

    @property
    def failure_reason(self) -> str:
        """FailureReason; "" if there is none."""
        return str(self._record.facts.get("FailureReason", ""))

    @property
    def exit_code(self) -> int | None:
        """The exit code of the first host that failed, else 0; None: nothing has run."""
        return next((one.exit_code for one in self._exits if one.exit_code), 0 if self._exits else None)

    @property
    def exit_codes(self) -> dict[str, int]:
        """The exit code of each host."""
        return {one.host: one.exit_code for one in self._exits}

    @property
    def logs(self) -> JobLogs:
        """What it wrote to sys.stdout and sys.stderr."""
        return JobLogs(
            LogLine(host=one.host, time=datetime.fromtimestamp(one.millisecond / 1000, UTC), message=one.message)
            for one in self._events
        )

    @property
    def container_view(self) -> ContainerView:
        """What its program found when it started: `/opt/ml`, environment, arguments as `command`."""
        if self._view is None:
            raise RuntimeError(f"The program of {self.name} has not started; the job is {self.status}.")
        return ContainerView.parse(self._view)

    @property
    def timings(self) -> dict[str, float]:
        """Seconds by secondary status, those that are over, of a training job; and in `total`."""
        facts = self._record.facts
        passed = [one for one in facts.get("SecondaryStatusTransitions", ()) if "EndTime" in one]
        end = facts.get("TrainingEndTime", facts.get("ProcessingEndTime", facts["LastModifiedTime"]))
        stages = {one["Status"]: one["EndTime"] - one["StartTime"] for one in passed if one["Status"] != self.status}
        return {**stages, "total": end - facts["CreationTime"]}

    def describe(self) -> dict[str, Any]:
        """Return the Describe answer; times are epoch seconds."""
        return describe(self._record)

    def check(self) -> Self:
        """Return this result, if the job has ended as it was expected.

        Raises:
            JobEndError: it has not; what its program raised is the error's cause.
        """
        __tracebackhide__ = True
        if self.expected in (None, self.status):
            return self
        from ..testing.results import JobEndError

        raise JobEndError(self.explanation()) from self.exception

    def explanation(self, lines: int = _LINES_SHOWN) -> str:
        """Say how it ended and why: status, reason, exit code and the end of its log."""
        expected = f", expected {self.expected}" if self.expected not in (None, self.status) else ""
        said = [f"The {self.kind.words} {self.name} is {self.status}{expected}."]
        if self.failure_reason:
            said.append(f"  FailureReason: {self.failure_reason}")
        said += [f"  exit code: {self.exit_code}", "  rung: opt_ml"]
        tail = self.logs.tail(lines)
        said.append(f"  the last {len(tail)} of {len(self.logs)} log lines:" if tail else "  its log is empty")
        return "\n".join([*said, *(f"    {line}" for line in tail)])

    def __repr__(self) -> str:
        reason = f", {self.failure_reason!r}" if self.failure_reason else ""
        return f"<{type(self).__name__} {self.name}: {self.status}{reason}>"


class OptMlTrainingResult(OptMlResult):
    """A training job that has ended."""

    def __init__(self, record: JobRecord, values: Sequence[MetricValue], **more: Any) -> None:
        super().__init__(record, **more)
        self._job = TrainingJob.parse(record.request, record.scope)
        self._values = values

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics by name."""
        return {one["MetricName"]: one["Value"] for one in self._record.facts.get("FinalMetricDataList", ())}

    @property
    def metric_values(self) -> dict[str, list[float]]:
        """All values of each metric in the order in which they were logged."""
        found: dict[str, list[float]] = {}
        for one in self._values:
            found.setdefault(one.name, []).append(one.value)
        return found

    @cached_property
    def model(self) -> JobFiles:
        """What it left in /opt/ml/model."""
        from .files import MemoryArchive

        uri = self._job.model_artifacts
        return MemoryArchive(f"model.tar.gz of {self.name}", uri, self._objects.read(uri))

    @cached_property
    def output(self) -> JobFiles:
        """What it left in /opt/ml/output/data."""
        from .files import MemoryArchive

        uri = self._job.output_artifacts
        return MemoryArchive(f"output.tar.gz of {self.name}", uri, self._objects.read(uri))


class OptMlProcessingResult(OptMlResult):
    """A processing job that has ended."""

    @property
    def exit_message(self) -> str:
        """What it said in /opt/ml/output/message; "" if nothing."""
        return str(self._record.facts.get("ExitMessage", ""))

    @cached_property
    def outputs(self) -> Mapping[str, JobFiles]:
        """What it left, by OutputName."""
        from .files import MemoryFiles

        job = ProcessingJob.parse(self._record.request, self._record.scope)
        return {
            one.name: MemoryFiles(f"output {one.name} of {self.name}", uri, self._objects.below(uri))
            for one in job.outputs
            if (uri := one.destination) is not None
        }
