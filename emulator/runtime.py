"""The emulator as one object: the place where parts are joined, started and ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

from .config import Settings
from .contract.arns import Scope
from .contract.environment import METADATA_HOST, PlatformAccess
from .contract.kinds import KINDS, JobKind
from .contract.life import running_since
from .contract.record import JobRecord
from .engines import engine_named
from .errors import UsageError
from .experiments.job_components import JobComponents
from .experiments.lineage import Lineage
from .experiments.metrics import Metrics
from .experiments.searching import Searching
from .experiments.tracking import Tracking
from .jobs.clock import SystemClock
from .jobs.container_view import ContainerViews
from .jobs.job_run import Platform
from .jobs.jobs import Jobs
from .jobs.observed import ObservedJobStore, ObservedMetricStore, unharmed
from .jobs.ports import AccessProvider, Engine, Owner, Programs
from .jobs.supervisor import Supervisor
from .storage.bucket_journal import FOLDER as BUCKETS_FOLDER
from .storage.bucket_journal import BucketJournal
from .storage.container_views import VIEWS_FOLDER, ContainerViewFiles
from .storage.credentials import RoleCredentials
from .storage.database import FILE_NAME, Database
from .storage.experiments.associations import SqliteAssociationStore
from .storage.experiments.entities import SqliteEntityStore
from .storage.experiments.metric_values import SqliteMetricValueStore
from .storage.instance_types import Ec2InstanceCatalog
from .storage.job_records import SqliteJobStore
from .storage.log_files import LOGS_FOLDER, LogFiles
from .storage.moto_buckets import MotoBuckets
from .storage.moto_services import MotoServices
from .storage.objects.index import OBJECTS_FOLDER
from .storage.objects.model import ObjectStore
from .storage.objects.store import DiskObjectStore
from .storage.platform_objects import PlatformObjects
from .storage.state_dir import StateDirectory
from .storage.telemetry import MotoMetricStore

logger = logging.getLogger(__name__)

LOOPBACK: Final = "http://127.0.0.1:"


class ContainerAccess:
    """How containers reach the endpoint; known once the endpoint listens."""

    def __init__(self, credentials: RoleCredentials) -> None:
        self._credentials = credentials
        self.endpoint_url = ""
        self.host_alias: str | None = None
        self.serves_metadata_port = False

    def access_for(self, credentials_id: str) -> PlatformAccess:
        """Return the variables that lead a container's clients to the endpoint and to its role.

        The service's own way needs port 80 of 169.254.170.2, which only one process of a machine can
        have and only root may open. The next best is a full URI, which SDKs accept at this address and
        on loopback alone; where containers reach us at neither, the keys themselves are given.
        """
        path = f"/v2/credentials/{credentials_id}"
        issued = self._credentials.fetch(credentials_id)
        if self.serves_metadata_port:
            variables = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": path}
        elif METADATA_HOST in self.endpoint_url or self.endpoint_url.startswith(LOOPBACK):
            variables = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.endpoint_url}{path}"}
        elif issued is not None:
            variables = {
                "AWS_ACCESS_KEY_ID": issued.access_key_id,
                "AWS_SECRET_ACCESS_KEY": issued.secret_access_key,
                "AWS_SESSION_TOKEN": issued.token,
            }
        else:
            variables = {}
        return PlatformAccess(endpoint_url=self.endpoint_url, credentials=variables, host_alias=self.host_alias)


_: type[AccessProvider] = ContainerAccess


def _check(settings: Settings, engine: Engine) -> None:
    """Refuse what is asked of an engine that cannot do it.

    Raises:
        UsageError: naming the option.
    """
    can = engine.capabilities
    for asked, able, option, what in (
        (settings.limit_instances, can.instance_limits, "--limit-instances", "limit programs to an instance type"),
        (settings.copy_data, can.other_machine, "--copy-data", "run anything on another disk than this one"),
    ):
        if asked and not able:
            raise UsageError(f"The {engine.name} engine cannot {what}. Leave out {option}, or use --engine docker.")


class Emulator:
    """A local SageMaker without its HTTP endpoint. Use it as a context; leaving it ends every job.

    Raises:
        EngineUnavailableError: the engine of the settings cannot be used.
        UsageError: the state directory cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # Of jobs that are created from now on.
        self.hands_on = settings.hands_on
        self._open = ExitStack()
        with ExitStack() as opened:
            state = self._state = StateDirectory(settings.state_dir)
            # Jobs of a killed emulator; a start that fails leaves them to the next one.
            self._waiting: list[str] = []
            opened.callback(lambda: state.close(keep=self._waiting))
            self.clock = SystemClock(settings.time_scale)
            database = Database(state.path / FILE_NAME)
            opened.callback(database.close)
            self.records = SqliteJobStore(database)
            views = ContainerViewFiles(state.path / VIEWS_FOLDER)
            self.logs = LogFiles(state.path / LOGS_FOLDER, database, self.clock.now)
            opened.callback(self.logs.close)
            self.services = MotoServices()
            store = DiskObjectStore(state.path / OBJECTS_FOLDER)
            opened.callback(store.close)
            self.objects: ObjectStore = store
            self.buckets = MotoBuckets(self.services, store, BucketJournal(state.path / BUCKETS_FOLDER))
            self.credentials = RoleCredentials(database)
            self.container_access = ContainerAccess(self.credentials)
            self._unfinished = self.records.unfinished()
            self._waiting = [
                one.unique_name for one in self._unfinished if running_since(one.kind, one.facts) is not None
            ]
            self.credentials.revoke_others([one.unique_name for one in self._unfinished])
            owner = Owner(identity=state.identity, lock=state.lock, recovery_window=settings.recovery_window)
            self.engine: Engine = engine_named(
                settings.engine, owner, workspace=state.workspace, keep=self._waiting, copy_data=settings.copy_data
            )
            opened.callback(lambda: self.engine.close(keep=self._waiting))
            _check(settings, self.engine)
            state.tidy(keep=self._waiting)
            entities = self.entities = SqliteEntityStore(database)
            metric_values = self.metric_values = SqliteMetricValueStore(database)
            self.tracking = Tracking(entities, metric_values, self.clock)
            self.lineage = Lineage(SqliteAssociationStore(database), entities, self.clock)
            self.metrics = Metrics(metric_values, entities, self.clock)
            self.searching = Searching(entities, metric_values, self.records)
            self.job_components = JobComponents(entities, metric_values, self.records)
            jobs = ObservedJobStore(self.records, self.job_components)
            platform = Platform(
                jobs=jobs,
                objects=PlatformObjects(store, self.buckets.owns, self.buckets.versioning),
                logs=self.logs,
                metrics=ObservedMetricStore(MotoMetricStore(), self.records, self.job_components),
                views=views,
                credentials=self.credentials,
                catalog=Ec2InstanceCatalog(),
                engine=self.engine,
                access=self.container_access,
                clock=self.clock,
                workspace=state.workspace,
                kept=state.kept,
                limit_instances=settings.limit_instances,
                hands_on=lambda: self.hands_on,
            )
            self.supervisor = Supervisor(platform, settings.max_parallel_jobs)
            opened.callback(self.supervisor.close)
            self.jobs: Mapping[JobKind, Jobs] = {
                kind: Jobs(
                    kind,
                    jobs,
                    views,
                    objects=platform.objects,
                    clock=self.clock,
                    supervisor=self.supervisor,
                )
                for kind in KINDS
            }
            self.container_views = ContainerViews(views, self.engine)
            self.on_reset: list[Callable[[], None]] = [
                self.records.clear,
                entities.clear,
                views.clear,
                self.logs.clear,
                self.buckets.clear,
                self.services.reset,
            ]
            self._open = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def programs(self) -> Programs:
        """The programs that run in the place of images.

        Raises:
            UsageError: the engine has images.
        """
        if self.engine.programs is None:
            raise UsageError(
                f"The {self.engine.name} engine runs images, not programs. Leave the program out, or use an engine "
                "without images: --engine process"
            )
        return self.engine.programs

    def create_job(self, kind: JobKind, scope: Scope, request: Mapping[str, Any]) -> JobRecord:
        """Start a job that a valid request asks for; whoever starts one does it here.

        Raises:
            ServiceError: its experiment, its data or its name does not allow it.
        """
        self.tracking.check_config(scope, request)
        return self.jobs[kind].create(scope, request)

    def take_up_jobs(self) -> None:
        """Go on with the jobs of an emulator that was killed. To be called once, when containers can reach us."""
        with unharmed("jobs that an earlier emulator has left"):
            self.job_components.catch_up()
            for record in self._unfinished:
                self.job_components.heard_again(record)
        self.supervisor.take_up(self._unfinished)
        self._waiting = []
        self._state.serve()

    def reset(self) -> None:
        """End every job, then forget all that clients and jobs have made; the numbers of jobs go on."""
        self.supervisor.end_all()
        for forget in self.on_reset:
            forget()

    def close(self) -> None:
        """End every job, remove what the engine has made, let the state directory go."""
        self._open.close()
