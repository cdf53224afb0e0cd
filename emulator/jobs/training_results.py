"""What a training job keeps of its containers: model.tar.gz, output.tar.gz, and the failure file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path, PurePosixPath
from tarfile import REGTYPE

from ..contract import paths
from ..contract.outcome import LONGEST_MESSAGE_BYTES, Ended, HostExit, Outcome, failed_outcome, first_failure, settle
from ..contract.status import JobStatus
from ..contract.training_job import TrainingJob
from ..contract.uploads import HostMerge
from .artifacts import pack
from .ports import Cluster, TreeMember
from .results import Progress, Results, Uploader


class TrainingResults:
    """The artifacts of one training job."""

    def __init__(self, job: TrainingJob, uploader: Uploader) -> None:
        self._job = job
        self._uploader = uploader
        self.metric_definitions = job.metric_definitions

    def while_running(self, _: Cluster) -> AbstractContextManager[None]:
        """Nothing is stored before the end."""
        return nullcontext()

    def collect(self, cluster: Cluster, ended: Ended, exits: Sequence[HostExit], progress: Progress) -> Outcome:
        """Store the model and the other output, and settle the job.

        A job that has failed already keeps its own reason, which is what its author needs.
        """
        outcome = settle(ended, exits, self._failure_text(cluster, ended, exits))
        for path, destination in (
            (paths.MODEL, self._job.model_artifacts),
            (paths.OUTPUT_DATA, self._job.output_artifacts),
        ):
            members = merged(cluster, [host.name for host in self._job.hosts], path)
            self._uploader.upload(destination, partial(_packed, members, progress(f"Uploading {destination}")))
        lost = self._uploader.lost
        if lost is not None and outcome.status is not JobStatus.FAILED:
            return failed_outcome(lost.failure_reason)
        return outcome

    def _failure_text(self, cluster: Cluster, ended: Ended, exits: Sequence[HostExit]) -> str:
        failed = first_failure(exits)
        if failed is None or ended is not Ended.BY_ITSELF:
            return ""
        with cluster.file(failed.host, paths.FAILURE) as found:
            if found is None or found[1] is None:
                return ""
            return found[1].read(LONGEST_MESSAGE_BYTES).decode("utf-8", errors="replace")


def _packed(members: Iterator[TreeMember], on_bytes: Callable[[int], None], archive: Path) -> bool:
    return pack(members, archive, on_bytes)


def merged(cluster: Cluster, hosts: Sequence[str], path: PurePosixPath) -> Iterator[TreeMember]:
    """Yield what is below a directory of all hosts, as one tree; see `HostMerge` for what wins."""
    merge = HostMerge()
    for host in reversed(hosts):
        taken: set[str] = set()
        for member, content in cluster.tree(host, path):
            if not merge.takes(member.name, is_directory=member.isdir()):
                continue
            if member.islnk() and member.linkname not in taken:
                with cluster.file(host, path / member.name) as found:
                    if found is not None:
                        member.type, member.linkname, member.size = REGTYPE, "", found[0].size
                        yield member, found[1]
                continue
            taken.add(member.name)
            yield member, content


_: type[Results] = TrainingResults
