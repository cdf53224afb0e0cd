"""docs/engines.md says of each capability what the engines say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from emulator.engines.differences import ENGINES, MEANINGS
from emulator.jobs.ports import Capabilities

REPOSITORY = Path(__file__).parents[2]


def test_every_capability_is_explained() -> None:
    assert list(MEANINGS) == [field.name for field in fields(Capabilities)]
    assert list(ENGINES) == ["docker", "process"]


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/engines_doc.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
