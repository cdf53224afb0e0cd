"""What a processing job keeps of its containers: the files of its outputs, and the exit message."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tarfile import TarInfo
from typing import BinaryIO

from ..contract import paths
from ..contract.arns import S3Uri
from ..contract.metrics import MetricDefinition
from ..contract.outcome import (
    LONGEST_MESSAGE_BYTES,
    Ended,
    HostExit,
    JobFailure,
    Outcome,
    failed_outcome,
    settle_processing,
)
from ..contract.processing_job import ProcessingJob, ProcessingOutput
from ..contract.status import JobStatus
from ..contract.uploads import EntryType, FileState, Snapshot, due, due_at_end, object_of
from .ports import CHANGED, Cluster
from .results import Progress, Results, Uploader

logger = logging.getLogger(__name__)

# How often the outputs of running containers are looked at. The service does not say how often it does.
_LOOK_EVERY_SECONDS = 1.0
_CHUNK = 1024**2

Choice = Callable[[Snapshot, Snapshot], Sequence[str]]
"""Takes the states of files as they are and as they were uploaded; returns the paths to upload."""


class ProcessingResults:
    """The outputs of one processing job."""

    metric_definitions: Sequence[MetricDefinition] = ()

    def __init__(self, job: ProcessingJob, uploader: Uploader) -> None:
        self._job = job
        self._uploader = uploader
        self._outputs = [
            _HostOutput(output, host.name, uploader)
            for output in job.outputs
            if output.is_uploaded
            for host in job.hosts
        ]

    @contextmanager
    def while_running(self, cluster: Cluster) -> Iterator[None]:
        """Upload files of Continuous outputs as they come to rest."""
        continuous = [one for one in self._outputs if one.output.is_continuous]
        if not continuous:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=_watch, args=(continuous, cluster, ended), name="uploads", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def collect(self, cluster: Cluster, ended: Ended, exits: Sequence[HostExit], progress: Progress) -> Outcome:
        """Upload what is not uploaded yet, and settle the job.

        A job that has failed already keeps its own reason, which is what its author needs.
        """
        self._uploader.lost = None  # what could not be uploaded while they ran is tried again
        advance = progress("Uploading the outputs")
        stored: set[S3Uri] = set()
        for one in self._outputs:
            one.forget(stored)
            one.upload(cluster, due_at_end, advance)
            stored |= one.objects
        outcome = settle_processing(
            ended, exits, {host.name: self._message(cluster, host.name) for host in self._job.hosts}
        )
        lost = self._uploader.lost
        if lost is not None and outcome.status is not JobStatus.FAILED:
            return replace(failed_outcome(lost.failure_reason), exit_message=outcome.exit_message)
        return outcome

    def _message(self, cluster: Cluster, host: str) -> bytes:
        with cluster.file(host, paths.MESSAGE) as found:
            return b"" if found is None or found[1] is None else found[1].read(LONGEST_MESSAGE_BYTES)


class _HostOutput:
    """One output of one host, and what of it is in S3."""

    def __init__(self, output: ProcessingOutput, host: str, uploader: Uploader) -> None:
        assert output.local_path is not None
        assert output.destination is not None
        self.output = output
        self.host = host
        self._path = output.local_path
        self._destination = output.destination
        self._uploader = uploader
        self._seen: Snapshot = {}
        self._uploaded: dict[str, FileState] = {}

    @property
    def objects(self) -> set[S3Uri]:
        """What it has stored."""
        return {self._destination.joined(path) for path in self._uploaded}

    def forget(self, overwritten: Set[S3Uri]) -> None:
        """Have files uploaded again of which it is not certain that they are stored as they are.

        Those are files whose objects an earlier host has stored too, so that the last host's stay, and files of
        which cannot be known whether they have changed.
        """
        self._uploaded = {
            path: state
            for path, state in self._uploaded.items()
            if state.changed and self._destination.joined(path) not in overwritten
        }

    def look(self, cluster: Cluster) -> None:
        """Upload what has come to rest since the last look."""
        previous = self._seen
        self._seen = self.upload(cluster, lambda current, uploaded: due(previous, current, uploaded))

    def upload(self, cluster: Cluster, choose: Choice, on_bytes: Callable[[int], None] = lambda _: None) -> Snapshot:
        """Upload the chosen files; return the states of all."""
        seen: dict[str, FileState] = {}
        for member, content in cluster.tree(self.host, self._path):
            try:
                target = object_of(self._destination, member.name, _entry_type(member))
            except JobFailure as failure:
                self._uploader.lose(failure)
                continue
            if target is None:
                continue
            changed = member.pax_headers.get(CHANGED, "")
            state = seen[member.name] = FileState(size=member.size, mtime_ns=int(member.mtime * 1e9), changed=changed)
            if choose({member.name: state}, self._uploaded):
                with self._content(cluster, member.name, content) as stream:
                    if stream is None or self._uploader.upload(target, _copier(stream, on_bytes)):
                        self._uploaded[member.name] = state
        return seen

    @contextmanager
    def _content(self, cluster: Cluster, name: str, content: BinaryIO | None) -> Iterator[BinaryIO | None]:
        """Open a file's content, also of one that came as another name of an earlier file."""
        if content is not None:
            yield content
            return
        with cluster.file(self.host, self._path / name) as found:
            yield None if found is None else found[1]


def _watch(outputs: Sequence[_HostOutput], cluster: Cluster, ended: threading.Event) -> None:
    """Look again and again, at most half of the time. What cannot be read now is uploaded at the end, or told then."""
    pause = _LOOK_EVERY_SECONDS
    while not ended.wait(pause):
        started = time.monotonic()
        for one in outputs:
            try:
                one.look(cluster)
            except Exception as error:  # noqa: BLE001 - see above
                logger.warning("A look at %s of %s failed: %s", one.output.name, one.host, error)
        pause = max(_LOOK_EVERY_SECONDS, time.monotonic() - started)


def _copier(content: BinaryIO, on_bytes: Callable[[int], None]) -> Callable[[Path], bool]:
    def copy(aside: Path) -> bool:
        with aside.open("wb") as target:  # a killed emulator may have left one
            shutil.copyfileobj(content, target, _CHUNK)
            on_bytes(target.tell())
        return True

    return copy


def _entry_type(member: TarInfo) -> EntryType:
    if member.isreg() or member.islnk():
        return EntryType.FILE
    if member.isdir():
        return EntryType.DIRECTORY
    return EntryType.SYMBOLIC_LINK if member.issym() else EntryType.OTHER


_: type[Results] = ProcessingResults
