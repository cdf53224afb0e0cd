"""What a state directory holds, and taking out of it what is old. Its emulator must not run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from ..contract.arns import Scope
from ..contract.kinds import KINDS
from ..contract.log_pages import LogStream
from ..contract.record import JobRecord
from .bucket_journal import FOLDER as BUCKETS_FOLDER
from .container_views import VIEWS_FOLDER, ContainerViewFiles
from .database import FILE_NAME, Database, require_state
from .job_records import SqliteJobStore
from .log_files import LOGS_FOLDER, LogFiles
from .objects.index import OBJECTS_FOLDER
from .objects.model import Upload
from .objects.segments import ASIDE_FOLDER
from .objects.store import DiskObjectStore
from .objects.usage import BucketUsage, by_bucket, uploads_before
from .state_dir import WORKSPACE, at_rest

_KIND_OF_GROUP: Final = {kind.log_group: kind for kind in KINDS}
# What a killed emulator may leave of work that was never finished. All of it is made anew when needed.
_LEFTOVERS: Final = (
    f"{WORKSPACE}/*",
    f"{OBJECTS_FOLDER}/{ASIDE_FOLDER}/*",
    f"{LOGS_FOLDER}/**/*.tmp",
    f"{BUCKETS_FOLDER}/*.new",
    f"{VIEWS_FOLDER}/*.new",
)


@dataclass(frozen=True, kw_only=True)
class Removable:
    """One thing that can go: what a person calls it, and its size in bytes."""

    kind: str
    name: str
    size: int
    job: JobRecord | None = None
    stream: tuple[Scope, LogStream] | None = None
    path: Path | None = None
    upload: Upload | None = None


class Retention:
    """A state directory at rest, open for cleaning."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._database = database
        self._jobs = SqliteJobStore(database)
        self._views = ContainerViewFiles(folder / VIEWS_FOLDER)
        self._logs = LogFiles(folder / LOGS_FOLDER, database, time.time)

    @classmethod
    @contextmanager
    def of(cls, folder: Path) -> Iterator[Self]:
        """Take a state directory that no emulator uses.

        Raises:
            UsageError: there is none, an emulator has it, or it is of another version.
        """
        require_state(folder)
        with at_rest(folder):
            database = Database(folder / FILE_NAME)
            try:
                yield cls(folder, database)
            finally:
                database.close()

    def removable(self, moment: float) -> list[Removable]:
        """Return what can go: jobs that ended before a moment (epoch seconds), logs as old, leftovers.

        Uploads to S3 that were begun before the moment and never completed are leftovers of their clients.

        A log stays as long as its job does. Logs whose jobs were deleted, and those that clients wrote to
        groups of their own, go by the time of their last event.
        """
        jobs = self._jobs.ended_before(moment)
        going = {job.arn for job in jobs}
        # Their containers may still run; the next emulator takes them up.
        needed = {self._folder / WORKSPACE / job.unique_name for job in self._jobs.unfinished()}
        streams = [
            (scope, stream)
            for scope, stream in self._logs.older_than(int(moment * 1000))
            if self._is_without_job(scope, stream, going)
        ]
        return [
            *(Removable(kind="job", name=job.arn, size=_size_of_record(job), job=job) for job in jobs),
            *(
                Removable(
                    kind="log",
                    name=f"{stream.group}:{stream.name}",
                    size=self._logs.disk_usage(scope, stream),
                    stream=(scope, stream),
                )
                for scope, stream in streams
            ),
            *(
                Removable(kind="upload", name=f"s3://{upload.bucket}/{upload.key}", size=size, upload=upload)
                for upload, size in uploads_before(self._folder / OBJECTS_FOLDER, moment)
            ),
            *(
                Removable(kind="leftover", name=str(path.relative_to(self._folder)), size=_disk_usage(path), path=path)
                for pattern in _LEFTOVERS
                for path in sorted(self._folder.glob(pattern))
                if path not in needed
            ),
        ]

    def remove(self, things: Sequence[Removable]) -> None:
        """Remove what `removable` has found: logs before their jobs, so that an interrupted one can be repeated."""
        for one in things:
            if one.stream is not None:
                scope, stream = one.stream
                self._logs.delete_stream(scope, stream.group, stream.name)
            elif one.path is not None and one.path.is_dir() and not one.path.is_symlink():
                shutil.rmtree(one.path)
            elif one.path is not None:
                one.path.unlink(missing_ok=True)
        for one in things:
            if one.job is not None:
                self._views.delete(one.job.unique_name)
                self._jobs.delete(one.job)
        self._remove_from_objects([one.upload for one in things if one.upload is not None])
        self._database.shrink()

    def _remove_from_objects(self, uploads: Sequence[Upload]) -> None:
        if (self._folder / OBJECTS_FOLDER).exists():
            store = DiskObjectStore(self._folder / OBJECTS_FOLDER)
            for upload in uploads:
                store.abort_upload(upload)
            store.sweep()
            store.close()

    def _is_without_job(self, scope: Scope, stream: LogStream, going: Container[str]) -> bool:
        """Tell whether a stream is not the log of a job that stays; `going` are the ARNs of those that do not."""
        kind = _KIND_OF_GROUP.get(stream.group)
        if kind is None:
            return True
        arn = kind.arn(scope, stream.name.partition("/")[0])
        return arn in going or self._jobs.get(arn) is None


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes on disk of each part of a state directory; what is next to each other there is one part."""
    parts: dict[str, int] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        name = FILE_NAME if path.name.startswith(FILE_NAME) else path.name  # with SQLite's own two files
        parts[name] = parts.get(name, 0) + _disk_usage(path)
    return dict(sorted(parts.items()))


def bucket_sizes(folder: Path) -> list[BucketUsage]:
    """Return what each bucket holds, by name.

    Raises:
        UsageError: a newer version of this program wrote it.
    """
    return by_bucket(folder / OBJECTS_FOLDER)


def _disk_usage(path: Path) -> int:
    """Return the bytes of a file, or of all files below a directory; they may go while they are counted."""
    try:
        if path.is_dir() and not path.is_symlink():
            return sum(_disk_usage(inner) for inner in path.iterdir())
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _size_of_record(job: JobRecord) -> int:
    return len(repr(job.request)) + len(repr(job.facts))
