"""The state directory: who has it, and what may lie in it."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from ..errors import UsageError


class StateDirectory:
    """A directory that one emulator at a time has. Leftovers of a killed one's jobs are removed."""

    def __init__(self, path: Path) -> None:
        """Take the directory.

        Raises:
            UsageError: it cannot be made or written, or another emulator has it.
        """
        self.path = path.absolute()
        self.workspace = self.path / "work"
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"The state directory {self.path} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise UsageError(
                f"Another emulator uses the state directory {self.path}. "
                "Stop it, or give this one a directory of its own: --state-dir DIR"
            ) from error
        shutil.rmtree(self.workspace, ignore_errors=True)
        self.workspace.mkdir(exist_ok=True)

    def close(self) -> None:
        """Let the directory go."""
        shutil.rmtree(self.workspace, ignore_errors=True)
        os.close(self._lock)
