"""Data from S3 to a File channel."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from .measuring import Row, medians
from .running import run
from .setting import Setting

_ROUNDS = 3
_MEBIBYTES = 256


def measure(setting: Setting) -> Iterator[Row]:
    """Measure what one large object adds to a job, beside `cp` of a file of that size."""
    nothing = {"PROGRAM": "true"}
    file = setting.folder() / "object"
    file.write_bytes(os.urandom(_MEBIBYTES * 1024**2))
    channel = setting.jobs.channel("data", {"/object": file.read_bytes()})
    with_data, without, copy = medians(
        _ROUNDS,
        lambda: setting.job_seconds(Environment=nothing, InputDataConfig=[channel]),
        lambda: setting.job_seconds(Environment=nothing),
        lambda: _copy_seconds(file),
    )
    yield Row(name=f"{_MEBIBYTES} MiB to a File channel", ours=with_data - without, baseline=copy, baseline_name="cp")


def _copy_seconds(file: Path) -> float:
    copy = file.with_suffix(".copy")
    started = time.perf_counter()
    run("cp", file, copy)
    seconds = time.perf_counter() - started
    copy.unlink()
    return seconds
