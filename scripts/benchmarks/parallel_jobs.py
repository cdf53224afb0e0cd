"""Many jobs at once."""

from __future__ import annotations

from collections.abc import Iterator

from .measuring import Row, medians
from .running import seconds_of
from .setting import Setting

_ROUNDS = 3
_JOBS = 20


def measure(setting: Setting) -> Iterator[Row]:
    """Measure until the last of them is Completed, beside as many bare containers."""
    nothing = {"PROGRAM": "true"}
    ours, baseline = medians(
        _ROUNDS,
        lambda: setting.jobs_seconds(_JOBS, Environment=nothing),
        lambda: seconds_of(*(setting.bare_run(Environment=nothing) for _ in range(_JOBS))),
    )
    yield Row(name=f"{_JOBS} jobs at once", ours=ours, baseline=baseline, baseline_name=f"{_JOBS} docker run")
