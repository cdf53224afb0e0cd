"""A job whose container fills the disk of the state directory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.up import up

pytestmark = pytest.mark.docker


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_the_job_fails_says_why_and_the_next_one_runs(small_disk: Path, image: Callable[[str], str]) -> None:
    with up(small_disk) as emulator:
        jobs = emulator.jobs(image)
        full = jobs.running("dd if=/dev/zero of=/opt/ml/model/much bs=1M; seq 20000; echo end; exit 0").ended()
        assert full.status == "Failed"
        assert "no space is left" in full.failure_reason or "full" in full.failure_reason, full.failure_reason
        assert jobs.running("echo fine").ended().status == "Completed"
