"""The state directory: who has it, and what may lie in it."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from .. import file_locks
from ..errors import UsageError
from .objects.index import OBJECTS_FOLDER
from .objects.reserve import RESERVE_FILE, ROOM_TO_START

LOCK: Final = "lock"
WORKSPACE: Final = "work"
IDENTITY: Final = "identity"
KEPT: Final = "kept"
# Of one machine and directory only: not part of a state that is taken elsewhere.
LOCAL: Final = (LOCK, f"{LOCK}.reaper", WORKSPACE, IDENTITY, KEPT)


class StateDirectory:
    """A directory that one emulator at a time has."""

    def __init__(self, path: Path) -> None:
        """Take the directory.

        Raises:
            UsageError: it cannot be made or written, or another emulator has it.
        """
        self.path = path.absolute()
        self.workspace = self.path / WORKSPACE
        self.kept = self.path / KEPT
        self.lock = self.path / LOCK
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._held = _locked(self.path, "Stop it, or give this one a directory of its own: --state-dir DIR")
            self.workspace.mkdir(exist_ok=True)
            self.identity = _identity(self.path / IDENTITY)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def tidy(self, keep: Collection[str]) -> None:
        """Remove what jobs of a killed emulator have left in the workspace, but for some of its folders."""
        for leftover in self.workspace.iterdir():
            if leftover.name not in keep:
                shutil.rmtree(leftover, ignore_errors=True)

    def serve(self) -> None:
        """Tell whoever cleans up after an earlier emulator that this one has taken up what was left."""
        file_locks.say(self._held, f"{file_locks.SERVING} {os.getpid()}")

    def close(self, *, keep: Collection[str] = ()) -> None:
        """Let the directory go, and empty the workspace but for some of its folders."""
        self.tidy(keep)
        if not keep:
            shutil.rmtree(self.workspace, ignore_errors=True)
        os.close(self._held)


@contextmanager
def at_rest(path: Path) -> Iterator[None]:
    """Hold a state directory that no emulator uses, so that none starts with it meanwhile.

    Raises:
        UsageError: an emulator has it.
    """
    try:
        lock = _locked(path, "Stop it first.")
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        yield
    finally:
        os.close(lock)


def _locked(path: Path, advice: str) -> int:
    file = path / LOCK
    lock = file_locks.take(file)
    if lock is None and file_locks.said(file) == file_locks.CLEANING_UP:
        lock = file_locks.take(file, wait=True)
    if lock is None:
        raise UsageError(f"Another emulator uses the state directory {path}. {advice}")
    file_locks.say(lock, "")
    _make_room(path)
    return lock


def _make_room(path: Path) -> None:
    """Give up the reserve of a disk that is full: databases need room to be opened, also for deleting."""
    disk = os.statvfs(path)
    if disk.f_bavail * disk.f_frsize < ROOM_TO_START:
        with suppress(OSError):
            (path / OBJECTS_FOLDER / RESERVE_FILE).unlink(missing_ok=True)


def _identity(file: Path) -> str:
    """Return what tells this state from all others, also in an engine that several share."""
    if not file.exists():
        aside = file.with_suffix(".tmp")
        aside.write_text(uuid.uuid4().hex[:12], encoding="ascii")
        aside.replace(file)
    return file.read_text(encoding="ascii")


def _unusable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"The state directory {path} cannot be used: {error.strerror}.")
