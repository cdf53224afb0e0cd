"""Runs a job file against an endpoint, told in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from ..contract.arns import S3Uri
from ..contract.status import SecondaryStatus, is_terminal
from ..errors import EmulatorError, UsageError, ValidationError
from .clients import Clients, code_and_message, service_errors
from .data import files_of, make_buckets, store
from .document import DataEntry, ImageBuild, JobFile
from .events import Event, ImageReady, JobCreated, OnEvent, StatusEntered, StatusLeft, StopAsked
from .expectations import Facts, unmet
from .images import ensure_image, image_tag
from .job_log import JobLogReader
from .report import JobReport, artifacts_of, seconds_of, stages_of
from .request import check, complete, refused

_SHORTEST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.2
# For what is not the containers' own time: staging, the 120 s of a stop, uploading.
_AROUND_SECONDS: Final = 900
_STOP_SECONDS: Final = 600
_LOG_LINES_SHOWN: Final = 10
_MOVING: Final = (SecondaryStatus.DOWNLOADING, SecondaryStatus.UPLOADING)


def run_job_file(path: Path, clients: Clients, on_event: OnEvent) -> JobReport:
    """Read a job file and run it; see `run_job`."""
    return run_job(JobFile.load(path), clients, on_event)


def run_job(job_file: JobFile, clients: Clients, on_event: OnEvent) -> JobReport:
    """Run a job file to the end of its job, and check what it expects.

    A KeyboardInterrupt stops the job and waits for its end; a second one gives up.

    Raises:
        UsageError: the file, or its image's build, is wrong.
        EmulatorError: the endpoint or the engine failed, or the job did not end.
    """
    with service_errors():
        return _Run(job_file, clients, on_event).run()


class _Run:
    """One run of a job file."""

    def __init__(self, job_file: JobFile, clients: Clients, on_event: OnEvent) -> None:
        self._job_file = job_file
        self._clients = clients
        self._tell = on_event
        self._log_lines: list[str] = []
        self._cut_short = ""

    def run(self) -> JobReport:
        image = self._image_name()
        request = self._request(image)
        buckets = [entry.destination.bucket for entry in self._job_file.data] + [self._output(request).bucket]
        files = [self._files(entry) for entry in self._job_file.data]
        self._make_image(image)
        make_buckets(self._clients, buckets)
        for entry, its_files in zip(self._job_file.data, files, strict=True):
            self._store(entry, its_files)
        self._create(request)
        return self._report(request, self._to_the_end(request["TrainingJobName"], self._limit(request)))

    def _limit(self, request: Mapping[str, Any]) -> float:
        """Return after how many seconds the job is stopped, come what may.

        A job that is late may still end and show by how much; one that hangs must not hold up everything.
        """
        limit: float = request["StoppingCondition"]["MaxRuntimeInSeconds"] + _AROUND_SECONDS
        expected = self._job_file.expect.max_seconds
        return limit if expected is None else min(limit, 2 * expected + 60)

    # Before the job

    def _image_name(self) -> str:
        image = self._job_file.image
        return image_tag(image) if isinstance(image, ImageBuild) else image.name

    def _request(self, image: str) -> dict[str, Any]:
        """Return the whole request, checked before anything slow is done."""
        request = complete(self._job_file, image=image, scope=self._clients.scope)
        operation = self._clients.sagemaker.meta.service_model.operation_model("CreateTrainingJob")
        assert operation.input_shape is not None
        check(self._job_file.yaml, request, operation.input_shape)
        return request

    def _output(self, request: Mapping[str, Any]) -> S3Uri:
        try:
            return S3Uri.parse(request["OutputDataConfig"]["S3OutputPath"])
        except ValidationError as error:
            at = ("request", "OutputDataConfig", "S3OutputPath")
            raise self._job_file.yaml.error(at, error.message) from error

    def _make_image(self, name: str) -> None:
        if isinstance(self._job_file.image, ImageBuild):
            ensure_image(self._job_file.image, name, self._tell)
        else:
            self._tell(ImageReady(name=name))

    def _files(self, entry: DataEntry) -> list[Path]:
        try:
            return files_of(entry, self._job_file.yaml)
        except OSError as error:
            raise self._unreadable(entry, error) from error

    def _store(self, entry: DataEntry, files: list[Path]) -> None:
        try:
            store(self._clients, entry, files, self._tell)
        except OSError as error:
            raise self._unreadable(entry, error) from error

    def _unreadable(self, entry: DataEntry, error: OSError) -> UsageError:
        return self._job_file.yaml.error(
            entry.at, f"{error.filename or entry.source} cannot be read: {error.strerror or error}."
        )

    def _create(self, request: dict[str, Any]) -> None:
        try:
            answer = self._clients.sagemaker.create_training_job(**request)
        except ClientError as error:
            code, message = code_and_message(error)
            if code == "ValidationException":
                raise refused(self._job_file.yaml, message) from error
            if code == "ResourceInUse":
                raise EmulatorError(f"{message}\nLeave TrainingJobName out of the job file for a new one.") from error
            raise
        self._tell(JobCreated(name=request["TrainingJobName"], arn=answer["TrainingJobArn"]))

    # While it runs

    def _to_the_end(self, name: str, limit: float) -> dict[str, Any]:
        """Follow the job to its end, which comes early after Ctrl-C and after the limit."""
        follower = _Follower(self._clients, name, self._log_lines, self._tell)
        try:
            return follower.until_end(time.monotonic() + limit)
        except KeyboardInterrupt:
            self._cut_short = "interrupted"
        except _TooLongError:
            self._cut_short = f"not at its end after {limit:g} s"
        self._tell(StopAsked(why=self._cut_short))
        try:
            self._clients.sagemaker.stop_training_job(TrainingJobName=name)
        except ClientError as error:
            if code_and_message(error)[0] != "ValidationException":  # it has ended meanwhile
                raise
        try:
            return follower.until_end(time.monotonic() + _STOP_SECONDS)
        except _TooLongError as error:
            raise EmulatorError(
                f"{name} did not end within {_STOP_SECONDS} s of StopTrainingJob ({self._cut_short}); it is "
                f"{error}. Its last lines:\n" + "\n".join(self._log_lines[-_LOG_LINES_SHOWN:])
            ) from error

    # After it

    def _report(self, request: Mapping[str, Any], description: Mapping[str, Any]) -> JobReport:
        model, output = artifacts_of(self._clients, description)
        facts = Facts(
            description=description,
            log_lines=self._log_lines,
            model=model.files if model else None,
            output=output.files if output else None,
            seconds=seconds_of(description),
        )
        cut_short = [f"The job was stopped: {self._cut_short}."] if self._cut_short else []
        return JobReport(
            job_file=self._job_file.path,
            image=request["AlgorithmSpecification"]["TrainingImage"],
            description=description,
            log_lines=tuple(self._log_lines),
            model=model,
            output=output,
            seconds=facts.seconds,
            unmet=(*cut_short, *unmet(self._job_file.expect, facts)),
        )


class _TooLongError(Exception):
    """The job did not end in time; the text is its status."""


class _Follower:
    """Tells what happens to a job, as Describe, its log and its progress show it."""

    def __init__(self, clients: Clients, name: str, log_lines: list[str], on_event: OnEvent) -> None:
        self._clients = clients
        self._name = name
        self._log_lines = log_lines
        self._tell = on_event
        self._log: JobLogReader | None = None
        self._entered: tuple[str, str] | None = None
        self._left = 0

    def until_end(self, deadline: float) -> dict[str, Any]:
        """Follow until the job has ended and its whole log was read.

        Raises:
            _TooLongError: it did not end before this monotonic moment.
        """
        pause = _SHORTEST_PAUSE
        while True:
            description = self._clients.describe(self._name)
            # The log is read after the status, so that a status that is final has its whole log.
            news = sorted([*self._statuses(description), *self._lines(description)], key=lambda one: one[0])
            for _, event in news:
                self._tell(event)
            if is_terminal(description):
                return description
            self._tell_progress(description["SecondaryStatus"])
            if time.monotonic() > deadline:
                raise _TooLongError(f"{description['TrainingJobStatus']}, {description['SecondaryStatus']}")
            pause = _SHORTEST_PAUSE if news else min(_LONGEST_PAUSE, pause * 1.2)
            time.sleep(pause)

    def _lines(self, description: Mapping[str, Any]) -> Iterator[tuple[datetime, Event]]:
        """Yield new log lines."""
        self._log = self._log or JobLogReader(self._clients.logs, self._name, description["CreationTime"])
        for line in self._log.read():
            self._log_lines.append(line.message)
            yield line.time, line

    def _statuses(self, description: Mapping[str, Any]) -> Iterator[tuple[datetime, Event]]:
        """Yield every secondary status that was entered or left since the last look, also quick ones."""
        stages = stages_of(description)
        transitions = description["SecondaryStatusTransitions"]
        for number, stage in enumerate(stages[self._left :], self._left):
            yield from self._entry(transitions[number])
            yield transitions[number]["EndTime"], StatusLeft(status=stage.status, seconds=stage.seconds)
        self._left = len(stages)
        yield from self._entry(transitions[-1])

    def _entry(self, transition: Mapping[str, Any]) -> Iterator[tuple[datetime, Event]]:
        """Yield that a status was entered, or has another message, unless that was told."""
        entered = (transition["Status"], transition.get("StatusMessage", ""))
        if entered != self._entered:
            self._entered = entered
            yield transition["StartTime"], StatusEntered(status=entered[0], message=entered[1])

    def _tell_progress(self, status: str) -> None:
        """Tell how far data has come, in the stages that move some."""
        moved = self._clients.progress(self._name) if status in _MOVING else None
        if moved is not None:
            self._tell(moved)
