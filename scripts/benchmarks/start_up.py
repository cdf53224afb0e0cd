"""From the start of `up` to the first answer of its health check."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from . import servers
from .measuring import Row, medians
from .running import seconds_of
from .setting import Setting

_ROUNDS = 7
_IMPORTS = "import moto.server, boto3"


def measure(setting: Setting) -> Iterator[Row]:
    """Measure it beside a Python that only imports what everything stands on."""
    ours, baseline = medians(
        _ROUNDS, lambda: _healthy_after(setting), lambda: seconds_of([sys.executable, "-c", _IMPORTS])
    )
    yield Row(name="`up` until healthy", ours=ours, baseline=baseline, baseline_name=f"python: {_IMPORTS}", most=1.2)


def _healthy_after(setting: Setting) -> float:
    with servers.emulator(setting.folder() / "state") as server:
        return server.seconds
