"""The ports of a job in memory: what lives as long as one test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ..contract import requests
from ..contract.arns import S3Uri, Scope
from ..contract.environment import PlatformAccess
from ..contract.listing import JobQuery
from ..contract.metrics import MetricValue
from ..contract.plan import InstanceResources
from ..contract.record import JobRecord
from ..contract.status import is_terminal
from ..jobs.ports import (
    AccessProvider,
    CredentialIssuer,
    InstanceCatalog,
    JobStore,
    LogStore,
    MetricStore,
    ObjectMissingError,
    ObjectStore,
    StoredObject,
    ViewStore,
)
from .data import Content

NOWHERE: Final = "http://127.0.0.1:9"
"""Where nobody listens: AWS clients of the function get a refused connection, and never reach AWS."""


class MemoryJobs:
    """Job records."""

    def __init__(self) -> None:
        self._records: dict[str, JobRecord] = {}
        self._count = 0

    def create(self, record: JobRecord) -> JobRecord:
        """Add a record."""
        if record.arn in self._records:
            raise requests.name_taken(record.arn)
        self._count += 1
        self._records[record.arn] = replace(record, number=self._count)
        return self._records[record.arn]

    def get(self, arn: str) -> JobRecord | None:
        """Return a record."""
        return self._records.get(arn)

    def update(self, arn: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord | None:
        """Replace a record."""
        if arn not in self._records:
            return None
        self._records[arn] = change(self._records[arn])
        return self._records[arn]

    def first(self, scope: Scope, query: JobQuery) -> list[JobRecord]:  # noqa: ARG002 - a page is a choice of these
        """Return the records of an account and region."""
        return [record for record in self._records.values() if record.scope == scope]

    def unfinished(self) -> list[JobRecord]:
        """Return the records of jobs that have not ended."""
        return [record for record in self._records.values() if not is_terminal(record.facts)]

    def delete(self, record: JobRecord) -> None:
        """Forget a record."""
        self._records.pop(record.arn, None)


class MemoryObjects:
    """S3 with every bucket there is; of objects that are files of this machine only the path is kept."""

    def __init__(self) -> None:
        self.contents: dict[S3Uri, Content] = {}

    def objects(self, _: Scope, prefix: S3Uri) -> list[StoredObject]:
        """Return the objects below a prefix."""
        found = [
            StoredObject(key=uri.key, size=_size(content))
            for uri, content in self.contents.items()
            if uri.bucket == prefix.bucket and uri.key.startswith(prefix.key)
        ]
        return sorted(found, key=lambda one: one.key.encode())

    def download(self, _: Scope, source: S3Uri, destination: Path) -> int:
        """Write an object to a file."""
        content = self.contents.get(source)
        if content is None:
            raise ObjectMissingError("NoSuchKey: The specified key does not exist.")
        if isinstance(content, Path):
            shutil.copyfile(content, destination)
        else:
            destination.write_bytes(content)
        return _size(content)

    def upload(self, _: Scope, source: Path, destination: S3Uri, *, consume: bool = False) -> None:
        """Store a file's bytes."""
        self.contents[destination] = source.read_bytes()
        if consume:
            source.unlink()

    def below(self, prefix: S3Uri) -> dict[str, bytes]:
        """Return the objects below a prefix, by the rest of their keys."""
        start = f"{prefix.key.rstrip('/')}/" if prefix.key else ""
        return {
            one.key.removeprefix(start): self.read(S3Uri(bucket=prefix.bucket, key=one.key))
            for one in self.objects(Scope(), S3Uri(bucket=prefix.bucket, key=start))
        }

    def read(self, uri: S3Uri) -> bytes:
        """Return what an object holds; nothing if there is none."""
        content = self.contents.get(uri, b"")
        return content.read_bytes() if isinstance(content, Path) else content


def _size(content: Content) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


@dataclass(frozen=True)
class LogEvent:
    """One line of a host's log, in epoch milliseconds."""

    host: str
    millisecond: int
    message: str


class MemoryLogs:
    """Log events in the order in which they were written."""

    def __init__(self) -> None:
        self._written: list[tuple[str, int, str]] = []

    def write(self, _: Scope, __: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Append events."""
        self._written += [(stream, millisecond, message) for millisecond, message in events]

    def events(self, _: Scope, __: str, stream: str) -> Iterator[tuple[int, str]]:
        """Yield what a stream has."""
        return ((at, message) for written, at, message in self._written if written == stream)

    def of_job(self, name: str) -> list[LogEvent]:
        """Return the events of a job: its streams are `<job>/<host>-<seconds>`."""
        return [
            LogEvent(stream.removeprefix(f"{name}/").rpartition("-")[0], millisecond, message)
            for stream, millisecond, message in self._written
            if stream.startswith(f"{name}/")
        ]


class MemoryMetrics:
    """Metric values by the name of their job."""

    def __init__(self) -> None:
        self.values: dict[str, list[MetricValue]] = {}

    def put(self, _: Scope, __: str, job_name: str, values: Iterable[MetricValue]) -> None:
        """Append values."""
        self.values.setdefault(job_name, []).extend(values)


class MemoryViews:
    """Documents of what jobs' containers found."""

    def __init__(self) -> None:
        self._documents: dict[str, Mapping[str, Any]] = {}

    def put(self, unique_name: str, document: Mapping[str, Any]) -> None:
        """Keep a document."""
        self._documents[unique_name] = document

    def get(self, unique_name: str) -> dict[str, Any] | None:
        """Return a document."""
        found = self._documents.get(unique_name)
        return None if found is None else dict(found)

    def delete(self, unique_name: str) -> None:
        """Forget a document."""
        self._documents.pop(unique_name, None)


class NoCredentials:
    """There is no role here to be had."""

    def issue(self, job: str, _: Scope, __: str, ___: str) -> str:
        """Return an id of nothing."""
        return job

    def revoke(self, _: str) -> None:
        """Do nothing."""


class NoInstances:
    """Instance types mean nothing here."""

    def resources(self, _: str) -> InstanceResources | None:
        """Return that the type is not known."""
        return None


class TestAccess:
    """What the test itself has: an emulator's endpoint and keys where it was given some, else nowhere to go."""

    __test__ = False

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def access_for(self, _: str) -> PlatformAccess:
        """Return the endpoint and keys."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        if url := self._environment.get("AWS_ENDPOINT_URL"):
            found = {name: self._environment[name] for name in names if name in self._environment}
            return PlatformAccess(endpoint_url=url, credentials=found)
        return PlatformAccess(endpoint_url=NOWHERE, credentials=dict.fromkeys(names, "opt-ml"))


_jobs: type[JobStore] = MemoryJobs
_objects: type[ObjectStore] = MemoryObjects
_logs: type[LogStore] = MemoryLogs
_metrics: type[MetricStore] = MemoryMetrics
_views: type[ViewStore] = MemoryViews
_credentials: type[CredentialIssuer] = NoCredentials
_instances: type[InstanceCatalog] = NoInstances
_access: type[AccessProvider] = TestAccess
