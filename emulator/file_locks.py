"""Locks on files: they end with the process that has them, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Final

# A process that has just been killed may still have its locks.
_GRACE_SECONDS: Final = 0.3
# Whoever only looks whether a lock is held shares it for a moment, which is long on a busy machine.
_LOOK_SECONDS: Final = 30.0

CLEANING_UP: Final = "cleaning up"
"""What the file of a lock says while its holder is about to let it go by itself."""
SERVING: Final = "serving"
"""What it says, with a process number, once its holder has taken up what an earlier one has left."""


def take(path: Path, *, wait: bool = False) -> int | None:
    """Take a lock, making its file if it is not there; None if somebody else has it.

    Returns the descriptor that holds the lock until it is closed. `wait`: for as long as it takes.

    Raises:
        OSError: the file cannot be made or opened.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        taken = _taken(lock, wait=wait)
    except OSError:
        os.close(lock)
        raise
    if taken:
        return lock
    os.close(lock)
    return None


def _taken(lock: int, *, wait: bool) -> bool:
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            waited = time.monotonic() - began
            if waited > _LOOK_SECONDS or (waited > _GRACE_SECONDS and not _shares(lock)):
                return False
            time.sleep(0.01)
        else:
            return True


def _shares(lock: int) -> bool:
    """Tell whether those who have a lock only look at it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True


def is_held(path: Path) -> bool:
    """Tell whether somebody has the lock; nobody does if there is no such file.

    Raises:
        OSError: the file cannot be opened for another reason.
    """
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def say(lock: int, text: str) -> None:
    """Write a word into the file of a lock that is held."""
    os.ftruncate(lock, 0)
    os.pwrite(lock, text.encode(), 0)


def said(path: Path) -> str:
    """Return the word in the file of a lock."""
    return path.read_text(encoding="utf-8")
