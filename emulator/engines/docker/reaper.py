"""Outlives the emulator by a moment: removes its containers and networks when it was killed.

Run as a child process whose standard input is a pipe from the emulator. The pipe's end is the
emulator's end, however it came about. After an orderly shutdown there is nothing left to remove.
"""

from __future__ import annotations

import subprocess
import sys


def start(owner: str) -> subprocess.Popen[bytes]:
    """Start the child, in a session of its own so that Ctrl-C does not reach it."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, owner],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main() -> None:
    """Wait for the end of standard input, then remove what the owner named by the argument has left."""
    sys.stdin.buffer.read()
    from .connection import connect
    from .removal import remove_owned

    remove_owned(connect(), sys.argv[1])


if __name__ == "__main__":
    main()
