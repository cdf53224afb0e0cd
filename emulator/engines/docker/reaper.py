"""Outlives the emulator: removes its containers and networks when it was killed and no other takes them up.

Run as a child process whose standard input is a pipe from the emulator. The pipe's end is the
emulator's end, however it came about; a word before it says that all was removed already.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ... import file_locks
from ...jobs.ports import Owner
from .labels import reaper_lock

_ALL_REMOVED: Final = b"all removed"
_LOOK_EVERY_SECONDS: Final = 0.2


def start(owner: Owner) -> subprocess.Popen[bytes]:
    """Start the child, in a session of its own so that Ctrl-C does not reach it."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, owner.identity, str(owner.lock), str(owner.recovery_window)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def leave(child: subprocess.Popen[bytes]) -> None:
    """Leave the child to itself, as if this process had been killed."""
    assert child.stdin is not None
    child.stdin.close()


def dismiss(child: subprocess.Popen[bytes]) -> None:
    """Let the child go: nothing is left for it to do."""
    child.communicate(_ALL_REMOVED, timeout=30)


def main() -> None:
    """Wait for the end of standard input, then clean up after the owner that the arguments describe."""
    emulator = os.getppid()
    owner = Owner(identity=sys.argv[1], lock=Path(sys.argv[2]), recovery_window=float(sys.argv[3]))
    # Held for as long as this process lives: it tells others that somebody cleans up. Its predecessor
    # is about to find that there is a new emulator.
    told = None
    while file_locks.take(reaper_lock(owner.lock)) is None:
        if told is None and select.select([sys.stdin], [], [], _LOOK_EVERY_SECONDS)[0]:
            told = sys.stdin.buffer.read()
        if told == _ALL_REMOVED:  # by an emulator whose start failed, which must not wait for our predecessor
            return
    if (sys.stdin.buffer.read() if told is None else told) == _ALL_REMOVED:
        return
    with _left_alone(owner, emulator) as alone:
        if alone:
            remove_all(owner.identity)


@contextmanager
def _left_alone(owner: Owner, emulator: int) -> Iterator[bool]:
    """Wait for another emulator of the owner; yield False when one has taken up what is left.

    Who only holds the lock (to save the state, or to fail) is waited for. While True is yielded we hold it
    ourselves, and emulators that start wait. There can be none once the state directory is gone.
    """
    deadline = time.monotonic() + owner.recovery_window
    while owner.lock.exists():
        held = None
        if file_locks.is_held(owner.lock):
            word, _, process = file_locks.said(owner.lock).partition(" ")
            if word == file_locks.SERVING and process != str(emulator):
                yield False
                return
        elif time.monotonic() >= deadline:
            held = file_locks.take(owner.lock)
        if held is not None:
            file_locks.say(held, file_locks.CLEANING_UP)
            try:
                yield True
            finally:
                file_locks.say(held, "")
                os.close(held)
            return
        time.sleep(_LOOK_EVERY_SECONDS)
    yield True


def remove_all(identity: str) -> None:
    """Remove all that an owner has in the engine."""
    from .connection import connect
    from .platform_network import remove_if_unused
    from .removal import remove_owned

    api = connect()
    remove_owned(api, identity)
    remove_if_unused(api)


if __name__ == "__main__":
    main()
