"""From the start of `up` to the first answer of its health check, or until it has said that no engine answers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

from . import servers
from .measuring import Row, medians
from .running import seconds_of
from .setting import Setting

_ROUNDS = 7
_IMPORTS = "import moto.server, boto3"
_NO_ENGINE = 3
"""The exit code that says so."""


def measure(setting: Setting) -> Iterator[Row]:
    """Measure it beside a Python that only imports what everything stands on."""
    ours, baseline = medians(
        _ROUNDS, lambda: _healthy_after(setting), lambda: seconds_of([sys.executable, "-c", _IMPORTS])
    )
    yield Row(name="`up` until healthy", ours=ours, baseline=baseline, baseline_name=f"python: {_IMPORTS}", most=1.2)
    refused, baseline = medians(
        _ROUNDS, lambda: _refused_after(setting), lambda: seconds_of([sys.executable, "-c", ""])
    )
    yield Row(
        name="`up` without a Docker Engine, until it has said so",
        ours=refused,
        baseline=baseline,
        baseline_name="python that does nothing",
        most=2.0,
    )


def _healthy_after(setting: Setting) -> float:
    with servers.emulator(setting.folder() / "state") as server:
        return server.seconds


def _refused_after(setting: Setting) -> float:
    folder = setting.folder()
    up = [sys.executable, "-m", "emulator", "up", "--engine=docker", "--port=0", f"--state-dir={folder / 'state'}"]
    command = f"DOCKER_HOST=unix://{folder / 'nobody.sock'} {shlex.join(up)}; [ $? = {_NO_ENGINE} ]"
    return seconds_of(["sh", "-c", command])
