"""Outlives the emulator by a moment: removes its containers and networks when it was killed.

Run as a child process whose standard input is a pipe from the emulator. The pipe's end is the
emulator's end, however it came about; a word before it says that all was removed already.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

_ALL_REMOVED: Final = b"all removed"


def start(owner: str) -> subprocess.Popen[bytes]:
    """Start the child, in a session of its own so that Ctrl-C does not reach it."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, owner],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def dismiss(child: subprocess.Popen[bytes]) -> None:
    """Let the child go: nothing is left for it to do."""
    child.communicate(_ALL_REMOVED, timeout=30)


def main() -> None:
    """Wait for the end of standard input, then remove what the owner named by the argument has left."""
    if sys.stdin.buffer.read() == _ALL_REMOVED:
        return
    from .connection import connect
    from .networks import leave_platform_network
    from .removal import remove_owned

    api = connect()
    remove_owned(api, sys.argv[1])
    leave_platform_network(api)


if __name__ == "__main__":
    main()
