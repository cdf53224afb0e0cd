"""Commands that run as a user who is nobody special."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

USER = 54321

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def as_user(*, docker: bool = False) -> list[str]:
    """Return the start of a command that runs as an ordinary user, who may use the Docker Engine if asked for.

    This interpreter may lie where only root can read: reading is what he keeps of root's rights.
    """
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv (util-linux) is missing"
    groups = f"--groups={Path('/var/run/docker.sock').stat().st_gid}" if docker else "--clear-groups"
    reading = [f"--{which}=-all,+dac_read_search" for which in ("inh-caps", "ambient-caps", "bounding-set")]
    return [setpriv, f"--reuid={USER}", f"--regid={USER}", groups, *reading]


def foreign(folder: Path) -> list[Path]:
    """Return what is in a folder and not the user's."""
    return [path for path in folder.rglob("*") if path.lstat().st_uid != USER]
