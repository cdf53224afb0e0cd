"""Runs jobs side by side, each in a thread of a bounded pool, and stops them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from ..contract import life
from ..contract.life import Stage
from ..contract.outcome import Outcome
from ..contract.record import JobRecord
from ..contract.status import JobStatus, status_of
from .control import JobControl, Progress
from .job_run import JobRun, Platform


class Supervisor:
    """Starts jobs up to a number at once; the rest wait as jobs without capacity do: training jobs as Pending."""

    def __init__(self, platform: Platform, max_parallel_jobs: int) -> None:
        self._platform = platform
        self._most = max_parallel_jobs
        self._pool = ThreadPoolExecutor(max_workers=max_parallel_jobs, thread_name_prefix="job")
        self._lock = threading.Lock()
        self._running: dict[str, tuple[JobControl, Future[None]]] = {}

    def submit(self, record: JobRecord) -> None:
        """Run a job that was just created."""
        with self._lock:
            full = len(self._running) >= self._most
        if full:
            self._wait_for_capacity(record)
        self._start(record, self._pool)

    def take_up(self, records: Sequence[JobRecord]) -> None:
        """Go on with the jobs of an emulator that was killed, oldest first.

        All that may have containers are watched at once, however many jobs may run: they run already.
        """
        started = [one for one in records if life.running_since(one.kind, one.facts) is not None]
        if started:
            pool = ThreadPoolExecutor(max_workers=len(started), thread_name_prefix="taken-up-job")
            for record in started:
                self._start(record, pool)
            pool.shutdown(wait=False)
        for record in records:
            if record not in started:
                self.submit(record)

    def _start(self, record: JobRecord, pool: ThreadPoolExecutor) -> None:
        control = JobControl()
        if status_of(record.facts) == JobStatus.STOPPING:
            control.request_stop()
        with self._lock:
            future = pool.submit(JobRun(self._platform, record, control).run)
            self._running[record.arn] = (control, future)
        future.add_done_callback(lambda _: self._forget(record.arn, future))
        # StopTrainingJob may have come since the job was created, and have found nothing to stop.
        current = self._platform.jobs.get(record.arn)
        if current is not None and status_of(current.facts) == JobStatus.STOPPING:
            self.stop(current)

    def stop(self, record: JobRecord) -> None:
        """Stop a job whose status is Stopping already; one that still waits for a thread ends here."""
        with self._lock:
            running = self._running.get(record.arn)
        if running is None:
            return
        control, future = running
        if future.cancel():
            at = self._platform.clock.now()
            self._platform.jobs.update(
                record.arn,
                lambda current: current.with_facts(
                    life.ended(current.kind, current.facts, Outcome(status=JobStatus.STOPPED), at)
                ),
            )
        else:
            control.request_stop()

    def progress(self, arn: str) -> Progress:
        """Return how far the current stage of a job has come."""
        with self._lock:
            running = self._running.get(arn)
        return running[0].progress if running else Progress()

    def running(self) -> int:
        """Return how many jobs are running or waiting."""
        with self._lock:
            return len(self._running)

    def end_all(self) -> None:
        """End every job at once and wait until their containers are gone."""
        with self._lock:
            running = list(self._running.values())
        for control, future in running:
            if not future.cancel():
                control.request_shutdown()
        wait([future for _, future in running], timeout=60)

    def close(self) -> None:
        """End every job at once, wait until their containers are gone, take no more."""
        self.end_all()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _wait_for_capacity(self, record: JobRecord) -> None:
        at = self._platform.clock.now()
        self._platform.jobs.update(
            record.arn,
            lambda current: current.with_facts(
                life.entered(current.kind, current.facts, Stage.WAITING_FOR_CAPACITY, at)
            ),
        )

    def _forget(self, arn: str, future: Future[None]) -> None:
        with self._lock:
            if arn in self._running and self._running[arn][1] is future:
                del self._running[arn]
