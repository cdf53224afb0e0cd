"""The clock of the service's limits."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .ports import Clock


@dataclass(frozen=True)
class SystemClock:
    """Real time; with a time scale of 60 a limit of one hour is over after one minute.

    Only limits are scaled (MaxRuntimeInSeconds, the 120 s between SIGTERM and SIGKILL). Time stamps
    stay real, so that logs, metrics and clients agree on when things happened.
    """

    time_scale: float = 1.0

    def now(self) -> float:
        """Return epoch seconds, in milliseconds as the service gives them."""
        return round(time.time(), 3)

    def deadline(self, service_seconds: float, since: float | None = None) -> float:
        """Return the monotonic moment at which a limit of the service is over that runs since a time."""
        passed = 0.0 if since is None else max(0.0, time.time() - since)
        return time.monotonic() - passed + service_seconds / self.time_scale

    def unscaled_deadline(self, seconds: float) -> float:
        """Return the monotonic moment at which a limit of this emulator's own is over."""
        return time.monotonic() + seconds

    def remaining(self, deadline: float) -> float:
        """Return real seconds until a deadline, at least 0."""
        return max(0.0, deadline - time.monotonic())


_: type[Clock] = SystemClock
