"""Who has a state directory."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from emulator import file_locks
from emulator.errors import UsageError
from emulator.storage.state_dir import StateDirectory, at_rest


def test_the_second_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    first = StateDirectory(tmp_path)
    with pytest.raises(UsageError, match=r"Another emulator uses the state directory .* --state-dir DIR"):
        StateDirectory(tmp_path)
    with pytest.raises(UsageError, match="Stop it first"), at_rest(tmp_path):
        pass
    first.close()
    StateDirectory(tmp_path).close()


def test_one_that_is_being_cleaned_up_is_waited_for(tmp_path: Path) -> None:
    StateDirectory(tmp_path).close()
    held = file_locks.take(tmp_path / "lock")
    assert held is not None
    file_locks.say(held, file_locks.CLEANING_UP)
    cleaned = threading.Timer(0.6, os.close, [held])
    cleaned.start()
    StateDirectory(tmp_path).close()
    assert file_locks.said(tmp_path / "lock") == ""


def test_its_identity_stays_and_is_no_other_directory_s(tmp_path: Path) -> None:
    def identity(folder: Path) -> str:
        state = StateDirectory(folder)
        state.close()
        return state.identity

    assert identity(tmp_path / "a") == identity(tmp_path / "a") != identity(tmp_path / "b")


def test_tidying_keeps_what_jobs_still_need(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    for name in ("1-gone", "2-runs"):
        (state.workspace / name / "algo-1").mkdir(parents=True)
    state.tidy(keep=["2-runs"])
    assert [path.name for path in state.workspace.iterdir()] == ["2-runs"]
    state.close()
    assert not state.workspace.exists()
