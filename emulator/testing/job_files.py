"""Runs job files for tests: what the fixture `job_file` is, and what a collected job file stands on."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..contract.kinds import PROCESSING
from ..jobfiles.document import JobFile
from ..jobfiles.events import Event
from ..jobfiles.plan import with_those_before
from ..jobfiles.report import End, JobReport, Unfinished
from ..jobfiles.runner import run_jobs
from .mistakes import without_our_frames
from .results import JobEndError, JobResult, ProcessingResult, TrainingResult
from .sagemaker_emulator import SageMakerEmulator

if TYPE_CHECKING:
    from .session import SessionOfTests


class JobFileRuns:
    """Runs job files at one emulator, each once; those that others wait for are run before them."""

    def __init__(self, emulator: SageMakerEmulator, on_event: Callable[[str, Event], None]) -> None:
        self._emulator = emulator
        self._tell = on_event
        self._ended: MutableMapping[Path, End] = {}

    def end_of(self, path: Path) -> End:
        """Return the end of a job file's job, which is run if it was not yet.

        Raises:
            UsageError: the file is wrong.
            EmulatorError: the endpoint or the engine failed.
        """
        path = path.resolve()
        for one in with_those_before(path):
            at = one.path.resolve()
            if at not in self._ended:
                self._ended[at] = self._run(one)
        return self._ended[path]

    def _run(self, job_file: JobFile) -> End:
        before = {path.stem: end for path, end in self._ended.items() if path.parent == job_file.path.resolve().parent}
        (end,) = run_jobs([job_file], self._emulator.clients, self._tell, before)
        return end


class JobFileJobs:
    """The fixture `job_file`."""

    def __init__(self, emulator: SageMakerEmulator, session: SessionOfTests) -> None:
        self._emulator = emulator
        self._session = session

    @without_our_frames
    def __call__(self, path: str | Path) -> Any:
        """Run a job file, and before it those of its folder that it waits for, and return its job's result.

        The path is relative to pytest's root folder. What the file expects is checked.

        Raises:
            JobEndError: something that the file expects does not hold.
            UsageError: the file is wrong.
        """
        __tracebackhide__ = True
        runs = JobFileRuns(self._emulator, self._hear)
        end = runs.end_of(self._emulator.rootpath / path)
        if isinstance(end, Unfinished):
            raise end.error
        result = result_of(self._emulator, end)
        self._session.add_job(result)
        if not end.passed:
            raise JobEndError(failure_text(end, result))
        return result

    def _hear(self, name: str, event: Event) -> None:
        """Nothing is shown while it runs."""


def result_of(emulator: SageMakerEmulator, report: JobReport) -> JobResult:
    """Return the result of a job file's job, as those of the other fixtures are."""
    kind = ProcessingResult if report.kind is PROCESSING else TrainingResult
    return kind(emulator, report.name, expected=report.job_file.expect.status.value)


def failure_text(report: JobReport, result: JobResult) -> str:
    """Say what does not hold, and how the job ended."""
    lines = [f"{report.path}: not everything that is expected holds.", *(f"  - {one}" for one in report.unmet)]
    return "\n".join([*lines, result.explanation()])
