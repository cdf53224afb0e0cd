"""What containers leave behind and where it goes: a processing job's outputs, and the trees of several hosts.

Source: BC `ProcessingS3Output`, "Build your own processing container", and artifacts of real jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import Final

from .arns import S3Uri
from .outcome import ArtifactUploadError

_LONGEST_KEY: Final = 1024


class EntryType(Enum):
    """What stands at a path: only files become objects."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMBOLIC_LINK = "symbolic link"
    OTHER = "other"


def object_of(destination: S3Uri, path: str, entry_type: EntryType) -> S3Uri | None:
    """Return the object that an entry below an output's LocalPath becomes; None when it becomes none.

    `path` is relative to LocalPath. It is put behind the output's S3Uri with one slash: nothing of the job or
    the host is added, so that hosts which write the same path write the same object. Upload the hosts in
    their order, and the last one's stays (unconfirmed). Directories, empty ones too, have no object, symbolic
    links are neither uploaded nor followed, and what S3 has already is overwritten but never deleted.

    Raises:
        ArtifactUploadError: the path cannot be a key: it is not UTF-8, or too long.
    """
    if entry_type is not EntryType.FILE:
        return None
    found = destination.joined(path)
    try:
        size = len(found.key.encode())
    except UnicodeEncodeError as error:
        raise ArtifactUploadError(f"A file's name is not valid UTF-8; rename it: {path!r}") from error
    if size > _LONGEST_KEY:
        raise ArtifactUploadError(f"A file would need a key of {size} bytes, and S3 allows {_LONGEST_KEY}: {path!r}")
    return found


@dataclass(frozen=True, kw_only=True)
class FileState:
    """What tells whether a file has changed: its size in bytes and its times of modification and of change.

    `changed` is "" where that cannot be known. The time of modification alone comes with a file that is moved
    over another, and may be the same.
    """

    size: int
    mtime_ns: int
    changed: str = ""


Snapshot = Mapping[str, FileState]
"""The files below one host's LocalPath, by their relative path."""


def due(previous: Snapshot, current: Snapshot, uploaded: Snapshot) -> tuple[str, ...]:
    """Return the files of a Continuous output to upload now, while the job runs.

    A file is due when it did not change between two looks, and is not what was uploaded last (`uploaded` holds
    the state in which each file was). So it is left alone while it is being written, and uploaded again when
    it has changed. The service's own rule is not documented.
    """
    return tuple(path for path in due_at_end(current, uploaded) if previous.get(path) == current[path])


def due_at_end(current: Snapshot, uploaded: Snapshot) -> tuple[str, ...]:
    """Return the files to upload when the containers have ended: all that are not uploaded as they are.

    That is every file of an EndOfJob output, of which nothing is uploaded before. What was deleted in the
    container stays in S3 (unconfirmed).
    """
    return tuple(sorted(path for path, state in current.items() if uploaded.get(path) != state))


class HostMerge:
    """Joins the trees of a job's hosts to one, for model.tar.gz and output.tar.gz.

    Offer it every entry of every host, the last host first: it takes what the merged tree has. Of entries
    that need the same path, or of which one is a file where the other needs a directory, that of the last host
    stays (the service tells users to avoid this; who wins is unconfirmed).
    """

    def __init__(self) -> None:
        self._entries: set[PurePosixPath] = set()
        self._files: set[PurePosixPath] = set()
        self._needed_as_directories: set[PurePosixPath] = set()

    def takes(self, path: str, *, is_directory: bool) -> bool:
        """Tell whether an entry belongs to the merged tree; `path` is relative, as `tar` has it."""
        entry = PurePosixPath(path)
        if (
            entry in self._entries
            or (not is_directory and entry in self._needed_as_directories)
            or not self._files.isdisjoint(entry.parents)
        ):
            return False
        self._entries.add(entry)
        self._needed_as_directories.update(entry.parents)
        if not is_directory:
            self._files.add(entry)
        return True
