"""From the start of `up` to the first answer of its health check."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from .measuring import Row, medians
from .setting import Setting, emulator_process, seconds_of

_ROUNDS = 7
_IMPORTS = "import moto.server, boto3"


def measure(setting: Setting) -> Iterator[Row]:
    """Measure it beside a Python that only imports what everything stands on."""
    ours, baseline = medians(
        _ROUNDS, lambda: _healthy_after(setting), lambda: seconds_of([sys.executable, "-c", _IMPORTS])
    )
    yield Row(
        name="`up` until healthy", ours=ours, baseline=baseline, baseline_name=f"python: {_IMPORTS}", seconds_target=1.2
    )


def _healthy_after(setting: Setting) -> float:
    with emulator_process(setting.folder() / "state") as (seconds, _):
        return seconds
