"""The life of one job of any kind, in order."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..contract import life
from ..contract.environment import PlatformAccess
from ..contract.hands_on import NO_HANDS, HandsOn
from ..contract.job import STOP_GRACE_SECONDS, Job
from ..contract.life import Stage
from ..contract.metrics import final_metric_data
from ..contract.outcome import Ended, InternalServerError, JobFailure, Outcome, failed_outcome, first_failure
from ..contract.plan import ClusterPlan
from ..contract.processing_job import ProcessingJob
from ..contract.record import JobRecord
from ..contract.status import Facts, JobStatus, is_terminal, status_of
from ..contract.training_job import TrainingJob
from .cluster_plan import cluster_plan
from .container_view import document_of
from .control import JobControl, ShutdownRequestedError
from .control import Progress as ControlProgress
from .job_log import JobLog
from .kept import note_kept
from .ports import (
    AccessProvider,
    Clock,
    Cluster,
    CredentialIssuer,
    Engine,
    InstanceCatalog,
    JobStore,
    LogStore,
    MetricStore,
    ObjectStore,
    ViewStore,
)
from .processing_results import ProcessingResults
from .results import Results, Uploader, disk_problem
from .staging import HostTree, lay_out, plan_input, stage
from .training_results import TrainingResults

logger = logging.getLogger(__name__)

# After SIGKILL a container is gone at once, unless the engine itself is in trouble.
_KILL_DEADLINE_SECONDS = 60.0

# Seconds; then the next start of the emulator ends the job.
_SETTLE_AGAIN_AFTER = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 20.0)

# A job that waits for a person has no limit of the service's.
_FOR_A_PERSON_SECONDS = 30 * 86400.0
_PERSON_S_GRACE_SECONDS = 5.0

_STOPPED = Outcome(status=JobStatus.STOPPED)


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Everything a job needs from the world."""

    jobs: JobStore
    objects: ObjectStore
    logs: LogStore
    metrics: MetricStore
    views: ViewStore
    credentials: CredentialIssuer
    catalog: InstanceCatalog
    engine: Engine
    access: AccessProvider
    clock: Clock
    workspace: Path
    kept: Path
    limit_instances: bool = False
    hands_on: Callable[[], HandsOn] = lambda: NO_HANDS


class JobRun:
    """Takes one job from its creation to its end. `run` never raises: whatever happens becomes the job's end."""

    def __init__(self, platform: Platform, record: JobRecord, control: JobControl) -> None:
        self._platform = platform
        self._clock = platform.clock
        self._job = life.parse(record.kind, record.request, record.scope)
        self._record = record
        self._control = control
        self._hands_on = platform.hands_on()
        kept = platform.kept / record.unique_name
        # Also of an earlier emulator that was to keep what it runs.
        self._kept_at = kept if self._hands_on.keep or kept.exists() else None
        self._workspace = self._kept_at or platform.workspace / record.unique_name
        self._results = _results(self._job, Uploader(platform.objects, record.scope, self._workspace))
        self._log: JobLog | None = None

    def run(self) -> None:
        """Run the job to its end and settle its status.

        A job whose containers ran under an earlier emulator is taken up there; one whose did not starts again.
        """
        failure = self._failure()
        # First, as it makes room on a disk that is full.
        if self._kept_at is None or self._log is None:
            shutil.rmtree(self._workspace, ignore_errors=True)
        if failure is not None:
            self._fail(failure)
        if self._kept_at is not None and self._log is not None:
            note_kept(self._kept_at, self._platform.jobs.get(self._job.arn) or self._record, self._platform.engine.name)

    def _failure(self) -> JobFailure | None:
        """Run the job; return why it could not be settled by then."""
        try:
            running_since = life.running_since(self._job.kind, self._record.facts)
            if running_since is None:
                self._run()
            else:
                self._resume(running_since)
        except ShutdownRequestedError:
            return InternalServerError("the emulator was shut down while the job ran")
        except JobFailure as failure:
            return failure
        except Exception as error:
            logger.exception("The job %s met an error", self._job.arn)
            return self._internal(error)
        return None

    def _internal(self, error: Exception) -> InternalServerError:
        if isinstance(error, OSError):
            return InternalServerError(disk_problem(error, self._platform.workspace.parent))
        return InternalServerError(f"{type(error).__name__}: {error}")

    def _run(self) -> None:
        self._enter(Stage.PREPARING)
        if self._control.stop_requested:
            return self._settle(_STOPPED)
        self._enter(Stage.DOWNLOADING_INPUT)
        try:
            trees = self._stage()
        except _StopRequested:
            return self._settle(_STOPPED)
        self._enter(Stage.DOWNLOADING_IMAGE)
        image = self._platform.engine.require_image(self._job.image)
        with self._access() as access:
            plan = self._plan(image, trees, access)
            with self._platform.engine.cluster(plan) as cluster:
                self._platform.views.put(self._record.unique_name, document_of(plan, cluster.given(), trees))
                self._begin(cluster)
        return None

    def _begin(self, cluster: Cluster) -> None:
        running_since = life.running_since(self._job.kind, self._enter(Stage.RUNNING))
        if running_since is None or self._control.stop_requested:
            return self._settle(_STOPPED)
        return self._see_through(cluster, running_since, taken_up=False)

    def _resume(self, running_since: float) -> None:
        """Go on where an earlier emulator was killed while the containers ran, or after they had ended."""
        trees = {host.name: HostTree(self._workspace / host.name, host) for host in self._job.hosts}
        with self._access() as access:
            plan = self._plan(self._job.image, trees, access)
            with self._platform.engine.resume(plan) as cluster:
                self._see_through(cluster, running_since, taken_up=True)

    def _see_through(self, cluster: Cluster, running_since: float, *, taken_up: bool) -> None:
        """Start the containers, see them end, keep what they made, and settle. What follows is clean-up."""
        self._log = JobLog(
            self._job,
            self._results.metric_definitions,
            running_since,
            logs=self._platform.logs,
            metrics=self._platform.metrics,
            clock=self._clock,
            taken_up=taken_up,
        )
        self._control.progress = ControlProgress()
        cluster.start(self._log.write, self._control.wake)
        with self._results.while_running(cluster):
            ended = self._until_ended(cluster, self._deadline(running_since))
        lost_log = self._log_error()
        seen_at = self._clock.now()
        self._enter(Stage.UPLOADING)
        outcome = self._results.collect(
            cluster, ended, cluster.exits(), lambda stage: self._progress(stage, 0, interruptible=False)
        )
        if lost_log is not None and outcome.status is JobStatus.COMPLETED:
            outcome = failed_outcome(lost_log.failure_reason)
        return self._settle(outcome, failed_at=seen_at)

    def _log_error(self) -> JobFailure | None:
        """Finish the log; what the job has made is kept also if not all of it could be written."""
        assert self._log is not None
        try:
            self._log.finish()
        except Exception as error:  # noqa: BLE001 - it was logged when it was met
            return self._internal(error)
        return None

    # Before the containers run

    def _stage(self) -> dict[str, HostTree]:
        objects, job = self._platform.objects, self._job
        self._workspace.mkdir(parents=True)
        planned = [plan_input(objects, job.scope, data, self._workspace) for data in job.input_data]
        advance = self._progress("Downloading input data", sum(one.size for one in planned))
        trees = {}
        for host in job.hosts:
            tree = trees[host.name] = lay_out(self._workspace / host.name, job, host)
            stage(objects, job.scope, planned, tree, advance)
        return trees

    @contextmanager
    def _access(self) -> Iterator[PlatformAccess | None]:
        """Issue the role's credentials for as long as the containers run; an isolated job gets none."""
        if self._job.network_isolation:
            yield None
            return
        job, credentials, key = self._job, self._platform.credentials, self._record.unique_name
        try:
            yield self._platform.access.access_for(credentials.issue(key, job.scope, job.role_arn, job.name))
        finally:
            try:
                credentials.revoke(key)
            except Exception as error:  # noqa: BLE001 - the next start does it; the job's own end counts
                logger.warning("The credentials of %s are still valid: %s", job.arn, error)

    def _plan(self, image: str, trees: dict[str, HostTree], access: PlatformAccess | None) -> ClusterPlan:
        return cluster_plan(
            self._job,
            self._record.unique_name,
            workspace=self._workspace,
            image=image,
            trees=trees,
            access=access,
            limits=self._platform.catalog.resources if self._platform.limit_instances else lambda _: None,
            kept_at=self._kept_at,
            hands_on=self._hands_on,
        )

    # While they run

    def _until_ended(self, cluster: Cluster, deadline: float) -> Ended:
        """Wait for the containers' end, a stop request or the time limit."""
        while True:
            exits = cluster.exits()
            if len(exits) == len(self._job.hosts):
                return self._why_ended()
            if self._control.stop_requested:
                self._end(cluster)
                return Ended.STOP_REQUESTED
            remaining = self._clock.remaining(deadline)
            if not remaining or self._out_of_time.exists():
                self._out_of_time.touch()
                self._end(cluster)
                return Ended.MAX_RUNTIME
            if first_failure(exits) is not None:
                # Unconfirmed: hosts that wait for the failed one would otherwise wait until their time is over.
                self._end(cluster)
                return Ended.BY_ITSELF
            self._control.wait(remaining)

    def _deadline(self, running_since: float) -> float:
        if self._hands_on.takes_its_time:
            return self._clock.unscaled_deadline(_FOR_A_PERSON_SECONDS)
        return self._clock.deadline(self._job.max_runtime_seconds, since=running_since)

    @property
    def _out_of_time(self) -> Path:
        """A file that is there once the containers were told to end for their time: see `_why_ended`."""
        return self._workspace / "out-of-time"

    def _why_ended(self) -> Ended:
        """Tell why containers have ended that all did; an earlier emulator may have ended them."""
        if self._control.stop_requested:
            return Ended.STOP_REQUESTED
        return Ended.MAX_RUNTIME if self._out_of_time.exists() else Ended.BY_ITSELF

    def _end(self, cluster: Cluster) -> None:
        """SIGTERM, 120 seconds, SIGKILL: what a stop request and MaxRuntimeInSeconds do alike.

        A program that waits for a person's debugger may not hear SIGTERM, and the person is done with it.
        """
        cluster.terminate()
        clock = self._clock
        soon = self._hands_on.takes_its_time
        if not self._all_ended_by(
            cluster, clock.unscaled_deadline(_PERSON_S_GRACE_SECONDS) if soon else clock.deadline(STOP_GRACE_SECONDS)
        ):
            cluster.kill()
            if not self._all_ended_by(cluster, self._clock.unscaled_deadline(_KILL_DEADLINE_SECONDS)):
                raise InternalServerError(
                    f"a container of the job did not end within {_KILL_DEADLINE_SECONDS:.0f} s of SIGKILL"
                )

    def _all_ended_by(self, cluster: Cluster, deadline: float) -> bool:
        while len(cluster.exits()) < len(self._job.hosts):
            remaining = self._clock.remaining(deadline)
            if not remaining:
                return False
            self._control.wait(remaining)
            _ = self._control.stop_requested  # a shutdown goes before
        return True

    # Telling

    def _enter(self, stage: Stage) -> Facts:
        """Return the facts with the stage entered; a job that is being stopped enters few."""
        at = self._clock.now()
        changed = self._update(lambda record: record.with_facts(life.entered(self._job.kind, record.facts, stage, at)))
        return self._record.facts if changed is None else changed.facts

    def _fail(self, failure: JobFailure) -> None:
        """Settle the job as Failed; where the disk is full, when there is room again."""
        failed_at = self._clock.now()
        for pause in _SETTLE_AGAIN_AFTER:
            try:
                return self._settle(failed_outcome(failure.failure_reason), failed_at=failed_at)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody else will end the job
                logger.warning("The end of %s cannot be stored: %s", self._job.arn, error)
                time.sleep(pause)
        return self._settle(failed_outcome(failure.failure_reason), failed_at=failed_at)

    def _settle(self, outcome: Outcome, *, failed_at: float | None = None) -> None:
        """Make the job's end known: metrics, then the terminal status, in one step."""
        at = self._clock.now()
        last_values = self._log.last_values if self._log is not None else {}
        metrics = final_metric_data(self._results.metric_definitions, last_values)

        def end(record: JobRecord) -> JobRecord:
            if is_terminal(record.facts):
                return record
            facts = life.ended(self._job.kind, record.facts, _stopped_if_asked(record, outcome), at, failed_at)
            return record.with_facts({**facts, "FinalMetricDataList": metrics} if metrics else facts)

        self._update(end)

    def _update(self, change: Callable[[JobRecord], JobRecord]) -> JobRecord | None:
        """Change this job's record: not that of a later job which got the name of a deleted one."""
        return self._platform.jobs.update(
            self._job.arn, lambda record: change(record) if record.number == self._record.number else record
        )

    def _progress(self, stage: str, total: int, *, interruptible: bool = True) -> Callable[[int], None]:
        """Return what to call with each number of bytes moved; a stop request surfaces there."""
        self._control.progress = ControlProgress(stage=stage, total_bytes=total)

        def advance(moved: int) -> None:
            current = self._control.progress
            self._control.progress = replace(current, done_bytes=current.done_bytes + moved)
            if self._control.stop_requested and interruptible:
                raise _StopRequested

        return advance


class _StopRequested(Exception):  # noqa: N818 - a signal between two methods of this file
    """A stop was requested while data was being staged."""


def _results(job: Job, uploader: Uploader) -> Results:
    match job:
        case TrainingJob():
            return TrainingResults(job, uploader)
        case ProcessingJob():
            return ProcessingResults(job, uploader)
        case _:
            raise TypeError(f"{type(job).__name__} is no kind of job")


def _stopped_if_asked(record: JobRecord, outcome: Outcome) -> Outcome:
    """A job that was being stopped ends Stopped, also if its containers had ended well by themselves.

    One that had failed before the stop, or whose output is lost, still says so.
    """
    stopping = status_of(record.facts) == JobStatus.STOPPING
    if stopping and outcome.status is JobStatus.COMPLETED:
        return replace(outcome, status=JobStatus.STOPPED)
    return outcome
