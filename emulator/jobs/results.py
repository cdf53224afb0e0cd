"""What the containers of a job leave, and what becomes of it: one way for each kind of job."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ..contract.arns import S3Uri, Scope
from ..contract.metrics import MetricDefinition
from ..contract.outcome import ArtifactUploadError, Ended, HostExit, JobFailure, Outcome
from .ports import Cluster, ObjectMissingError, ObjectStore

logger = logging.getLogger(__name__)

Progress = Callable[[str], Callable[[int], None]]
"""Takes the name of a stage that begins; returns what to call with each number of bytes moved."""


class Results(Protocol):
    """What a kind of job keeps of its containers."""

    @property
    def metric_definitions(self) -> Sequence[MetricDefinition]:
        """What to look for in the log."""

    def while_running(self, cluster: Cluster) -> AbstractContextManager[None]:
        """Keep what is to be kept while the containers run, in the background, until the context is left."""

    def collect(self, cluster: Cluster, ended: Ended, exits: Sequence[HostExit], progress: Progress) -> Outcome:
        """Keep what containers that have ended leave, and say how the job ends. A loss is part of the outcome."""


class Uploader:
    """Stores files of this machine as the objects of one account, each whether or not the others can be.

    What goes wrong is kept as the job's failure; the first one counts.
    """

    def __init__(self, objects: ObjectStore, scope: Scope, workspace: Path) -> None:
        """Use a directory of this machine, which the files to be stored lie in."""
        self._objects = objects
        self._scope = scope
        self.workspace = workspace
        self.lost: JobFailure | None = None

    def upload(self, destination: S3Uri, make: Callable[[Path], bool]) -> bool:
        """Store what `make` writes to the file it is given; nothing if it returns False.

        Returns whether all went well.
        """
        aside = self.workspace / "upload"
        try:
            if make(aside):
                self._objects.upload(self._scope, aside, destination, consume=True)
        except JobFailure as failure:
            return self.lose(failure)
        except ObjectMissingError as error:
            return self.lose(ArtifactUploadError(f"Unable to upload {destination} ({error})"))
        except OSError as error:
            problem = disk_problem(error, self.workspace)
            return self.lose(ArtifactUploadError(f"Unable to upload {destination} ({problem})"))
        finally:
            aside.unlink(missing_ok=True)
        return True

    def lose(self, failure: JobFailure) -> bool:
        """Keep what went wrong; returns False."""
        logger.warning("%s", failure)
        self.lost = self.lost or failure
        return False


def disk_problem(error: OSError, where: Path) -> str:
    """Say what is wrong with our disk, and what to do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space is left below {where}: free some, or start the emulator with another --state-dir"
    return f"{type(error).__name__}: {error}"
