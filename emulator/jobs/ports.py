"""What `jobs` needs from the world; engines and storage provide it, `runtime` joins them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tarfile import TarInfo
from typing import Any, BinaryIO, Protocol

from ..contract.arns import S3Uri, Scope
from ..contract.environment import PlatformAccess
from ..contract.listing import JobQuery
from ..contract.metrics import MetricValue
from ..contract.outcome import HostExit
from ..contract.plan import ClusterPlan, GivenContainer, InstanceResources, Program
from ..contract.record import JobRecord

CHANGED = "ctime"
"""The PAX header of a tree's member that has the time of the last change in nanoseconds, where it is known."""

TreeMember = tuple[TarInfo, BinaryIO | None]
"""One entry of a directory tree, named relative to its root; the stream is there for regular files."""


class LogSink(Protocol):
    """Receives what a container writes."""

    def __call__(self, host: str, stream: str, chunk: bytes, at: float | None = None) -> None:
        """Take a chunk of "stdout" or "stderr" of a host, written at a time (epoch seconds; None: now)."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an engine can do; callers and tests ask for these, never for an engine's name.

    What each means for users is in `engines/differences.py`, from which docs/engines.md is printed.
    """

    images: bool
    image_user: bool
    file_system: bool
    network_isolation: bool
    own_network: bool
    several_hosts: bool
    several_hosts_internet: bool
    metadata_address: bool
    process_tree: bool
    instance_limits: bool
    out_of_memory: bool
    outlives_emulator: bool
    other_machine: bool


class Cluster(Protocol):
    """The containers of one job. Leaving the context removes all of it."""

    def start(self, on_log: LogSink, on_exit: Callable[[], None]) -> None:
        """Start every container that is not started, and listen to all of them.

        `on_log` hears all that a container has written since its start, also before this call. `on_exit` is
        called each time one has ended and its log is complete.
        """

    def given(self) -> Mapping[str, GivenContainer]:
        """Return what each host's program is started with; asked before the start, it must not take time."""

    def exits(self) -> Sequence[HostExit]:
        """Return how containers ended so far, in the order in which they ended."""

    def terminate(self) -> None:
        """Send SIGTERM to the first process of each container that still runs."""

    def kill(self) -> None:
        """Send SIGKILL to each container that still runs."""

    def tree(self, host: str, path: PurePosixPath) -> Iterator[TreeMember]:
        """Yield what is below a directory of a container, running or ended; nothing if it is not there.

        A stream is to be read before the next member is asked for. Of files that are one file under several
        names (hard links) the first has the content, and the others name it.
        """

    def file(self, host: str, path: PurePosixPath) -> AbstractContextManager[TreeMember | None]:
        """Open one regular file of a container, running or ended; None if there is none, or it is not one."""


@dataclass(frozen=True, kw_only=True)
class ImageEntry:
    """One path of an image: `kind` is directory, file, symlink or other; the size is that of a file."""

    kind: str
    mode: int
    size: int = 0
    target: str | None = None


@dataclass(frozen=True, kw_only=True)
class ImageView:
    """What an image itself has below /opt/ml, by absolute path, and the text of its /etc/passwd."""

    entries: Mapping[str, ImageEntry]
    passwd: str = ""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose everything is that is made in an engine: the emulators of one state directory, one after another.

    Whoever has the lock (see `file_locks`) on the file is the emulator of the moment. What a killed one
    leaves is removed after `recovery_window` seconds, unless another has taken its place until then.
    """

    identity: str
    lock: Path
    recovery_window: float


class Programs(Protocol):
    """The programs that stand for images, each under an image's name."""

    def register(self, image: str, program: Program) -> None:
        """Have a program run wherever a request names this image; one that was there before is replaced.

        Raises:
            UsageError: it cannot run, and the text says why.
        """

    def find(self, image: str) -> Program:
        """Return the program that stands for an image.

        Raises:
            ImageMissingError: there is none.
        """


class Engine(Protocol):
    """Runs the containers of a job to their end."""

    @property
    def name(self) -> str:
        """What `--engine` calls it."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    @property
    def gateway(self) -> str | None:
        """An address of this machine that containers reach, for the endpoint to listen at; None: there is none."""

    @property
    def programs(self) -> Programs | None:
        """What it runs in the place of images; None: it has images."""

    @property
    def host_alias(self) -> str | None:
        """The name by which containers can be made to reach this machine where there is no gateway address."""

    def require_image(self, image: str) -> str:
        """Return the engine's own name of the image that a request names.

        Raises:
            ImageMissingError: the engine does not have it.
        """

    def image_view(self, image: str) -> ImageView:
        """Return what an image has, by the engine's own name of it, without running anything of it.

        Raises:
            ImageMissingError: the engine does not have it any more.
        """

    def cluster(self, plan: ClusterPlan) -> AbstractContextManager[Cluster]:
        """Make the containers of a plan.

        Raises:
            JobFailure: they cannot be made, for a reason the job should fail with.
        """

    def resume(self, plan: ClusterPlan) -> AbstractContextManager[Cluster]:
        """Find the containers that an earlier emulator of this state directory made of a plan.

        Raises:
            JobFailure: not all of them are there any more.
        """

    def enter(self, unique_name: str, host: str, command: Sequence[str], *, terminal: bool) -> list[str]:
        """Return the command of this machine that runs a program in a running container; a shell if none is given.

        Raises:
            EmulatorError: it does not run, or what is needed is not installed.
        """

    def close(self, *, keep: Collection[str] = ()) -> None:
        """End and remove everything this engine has made, but for the containers of jobs with these unique names.

        Those are left as if this process had been killed.
        """


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One S3 object; the size is in bytes."""

    key: str
    size: int


class ObjectStore(Protocol):
    """S3, as the platform itself uses it."""

    def objects(self, scope: Scope, prefix: S3Uri) -> list[StoredObject]:
        """Return the objects whose keys start with the prefix's key, in UTF-8 order; none if the bucket is missing."""

    def download(self, scope: Scope, source: S3Uri, destination: Path) -> int:
        """Write an object to a new file and return its size in bytes.

        Raises:
            ObjectMissingError: it is no longer there.
        """

    def upload(self, scope: Scope, source: Path, destination: S3Uri, *, consume: bool = False) -> None:
        """Store a file as an object. With `consume` the file is gone afterwards: moved, where that is possible.

        Raises:
            ObjectMissingError: there is no such bucket.
        """


class AccessProvider(Protocol):
    """Knows where containers find the endpoint."""

    def access_for(self, credentials_id: str) -> PlatformAccess:
        """Return how a container reaches the endpoint and the role credentials with this id."""


class ObjectMissingError(Exception):
    """An object or a bucket is not there; the text is S3's code and message."""


class LogStore(Protocol):
    """CloudWatch Logs, as the platform writes to it."""

    def write(self, scope: Scope, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Append events (epoch milliseconds, message); the group and stream are made on first use.

        What was written is there after a restart, also of a process that was killed. Readers see events
        by time, those of one millisecond in the order in which they were written.
        """

    def events(self, scope: Scope, group: str, stream: str) -> Iterator[tuple[int, str]]:
        """Yield what a stream has, in order of time; nothing if there is no such stream."""


class MetricStore(Protocol):
    """CloudWatch metrics, as the platform writes to it."""

    def put(self, scope: Scope, namespace: str, job_name: str, values: Iterable[MetricValue]) -> None:
        """Store values under the dimension TrainingJobName."""


class CredentialIssuer(Protocol):
    """Gives a container the temporary credentials of its job's role."""

    def issue(self, job: str, scope: Scope, role_arn: str, session: str) -> str:
        """Return the id under which a job's credentials can be fetched: the same until they are revoked.

        `job` is its unique name: a later job of its name has credentials of its own.
        """

    def revoke(self, job: str) -> None:
        """Make a job's credentials useless."""


class InstanceCatalog(Protocol):
    """The table of instance types."""

    def resources(self, instance_type: str) -> InstanceResources | None:
        """Return what an `ml.` instance type has; None if the table does not know it."""


class JobStore(Protocol):
    """The records of jobs of all kinds, each found by its ARN, as `JobKind.arn` makes it.

    What was stored is there after a restart, also of a process that was killed.
    """

    def create(self, record: JobRecord) -> JobRecord:
        """Add a record under a name that must be free among the jobs of its kind, account and region.

        Raises:
            ResourceInUseError: the name is taken, in whatever case.
        """

    def get(self, arn: str) -> JobRecord | None:
        """Return a job; None: there is none."""

    def update(self, arn: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord | None:
        """Replace a record by `change(record)` with nobody in between; None when it is gone.

        `change` must not call the store.
        """

    def first(self, scope: Scope, query: JobQuery) -> list[JobRecord]:
        """Return the first `query.size + 1` jobs that a query wants, in any order: a page, and whether more follow."""

    def unfinished(self) -> list[JobRecord]:
        """Return the jobs of every kind, account and region that have not ended, in the order of their creation."""

    def delete(self, record: JobRecord) -> None:
        """Forget a job; another one that has its name meanwhile stays."""


class JobObserver(Protocol):
    """Hears of jobs: Experiments has a trial component for each. See observed.py, which never lets it harm a job."""

    def changed(self, record: JobRecord) -> None:
        """Take notice of a job that was created, or to which something happened; maybe not for the first time."""

    def measured(self, record: JobRecord, values: Sequence[MetricValue]) -> None:
        """Take values that were found in a job's log, in their order."""


class ViewStore(Protocol):
    """What jobs' containers found, one document a job, by the job's unique name."""

    def put(self, unique_name: str, document: Mapping[str, Any]) -> None:
        """Keep a document. It is there after a restart, also of a process that was killed."""

    def get(self, unique_name: str) -> dict[str, Any] | None:
        """Return a job's document; None: there is none."""

    def delete(self, unique_name: str) -> None:
        """Forget a job's document; none is fine."""


class Clock(Protocol):
    """Time. The limits of the service pass faster under `--time-scale`; time stamps do not."""

    def now(self) -> float:
        """Return epoch seconds, in milliseconds."""

    def deadline(self, service_seconds: float, since: float | None = None) -> float:
        """Return the monotonic moment at which a limit of the service is over that runs since a time.

        The time is in epoch seconds; None: now.
        """

    def unscaled_deadline(self, seconds: float) -> float:
        """Return the monotonic moment at which a limit of this emulator's own is over."""

    def remaining(self, deadline: float) -> float:
        """Return real seconds until a deadline, at least 0."""
