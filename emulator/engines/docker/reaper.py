"""Outlives the emulator: removes its containers and networks when it was killed and no other takes them up.

Run as a child process whose standard input is a pipe from the emulator. The pipe's end is the
emulator's end, however it came about; a word before it says that all was removed already.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
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
    if sys.stdin.buffer.read() == _ALL_REMOVED:
        return
    held = _without_successor(owner)
    if held is not None:
        remove_all(owner.identity)
        os.close(held)


def _without_successor(owner: Owner) -> int | None:
    """Wait for another emulator; return its lock, taken, when none has come in time.

    While it is held no emulator can start with the state that its containers are being removed of.
    """
    deadline = time.monotonic() + owner.recovery_window
    while time.monotonic() < deadline and owner.lock.exists():
        if file_locks.is_held(owner.lock):
            return None
        time.sleep(_LOOK_EVERY_SECONDS)
    owner.lock.parent.mkdir(parents=True, exist_ok=True)
    return file_locks.take(owner.lock)


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
