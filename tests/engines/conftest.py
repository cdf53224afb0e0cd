"""Emulators that tests of the engines share, since each start is dear. Tests that share one are a group of xdist."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.ordinary_user import USER
from tests.up import Up, up


@pytest.fixture(scope="session")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Run many jobs at once in containers, each as large as its instance type."""
    with up(tmp_path_factory.mktemp("roomy"), "--limit-instances", "--max-parallel-jobs", "40") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def copying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Carry the data of containers as archives, as if the engine had another disk."""
    with up(tmp_path_factory.mktemp("copying"), "--copy-data") as emulator:
        yield emulator


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory of the ordinary user. He cannot rely on pytest's own folder, which each pytest closes again."""
    with tempfile.TemporaryDirectory(prefix="of-an-ordinary-user-") as folder:
        Path(folder).chmod(0o711)
        state = Path(folder, "state")
        state.mkdir(mode=0o755)
        os.chown(state, USER, USER)
        yield state
