"""Locks on files, between processes and within one."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

from emulator import file_locks

HOLD = "import sys, pathlib; from emulator import file_locks; "
HOLD += "print(file_locks.take(pathlib.Path(sys.argv[1]), wait=True), flush=True); sys.stdin.read()"
LOOK = "import sys, pathlib; from emulator import file_locks; path = pathlib.Path(sys.argv[1])\n"
LOOK += "print(file_locks.is_held(path), flush=True)\nwhile True: file_locks.is_held(path)"


def test_one_has_a_lock_until_he_lets_it_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not file_locks.is_held(path)
    assert not path.exists()
    held = file_locks.take(path)
    assert held is not None
    assert file_locks.is_held(path)
    assert file_locks.take(path) is None
    os.close(held)
    assert not file_locks.is_held(path)
    assert file_locks.take(path) is not None


def test_a_lock_ends_with_the_process_that_has_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        assert file_locks.is_held(path)
        process.kill()
        process.wait()
        assert not file_locks.is_held(path)


def test_looking_does_not_keep_others_from_taking(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with subprocess.Popen([sys.executable, "-c", LOOK, str(path)], stdout=subprocess.PIPE) as looking:
        try:
            assert looking.stdout is not None
            assert looking.stdout.readline()
            for _ in range(200):
                held = file_locks.take(path)
                assert held is not None
                os.close(held)
        finally:
            looking.kill()


def test_who_looks_for_long_is_waited_for(tmp_path: Path) -> None:
    """On a busy machine a process may be held up while it looks."""
    path = tmp_path / "lock"
    path.touch()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(1, os.close, [looking]).start()
    held = file_locks.take(path)
    assert held is not None
    os.close(held)


def test_who_has_a_lock_may_say_what_he_does(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = file_locks.take(path)
    assert held is not None
    file_locks.say(held, file_locks.CLEANING_UP)
    assert file_locks.said(path) == file_locks.CLEANING_UP
    file_locks.say(held, "")
    assert file_locks.said(path) == ""
    os.close(held)
