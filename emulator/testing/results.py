"""A job that a test has started, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from botocore.exceptions import ClientError

from ..contract.arns import S3Uri
from ..contract.kinds import PROCESSING, TRAINING, JobKind
from ..contract.status import status_of
from ..errors import EmulatorError
from ..jobfiles.bundle import write_bundle
from ..jobfiles.clients import code_and_message
from ..jobfiles.events import Event, LogLine
from ..jobfiles.expectations import exit_code, final_metrics
from ..jobfiles.follower import Follower
from ..jobfiles.report import archive_uris, artifacts_of, seconds_of, stages_of
from .files import Archive, JobFiles, OutputFiles
from .logs import JobLogs
from .views import ContainerView

if TYPE_CHECKING:
    from .sagemaker_emulator import SageMakerEmulator

_SHORTEST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.2
_STOP_SECONDS: Final = 150.0
_LINES_SHOWN: Final = 20
# A bundle that nobody has asked for must not fill a disk.
_MOST_BYTES_KEPT: Final = 100 * 1024**2


class JobEndError(AssertionError):
    """A job did not end as a test expects; the text says how it ended, and why."""


class Timings(Mapping[str, float]):
    """Seconds by secondary status, in their order, and in `total` from creation to end."""

    def __init__(self, stages: Mapping[str, float], total: float) -> None:
        self._stages = dict(stages)
        self.total = total

    def __getitem__(self, status: str) -> float:
        return self._stages[status]

    def __iter__(self) -> Iterator[str]:
        return iter(self._stages)

    def __len__(self) -> int:
        return len(self._stages)

    def __repr__(self) -> str:
        stages = ", ".join(f"{status} {seconds:.2f} s" for status, seconds in self.items())
        return f"<{self.total:.2f} s: {stages}>" if stages else f"<{self.total:.2f} s>"


class JobResult:
    """A job by its name. Before its end what is asked for is as far as the job has come; `wait` waits for the end."""

    kind: ClassVar[JobKind]

    def __init__(self, emulator: SageMakerEmulator, name: str, *, expected: str | None = None) -> None:
        self.name = name
        self.expected = expected
        """The status that the test expects; None: it did not say."""
        self._emulator = emulator
        self._lines: list[LogLine] = []
        self._follower = Follower(emulator.clients, self.kind, name, self._hear)
        self._cut_short = ""

    @property
    def status(self) -> str:
        """Completed, Failed or Stopped; before its end InProgress or Stopping."""
        return status_of(self.description)

    @property
    def failure_reason(self) -> str:
        """FailureReason; "" if there is none."""
        return str(self.description.get("FailureReason", ""))

    @property
    def exit_code(self) -> int | None:
        """The container's exit code as SageMaker tells it: 0 when Completed, else what FailureReason ends with."""
        return exit_code(self.description)

    @property
    def logs(self) -> JobLogs:
        """What its containers wrote."""
        self._look()
        return JobLogs(self._lines)

    @property
    def timings(self) -> Timings:
        """How long it took, by secondary status and in total; of a job that has ended."""
        self._require_end("timings")
        return Timings({one.status: one.seconds for one in stages_of(self.description)}, seconds_of(self.description))

    @property
    def container_view(self) -> ContainerView:
        """What its containers found when they started: `/opt/ml`, environment, user, mounts."""
        found = self._emulator.clients.container_view(self.arn)
        if found is None:
            raise RuntimeError(f"The containers of {self.name} have not started; it is {self.status}.")
        return ContainerView.parse(found)

    @property
    def engine(self) -> str:
        """The rung it ran on."""
        return self._emulator.engine

    @property
    def account(self) -> str:
        """The account it ran in."""
        return self._emulator.account

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.description[self.kind.arn_member])

    @property
    def description(self) -> Mapping[str, Any]:
        """The Describe answer; of a job that has ended the last one, without asking again."""
        self._look()
        return self._follower.description

    def describe(self) -> dict[str, Any]:
        """Return a fresh Describe answer."""
        return self._emulator.clients.describe(self.name, self.kind)

    @property
    def is_known_to_have_ended(self) -> bool:
        """Whether it had ended when it was last looked at."""
        return self._follower.has_ended

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        self._look()
        return self._follower.has_ended

    @property
    def is_as_expected(self) -> bool:
        """Whether it has ended with the status that the test expects, or the test does not say."""
        return self.has_ended and not self._cut_short and self.expected in (None, self.status)

    @property
    def is_failure(self) -> bool:
        """Whether somebody will want to know why it ended so: not as expected, or `Failed` where nothing was."""
        return not self.is_as_expected or (self.expected is None and self.status != "Completed")

    def wait(self, max_seconds: float | None = None) -> Self:
        """Wait for the end. A job that takes longer is stopped.

        Raises:
            JobEndError: it took longer, or ended with another status than was expected.
        """
        __tracebackhide__ = True
        limit = self._emulator.identity.max_wait if max_seconds is None else max_seconds
        if not self._ends_within(limit):
            self._cut_short = f"it had not ended after {limit:g} s and was stopped"
            self.stop()
            self._ends_within(_STOP_SECONDS)
        if not self.is_as_expected:
            raise JobEndError(self.explanation())
        return self

    def stop(self) -> Self:
        """Ask for its end; a job that has ended stays as it is."""
        try:
            self._emulator.clients.stop(self.name, self.kind)
        except ClientError as error:
            if code_and_message(error)[0] != "ValidationException":
                raise
        return self

    def explanation(self, lines: int = _LINES_SHOWN) -> str:
        """Say how it ended and why: status, reason, exit code and the end of its log."""
        expected = f", expected {self.expected}" if self.expected not in (None, self.status) else ""
        cut_short = f"; {self._cut_short}" if self._cut_short else ""
        said = [f"The {self.kind.words} {self.name} is {self.status}{expected}{cut_short}."]
        if self.failure_reason:
            said.append(f"  FailureReason: {self.failure_reason}")
        if message := self.description.get("ExitMessage"):
            said.append(f"  ExitMessage: {message}")
        if self.exit_code is not None:
            said.append(f"  exit code: {self.exit_code}")
        said.append(f"  rung: {self._emulator.engine}")
        if self.has_ended:
            said.append(f"  {self.timings!r}".replace("<", "time: ").replace(">", ""))
        tail = self.logs.tail(lines)
        said.append(f"  the last {len(tail)} of {len(self.logs)} log lines:" if tail else "  its log is empty")
        said += [f"    {line}" for line in tail]
        if self.is_failure:
            said.append(f"  bundle: {self._kept_bundle}")
        return "\n".join(said)

    def bundle(self, destination: Path | None = None) -> Path:
        """Write inputs, configuration, logs and outputs into one archive below a folder, and return its path.

        Raises:
            EmulatorError: it cannot be written, or is too large.
        """
        folder = self._emulator.bundles if destination is None else destination
        folder.mkdir(parents=True, exist_ok=True)
        return write_bundle(self._emulator.clients, self.kind, self.name, folder)

    def __repr__(self) -> str:
        reason = f", {self.failure_reason!r}" if self.failure_reason else ""
        return f"<{type(self).__name__} {self.name}: {self.status}{reason}>"

    @cached_property
    def _kept_bundle(self) -> str:
        """Where its bundle is, written once; or why there is none, which must not hide why the job failed."""
        try:
            self._emulator.bundles.mkdir(parents=True, exist_ok=True)
            return str(
                write_bundle(
                    self._emulator.clients, self.kind, self.name, self._emulator.bundles, most_bytes=_MOST_BYTES_KEPT
                )
            )
        except (EmulatorError, OSError) as error:
            return f"none ({error})"

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        pause = _SHORTEST_PAUSE
        while True:
            news = self._follower.look()
            if self._follower.has_ended:
                return True
            if time.monotonic() > deadline:
                return False
            pause = _SHORTEST_PAUSE if news else min(_LONGEST_PAUSE, pause * 1.2)
            time.sleep(pause)

    def _look(self) -> None:
        if not self._follower.has_ended:
            self._follower.look()

    def _hear(self, event: Event) -> None:
        if isinstance(event, LogLine):
            self._lines.append(event)

    def _require_end(self, what: str) -> None:
        if not self.has_ended:
            raise RuntimeError(f"{self.name} is {self.status} and has no {what} yet. Call wait() first.")

    def _kept(self, name: str) -> Path:
        return self._emulator.folder / "artifacts" / self._emulator.account / self.name / name


class TrainingResult(JobResult):
    """A training job."""

    kind = TRAINING

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics by name."""
        return final_metrics(self.description)

    @cached_property
    def model(self) -> JobFiles:
        """What it left in /opt/ml/model."""
        return self._archive("model")

    @cached_property
    def output(self) -> JobFiles:
        """What it left in /opt/ml/output/data."""
        return self._archive("output")

    def _archive(self, name: str) -> Archive:
        self._require_end(name)
        uri = archive_uris(self.description)[name]
        return Archive(f"{name}.tar.gz of {self.name}", uri, self._emulator.clients, self._kept(f"{name}.tar.gz"))


class ProcessingResult(JobResult):
    """A processing job."""

    kind = PROCESSING

    @property
    def exit_message(self) -> str:
        """What it said in /opt/ml/output/message; "" if nothing."""
        return str(self.description.get("ExitMessage", ""))

    @cached_property
    def outputs(self) -> dict[str, JobFiles]:
        """What it left, by OutputName."""
        self._require_end("outputs")
        clients = self._emulator.clients
        return {
            one.name: OutputFiles(f"output {one.name} of {self.name}", S3Uri.parse(one.uri), clients, tuple(one.files))
            for one in artifacts_of(clients, self.kind, self.description)
        }
