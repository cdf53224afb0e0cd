"""The life of one training job, in order."""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..contract import paths, status
from ..contract.arns import S3Uri, instance_hostname
from ..contract.environment import PlatformAccess, container_environment, platform_environment
from ..contract.job import STOP_GRACE_SECONDS
from ..contract.metrics import final_metric_data
from ..contract.outcome import (
    ArtifactUploadError,
    Ended,
    InternalServerError,
    JobFailure,
    Outcome,
    failed_outcome,
    first_failure,
    settle,
)
from ..contract.plan import ClusterPlan, ContainerPlan
from ..contract.record import JobRecord
from ..contract.status import JobStatus, SecondaryStatus
from ..contract.training_job import TrainingJob
from .artifacts import pack
from .control import JobControl, Progress, ShutdownRequestedError
from .job_log import JobLog
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
    ObjectMissingError,
    ObjectStore,
)
from .staging import HostTree, lay_out, plan_channel, stage_channel

logger = logging.getLogger(__name__)

# After SIGKILL a container is gone at once, unless the engine itself is in trouble.
_KILL_DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Everything a job needs from the world."""

    jobs: JobStore
    objects: ObjectStore
    logs: LogStore
    metrics: MetricStore
    credentials: CredentialIssuer
    catalog: InstanceCatalog
    engine: Engine
    access: AccessProvider
    clock: Clock
    workspace: Path
    limit_instances: bool = False


class TrainingJobRun:
    """Takes one job from Starting to its end. `run` never raises: whatever happens becomes the job's end."""

    def __init__(self, platform: Platform, record: JobRecord, control: JobControl) -> None:
        self._platform = platform
        self._clock = platform.clock
        self._job = TrainingJob.parse(record.request, record.scope)
        self._record = record
        self._control = control
        self._workspace = platform.workspace / record.unique_name
        self._log: JobLog | None = None

    def run(self) -> None:
        """Run the job to its end and settle its status.

        A job whose containers ran under an earlier emulator is taken up there; one whose did not starts again.
        """
        try:
            if status.training_since(self._record.facts) is None:
                self._run()
            else:
                self._resume()
        except ShutdownRequestedError:
            self._fail(InternalServerError("the emulator was shut down while the job ran"))
        except JobFailure as failure:
            self._fail(failure)
        except OSError as error:
            logger.exception("The job %s met an error of the disk", self._job.arn)
            self._fail(InternalServerError(self._disk_problem(error)))
        except Exception as error:
            logger.exception("The job %s met an error of the emulator", self._job.arn)
            self._fail(InternalServerError(f"{type(error).__name__}: {error}"))
        finally:
            shutil.rmtree(self._workspace, ignore_errors=True)

    def _run(self) -> None:
        if self._record.facts["SecondaryStatus"] != SecondaryStatus.DOWNLOADING:
            self._enter(SecondaryStatus.PENDING, status.PREPARING_INSTANCES)
        if self._control.stop_requested:
            return self._settle(settle(Ended.STOP_REQUESTED, (), ""))
        self._enter(SecondaryStatus.DOWNLOADING, status.DOWNLOADING_INPUT)
        try:
            trees = self._stage()
        except _StopRequested:
            return self._settle(settle(Ended.STOP_REQUESTED, (), ""))
        self._enter(SecondaryStatus.DOWNLOADING, status.DOWNLOADING_IMAGE)
        image = self._platform.engine.require_image(self._job.image)
        with self._access() as access, self._platform.engine.cluster(self._plan(image, trees, access)) as cluster:
            started_at = status.training_since(self._enter(SecondaryStatus.TRAINING, status.TRAINING))
            if started_at is None or self._control.stop_requested:
                return self._settle(settle(Ended.STOP_REQUESTED, (), ""))
            self._train(cluster, started_at, taken_up=False)
        return None

    def _resume(self) -> None:
        """Go on where an earlier emulator was killed while the containers ran, or after they had ended."""
        started_at = status.training_since(self._record.facts)
        assert started_at is not None, "see run()"
        trees = {host.name: HostTree(self._workspace / host.name) for host in self._job.hosts}
        with self._access() as access:
            plan = self._plan(self._job.image, trees, access)
            with self._platform.engine.resume(plan) as cluster:
                self._train(cluster, started_at, taken_up=True)

    def _train(self, cluster: Cluster, started_at: float, *, taken_up: bool) -> None:
        """Start the containers, see them end, keep what they made, and settle. What follows is clean-up."""
        self._log = JobLog(
            self._job,
            started_at,
            logs=self._platform.logs,
            metrics=self._platform.metrics,
            clock=self._clock,
            taken_up=taken_up,
        )
        self._control.progress = Progress()
        cluster.start(self._log.write, self._control.wake)
        ended = self._until_ended(cluster, self._clock.deadline(self._job.max_runtime_seconds, since=started_at))
        self._log.finish()
        seen_at = self._clock.now()
        exits = cluster.exits()
        failed = first_failure(exits)
        failure_text = (
            cluster.read_text(failed.host, paths.FAILURE, limit=1024)
            if failed is not None and ended is Ended.BY_ITSELF
            else ""
        )
        outcome = settle(ended, exits, failure_text)
        self._enter(SecondaryStatus.UPLOADING, status.UPLOADING)
        lost = self._upload_all(cluster)
        if lost is not None and outcome.status is not JobStatus.FAILED:
            outcome = failed_outcome(lost.failure_reason)
        return self._settle(outcome, failed_at=seen_at)

    # Staging

    def _stage(self) -> dict[str, HostTree]:
        platform, job = self._platform, self._job
        planned = [plan_channel(platform.objects, job.scope, channel) for channel in job.channels]
        total = sum(one.size for one in planned) * len(job.hosts)
        advance = self._progress("Downloading input data", total)
        self._workspace.mkdir(parents=True)
        trees = {}
        for host in job.hosts:
            tree = trees[host.name] = lay_out(self._workspace / host.name, job, host)
            for one in planned:
                stage_channel(platform.objects, job.scope, one, tree, advance)
        return trees

    @contextmanager
    def _access(self) -> Iterator[PlatformAccess | None]:
        """Issue the role's credentials for as long as the containers run; an isolated job gets none."""
        if self._job.network_isolation:
            yield None
            return
        job, credentials = self._job, self._platform.credentials
        try:
            yield self._platform.access.access_for(credentials.issue(job.arn, job.scope, job.role_arn, job.name))
        finally:
            credentials.revoke(job.arn)

    def _plan(self, image: str, trees: dict[str, HostTree], access: PlatformAccess | None) -> ClusterPlan:
        job = self._job
        platform_variables = platform_environment(job, access)
        environment = container_environment(platform_variables, job.environment)
        entrypoint, command = job.command
        return ClusterPlan(
            unique_name=self._record.unique_name,
            image=image,
            isolated=job.network_isolation,
            host_alias=access.host_alias if access is not None else None,
            labels={"job": job.arn, "job-name": job.name},
            containers=tuple(
                ContainerPlan(
                    host=host.name,
                    hostname=instance_hostname(job.arn, host.name, job.scope.region),
                    entrypoint=entrypoint,
                    command=command,
                    environment=environment,
                    mounts=trees[host.name].mounts,
                    limits=self._platform.catalog.resources(host.instance_type)
                    if self._platform.limit_instances
                    else None,
                )
                for host in job.hosts
            ),
        )

    # Watching

    def _until_ended(self, cluster: Cluster, deadline: float) -> Ended:
        """Wait for the containers' end, a stop request or the time limit."""
        while True:
            exits = cluster.exits()
            if len(exits) == len(self._job.hosts):
                return self._why_ended()
            if first_failure(exits) is not None:
                self._end(cluster)
                return Ended.BY_ITSELF
            if self._control.stop_requested:
                self._end(cluster)
                return Ended.STOP_REQUESTED
            remaining = self._clock.remaining(deadline)
            if not remaining:
                self._out_of_time.touch()
                self._end(cluster)
                return Ended.MAX_RUNTIME
            self._control.wait(remaining)

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
        """SIGTERM, 120 seconds, SIGKILL: what StopTrainingJob and MaxRuntimeInSeconds do alike."""
        cluster.terminate()
        if not self._all_ended_by(cluster, self._clock.deadline(STOP_GRACE_SECONDS)):
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

    # Collecting

    def _upload_all(self, cluster: Cluster) -> JobFailure | None:
        """Store the model and the other output, each whether or not the other can be; return what went wrong.

        A job that has failed already keeps its own reason, which is what its author needs.
        """
        lost: JobFailure | None = None
        for path, destination in (
            (paths.MODEL, self._job.model_artifacts),
            (paths.OUTPUT_DATA, self._job.output_artifacts),
        ):
            try:
                self._upload(cluster, path, destination)
            except JobFailure as failure:
                lost = lost or failure
            except OSError as error:
                lost = lost or ArtifactUploadError(f"Unable to upload {destination} ({self._disk_problem(error)})")
        if lost is not None:
            logger.warning("%s: %s", self._job.arn, lost)
        return lost

    def _disk_problem(self, error: OSError) -> str:
        """Say what is wrong with our disk, and what to do about it."""
        where = self._platform.workspace.parent
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"no space is left below {where}: free some, or start the emulator with another --state-dir"
        return f"{type(error).__name__}: {error}"

    def _upload(self, cluster: Cluster, path: PurePosixPath, destination: S3Uri) -> None:
        """Pack what every host has below a directory and store it; an empty one gives no object."""
        advance = self._progress(f"Uploading {destination}", 0, interruptible=False)
        members = (member for host in self._job.hosts for member in cluster.tree(host.name, path))
        archive = self._workspace / PurePosixPath(destination.key).name
        if not pack(members, archive, advance):
            return
        try:
            self._platform.objects.upload(self._job.scope, archive, destination)
        except ObjectMissingError as error:
            raise ArtifactUploadError(f"Unable to upload {destination} ({error})") from error
        archive.unlink()

    # Telling

    def _enter(self, secondary: SecondaryStatus, message: str) -> status.Facts:
        """Return the facts with the status entered; a job that is being stopped enters few."""
        at = self._clock.now()
        changed = self._update(lambda record: record.with_facts(status.entered(record.facts, secondary, message, at)))
        return self._record.facts if changed is None else changed.facts

    def _fail(self, failure: JobFailure) -> None:
        self._settle(failed_outcome(failure.failure_reason), failed_at=self._clock.now())

    def _settle(self, outcome: Outcome, *, failed_at: float | None = None) -> None:
        """Make the job's end known: metrics, then the terminal status, in one step."""
        at = self._clock.now()
        metrics = (
            final_metric_data(self._job.metric_definitions, self._log.last_values) if self._log is not None else []
        )

        def end(record: JobRecord) -> JobRecord:
            if status.is_terminal(record.facts):
                return record
            final = _stopped_if_asked(record, outcome)
            facts = status.ended(
                record.facts,
                final.status,
                final.secondary,
                at=at,
                failure_reason=final.failure_reason,
                failed_at=failed_at if final.status is JobStatus.FAILED else None,
            )
            return record.with_facts({**facts, "FinalMetricDataList": metrics} if metrics else facts)

        self._update(end)

    def _update(self, change: Callable[[JobRecord], JobRecord]) -> JobRecord | None:
        """Change this job's record: not that of a later job which got the name of a deleted one."""
        return self._platform.jobs.update(
            self._job.arn,
            lambda record: change(record) if record.number == self._record.number else record,
        )

    def _progress(self, stage: str, total: int, *, interruptible: bool = True) -> Callable[[int], None]:
        """Return what to call with each number of bytes moved; a stop request surfaces there."""
        self._control.progress = Progress(stage=stage, total_bytes=total)

        def advance(moved: int) -> None:
            current = self._control.progress
            self._control.progress = replace(current, done_bytes=current.done_bytes + moved)
            if self._control.stop_requested and interruptible:
                raise _StopRequested

        return advance


class _StopRequested(Exception):  # noqa: N818 - a signal between two methods of this file
    """StopTrainingJob was called while data was being staged."""


def _stopped_if_asked(record: JobRecord, outcome: Outcome) -> Outcome:
    """A job that was being stopped ends Stopped, also if its containers had ended well by themselves.

    One that had failed before the stop, or whose output is lost, still says so.
    """
    stopping = record.facts["TrainingJobStatus"] == JobStatus.STOPPING
    if stopping and outcome.status is JobStatus.COMPLETED:
        return settle(Ended.STOP_REQUESTED, (), "")
    return outcome
