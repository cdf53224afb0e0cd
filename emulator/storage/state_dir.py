"""The state directory: who has it, and what may lie in it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..errors import UsageError

LOCK: Final = "lock"
WORKSPACE: Final = "work"


class StateDirectory:
    """A directory that one emulator at a time has. Leftovers of a killed one's jobs are removed."""

    def __init__(self, path: Path) -> None:
        """Take the directory.

        Raises:
            UsageError: it cannot be made or written, or another emulator has it.
        """
        self.path = path.absolute()
        self.workspace = self.path / WORKSPACE
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _unusable(self.path, error) from error
        self._lock = _locked(self.path, "Stop it, or give this one a directory of its own: --state-dir DIR")
        shutil.rmtree(self.workspace, ignore_errors=True)
        self.workspace.mkdir(exist_ok=True)

    def close(self) -> None:
        """Let the directory go."""
        shutil.rmtree(self.workspace, ignore_errors=True)
        os.close(self._lock)


@contextmanager
def at_rest(path: Path) -> Iterator[None]:
    """Hold a state directory that no emulator uses, so that none starts with it meanwhile.

    Raises:
        UsageError: an emulator has it.
    """
    lock = _locked(path, "Stop it first.")
    try:
        yield
    finally:
        os.close(lock)


def _locked(path: Path, advice: str) -> int:
    try:
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise UsageError(f"Another emulator uses the state directory {path}. {advice}") from error
    return lock


def _unusable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"The state directory {path} cannot be used: {error.strerror}.")
