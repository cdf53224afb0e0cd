"""Runs job files against an endpoint: images and data first, then each job once those before it are done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from ..errors import EmulatorError, EndpointUnavailableError, UsageError
from .clients import Clients, service_errors
from .data import files_of, make_buckets, store
from .document import DataEntry, ImageBuild, JobFile
from .events import ImageReady, JobEnded, OnEvent, OnJobEvent
from .held_signals import HeldSignals
from .images import ensure_image
from .job_file_run import BY_INTERRUPT, JobFileRun
from .programs import register_programs
from .report import End, JobReport, Unfinished

_SHORTEST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.2


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
    (end,) = run_jobs([job_file], clients, lambda _, event: on_event(event))
    if isinstance(end, Unfinished):
        raise end.error
    return end


def check_jobs(job_files: Sequence[JobFile], clients: Clients) -> None:
    """Check job files as far as that can be done without an endpoint: their requests, and that their data is there.

    Raises:
        UsageError: with one line for each thing that is wrong.
    """
    kinds = {one.name: one.kind for one in job_files}
    for one in job_files:
        run = JobFileRun(one, replace(clients, runs_images=partial(bool, one.image)), lambda _: None)
        run.check(kinds)
        for entry in one.data:
            _files(run, entry)


def run_jobs(
    job_files: Sequence[JobFile],
    clients: Clients,
    on_event: OnJobEvent,
    ended: Mapping[str, End] | None = None,
    *,
    before: Callable[[str], bool] = lambda _: False,
) -> list[End]:
    """Run job files that are in order (see plan.py), side by side what does not wait for another; check all.

    A job whose request is refused, and one behind a job that has not passed, is an `Unfinished`; the others run.
    A KeyboardInterrupt stops what runs, waits for it and starts nothing more; a second one gives up.
    `ended` are the ends of job files that were run before and that these may wait for, by their names. `before` hears
    the name of each job file whose job is about to be created, and says whether that job waits for a person: then it
    has all the time that it needs.

    Raises:
        UsageError: before any job has started: a file, or an image's build, is wrong.
        EmulatorError: the endpoint or the engine failed.
    """
    with service_errors():
        earlier = ended or {}
        runs = {one.name: JobFileRun(one, clients, _told_by(one.name, on_event)) for one in job_files}
        kinds = {name: one.job_file.kind for name, one in {**earlier, **runs}.items()}
        for run in runs.values():
            run.check(kinds)
        data = [(run, entry, _files(run, entry)) for run in runs.values() for entry in run.job_file.data]
        if clients.runs_images():
            _make_images(list(runs.values()))
        else:
            register_programs([(run.job_file, run.image, run.tell) for run in runs.values()], clients)
        for run, entry, files in data:
            _store(clients, run, entry, files)
        return _Jobs(runs, earlier, before).to_their_ends()


def _told_by(name: str, on_event: OnJobEvent) -> OnEvent:
    return lambda event: on_event(name, event)


def _make_images(runs: Sequence[JobFileRun]) -> None:
    """Have every image there, each once; told by the first job that needs it."""
    first: dict[str, JobFileRun] = {}
    for run in runs:
        first.setdefault(run.image, run)
    for run in first.values():
        if isinstance(run.job_file.image, ImageBuild):
            ensure_image(run.job_file.image, run.image, run.tell)
        else:
            run.tell(ImageReady(name=run.image))


def _files(run: JobFileRun, entry: DataEntry) -> list[Path]:
    try:
        return files_of(entry, run.job_file.yaml)
    except OSError as error:
        raise _unreadable(run, entry, error) from error


def _store(clients: Clients, run: JobFileRun, entry: DataEntry, files: list[Path]) -> None:
    try:
        make_buckets(clients, [entry.destination.bucket])
    except UsageError as error:
        raise run.job_file.yaml.error(entry.at, f"{error}.") from error
    try:
        store(clients, entry, files, run.tell)
    except OSError as error:
        raise _unreadable(run, entry, error) from error


def _unreadable(run: JobFileRun, entry: DataEntry, error: OSError) -> UsageError:
    return run.job_file.yaml.error(
        entry.at, f"{error.filename or entry.source} cannot be read: {error.strerror or error}."
    )


class _Jobs:
    """Jobs that wait, jobs that run, and the ends of the others, by the names of their files."""

    def __init__(self, runs: dict[str, JobFileRun], ended: Mapping[str, End], before: Callable[[str], bool]) -> None:
        self._runs = runs
        self._before = before
        self._waiting = dict(runs)
        self._running: dict[str, JobFileRun] = {}
        self._ends: dict[str, End] = dict(ended)
        self._interrupted = False

    def to_their_ends(self) -> list[End]:
        """Start and follow all jobs in one thread: nothing here takes time but the jobs themselves."""
        pause = _SHORTEST_PAUSE
        with HeldSignals() as signals:
            while self._waiting or self._running:
                try:
                    news = self._start() + self._look()
                    pause = _SHORTEST_PAUSE if news else min(_LONGEST_PAUSE, pause * 1.2)
                    signals.pause(pause if self._running else 0)
                except KeyboardInterrupt:
                    if self._interrupted:
                        raise
                    self._interrupted = True
                    self._stop_all()
        return [self._ends[name] for name in self._runs]

    def _start(self) -> int:
        """Start every job that waits for none any more; return how many."""
        ready = [run for run in self._waiting.values() if all(name in self._ends for name in run.job_file.after)]
        for run in ready:
            self._start_one(run)
        return len(ready)

    def _start_one(self, run: JobFileRun) -> None:
        name = run.job_file.name
        ends = {other: self._ends[other] for other in run.job_file.after}
        failed = [other for other, end in ends.items() if not end.passed]
        if failed:
            before = ends[failed[0]]
            how = "was skipped" if isinstance(before, Unfinished) and before.skipped else "failed"
            self._end(name, _skipped(run, f"{failed[0]} {how}"))
            return
        try:
            with service_errors():
                run.takes_its_time = self._before(name)
                run.create({other: end.description for other, end in ends.items() if isinstance(end, JobReport)})
        except EndpointUnavailableError:
            raise
        except EmulatorError as error:
            self._end(name, Unfinished(job_file=run.job_file, error=error))
        else:
            self._running[name] = self._waiting.pop(name)

    def _look(self) -> int:
        """Tell what is new of every job that runs, and take the ends of those that have ended."""
        news = 0
        for name, run in list(self._running.items()):
            try:
                with service_errors():
                    news += run.look()
                    if run.has_ended:
                        self._end(name, run.report())
            except EndpointUnavailableError:
                raise
            except EmulatorError as error:
                self._end(name, Unfinished(job_file=run.job_file, error=error))
        return news

    def _stop_all(self) -> None:
        for name, run in list(self._waiting.items()):
            self._end(name, _skipped(run, BY_INTERRUPT))
        for run in self._running.values():
            if not run.has_ended:
                run.stop(BY_INTERRUPT)

    def _end(self, name: str, end: End) -> None:
        self._ends[name] = end
        self._waiting.pop(name, None)
        self._running.pop(name, None)
        self._runs[name].tell(JobEnded(passed=end.passed, what=end.verdict))


def _skipped(run: JobFileRun, why: str) -> Unfinished:
    return Unfinished(job_file=run.job_file, error=EmulatorError(f"skipped: {why}"), skipped=True)
