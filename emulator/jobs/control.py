"""What others may do to a running job, and what they may see of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage that moves data has come, in bytes; total 0 while it is not known."""

    stage: str = ""
    done_bytes: int = 0
    total_bytes: int = 0


class ShutdownRequestedError(Exception):
    """The emulator is going down; the job's containers must go now."""


@dataclass(kw_only=True)
class JobControl:
    """The hand on a running job. Setting anything wakes the thread that watches it."""

    _wake: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _shutdown: threading.Event = field(default_factory=threading.Event)
    progress: Progress = field(default_factory=Progress)

    def request_stop(self) -> None:
        """Ask the job to stop as StopTrainingJob does."""
        self._stop.set()
        self._wake.set()

    def request_shutdown(self) -> None:
        """Ask the job to end at once because the emulator ends."""
        self._shutdown.set()
        self._wake.set()

    def wake(self, _: object = None) -> None:
        """Let the watching thread look again."""
        self._wake.set()

    @property
    def stop_requested(self) -> bool:
        """Whether StopTrainingJob was called.

        Raises:
            ShutdownRequestedError: the emulator is going down, which goes before.
        """
        if self._shutdown.is_set():
            raise ShutdownRequestedError
        return self._stop.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep until something happens, at most this long."""
        self._wake.wait(seconds)
        self._wake.clear()
