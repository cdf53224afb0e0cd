"""What a processing job keeps of its containers: the files of its outputs, and the exit message."""

from __future__ import annotations

import logging
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
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
from .ports import Cluster
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
        # By host and name of the output; the states in which files were seen last, and were uploaded.
        self._seen: dict[tuple[str, str], Snapshot] = {}
        self._uploaded: defaultdict[tuple[str, str], dict[str, FileState]] = defaultdict(dict)

    @contextmanager
    def while_running(self, cluster: Cluster) -> Iterator[None]:
        """Upload files of Continuous outputs as they come to rest."""
        if not any(output.is_continuous for output in self._job.outputs):
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(cluster, ended), name="continuous-upload", daemon=True)
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
        for output in self._job.outputs:
            if output.is_uploaded:
                advance = progress(f"Uploading {output.destination}")
                for host in self._job.hosts:
                    self._upload(cluster, host.name, output, due_at_end, advance)
        outcome = settle_processing(ended, exits, [self._message(cluster, host.name) for host in self._job.hosts])
        lost = self._uploader.lost
        if lost is not None and outcome.status is not JobStatus.FAILED:
            return replace(failed_outcome(lost.failure_reason), exit_message=outcome.exit_message)
        return outcome

    def _message(self, cluster: Cluster, host: str) -> bytes:
        with cluster.file(host, paths.MESSAGE) as found:
            return b"" if found is None or found[1] is None else found[1].read(LONGEST_MESSAGE_BYTES)

    def _watch(self, cluster: Cluster, ended: threading.Event) -> None:
        """Look again and again. What cannot be read now is uploaded at the end, or told then."""
        while not ended.wait(_LOOK_EVERY_SECONDS):
            for output in self._job.outputs:
                for host in self._job.hosts if output.is_continuous else ():
                    try:
                        self._look(cluster, host.name, output)
                    except Exception as error:  # noqa: BLE001 - see above
                        logger.warning("A look at %s of %s failed: %s", output.name, host.name, error)

    def _look(self, cluster: Cluster, host: str, output: ProcessingOutput) -> None:
        key = (host, output.name)
        previous = self._seen.get(key, {})
        self._seen[key] = self._upload(
            cluster, host, output, lambda current, uploaded: due(previous, current, uploaded), lambda _: None
        )

    def _upload(
        self, cluster: Cluster, host: str, output: ProcessingOutput, choose: Choice, on_bytes: Callable[[int], None]
    ) -> Snapshot:
        """Upload the chosen files of an output; return the states of all."""
        assert output.local_path is not None
        assert output.destination is not None
        uploaded = self._uploaded[host, output.name]
        seen: dict[str, FileState] = {}
        for member, content in cluster.tree(host, output.local_path):
            target = self._target(output.destination, member)
            if target is None:
                continue
            state = seen[member.name] = FileState(size=member.size, mtime_ns=int(member.mtime * 1e9))
            if not choose({member.name: state}, uploaded):
                continue
            if self._store(cluster, host, output, member, content, target, on_bytes):
                uploaded[member.name] = state
        return seen

    def _target(self, destination: S3Uri, member: TarInfo) -> S3Uri | None:
        try:
            return object_of(destination, member.name, _entry_type(member))
        except JobFailure as failure:
            self._uploader.lose(failure)
            return None

    def _store(
        self,
        cluster: Cluster,
        host: str,
        output: ProcessingOutput,
        member: TarInfo,
        content: BinaryIO | None,
        target: S3Uri,
        on_bytes: Callable[[int], None],
    ) -> bool:
        if content is not None:
            return self._uploader.upload(target, lambda aside: _copy(content, aside, on_bytes))
        assert output.local_path is not None
        with cluster.file(host, output.local_path / member.name) as found:  # a second name of one file
            stream = None if found is None else found[1]
            return stream is None or self._uploader.upload(target, lambda aside: _copy(stream, aside, on_bytes))


def _copy(content: BinaryIO, aside: Path, on_bytes: Callable[[int], None]) -> bool:
    with aside.open("xb") as target:
        shutil.copyfileobj(content, target, _CHUNK)
        on_bytes(target.tell())
    return True


def _entry_type(member: TarInfo) -> EntryType:
    if member.isreg() or member.islnk():
        return EntryType.FILE
    if member.isdir():
        return EntryType.DIRECTORY
    return EntryType.SYMBOLIC_LINK if member.issym() else EntryType.OTHER


_: type[Results] = ProcessingResults
