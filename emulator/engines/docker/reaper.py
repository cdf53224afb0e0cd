"""Outlives the emulator: removes its containers and networks when it was killed and no other takes them up.

Run as a child process whose standard input is a pipe from the emulator. The pipe's end is the
emulator's end, however it came about; a word before it says that all was removed already.
"""

from __future__ import annotations

import os
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


def dismiss(child: subprocess.Popen[bytes]) -> None:
    """Let the child go: nothing is left for it to do."""
    child.communicate(_ALL_REMOVED, timeout=30)


def main() -> None:
    """Wait for the end of standard input, then clean up after the owner that the arguments describe."""
    owner = Owner(identity=sys.argv[1], lock=Path(sys.argv[2]), recovery_window=float(sys.argv[3]))
    # Held for as long as this process lives: it tells others that somebody cleans up. Its predecessor
    # is about to find that there is a new emulator.
    file_locks.take(reaper_lock(owner.lock), wait=True)
    if sys.stdin.buffer.read() == _ALL_REMOVED or _has_successor(owner):
        return
    with _nobody_starting(owner.lock) as alone:
        if alone:
            remove_all(owner.identity)


def _has_successor(owner: Owner) -> bool:
    """Wait for another emulator of the owner; there can be none once the state directory is gone."""
    deadline = time.monotonic() + owner.recovery_window
    while time.monotonic() < deadline and owner.lock.exists():
        if file_locks.is_held(owner.lock):
            return True
        time.sleep(_LOOK_EVERY_SECONDS)
    return False


@contextmanager
def _nobody_starting(lock: Path) -> Iterator[bool]:
    """Keep emulators from taking up what is being removed: they wait. Yields False if one was quicker."""
    if not lock.exists():
        yield True
        return
    held = file_locks.take(lock)
    if held is None:
        yield False
        return
    file_locks.say(held, file_locks.CLEANING_UP)
    try:
        yield True
    finally:
        file_locks.say(held, "")
        os.close(held)


def remove_all(identity: str) -> None:
    """Remove all that an owner has in the engine."""
    from .connection import connect
    from .networks import leave_platform_network
    from .removal import remove_owned

    api = connect()
    remove_owned(api, identity)
    leave_platform_network(api)


if __name__ == "__main__":
    main()
