"""The emulator of a pytest session, in a process of its own: `python -c "... main()" SETTINGS`.

Tests may freeze time, fake the file system, mock AWS or forbid sockets in their process. None of that
is to reach the emulator, and nothing of it them.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

from ..config import Settings
from ..errors import EmulatorError


def main() -> int:
    """Serve until standard input ends, which it does with the process that started this one."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    from ..endpoint import Endpoint

    document = json.loads(sys.argv[1])
    removed = document.pop("removed_with_its_starter")
    starter = os.getppid()
    settings = Settings(**{**document, "state_dir": Path(document["state_dir"])})
    try:
        with Endpoint(settings) as endpoint:
            _say({"url": endpoint.url})
            threading.Thread(target=_await_end, args=(ended,), name="parent", daemon=True).start()
            ended.wait()
    except EmulatorError as error:
        _say({"error": str(error), "exit_code": str(error.exit_code)})
        return error.exit_code
    _remove(Path(removed), settings.state_dir, starter_lives=os.getppid() == starter)
    return 0


def _say(document: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _remove(folder: Path, state_dir: Path, *, starter_lives: bool) -> None:
    """Remove a state of ours; where pytest was killed, the last of its emulators removes all of the session."""
    if state_dir.parent == folder:
        shutil.rmtree(state_dir, ignore_errors=True)
    if starter_lives:
        with contextlib.suppress(OSError):
            folder.rmdir()  # if pytest did not wait for us, and has removed the rest
    elif not any(folder.glob("state-*")):
        shutil.rmtree(folder, ignore_errors=True)


def _await_end(ended: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        pass
    ended.set()
