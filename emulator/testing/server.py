"""The emulator of a pytest session, in a process of its own: `python -c "... main()" SETTINGS`.

Tests may freeze time, fake the file system, mock AWS or forbid sockets in their process. None of that
is to reach the emulator, and nothing of it them.
"""

from __future__ import annotations

import json
import logging
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
    folder = document.pop("removed_at_the_end")
    settings = Settings(**{**document, "state_dir": Path(document["state_dir"])})
    try:
        with Endpoint(settings) as endpoint:
            _say({"url": endpoint.url})
            threading.Thread(target=_await_end, args=(ended,), name="parent", daemon=True).start()
            ended.wait()
    except EmulatorError as error:
        _say({"error": str(error), "exit_code": str(error.exit_code)})
        return error.exit_code
    _remove(Path(folder), settings.state_dir)
    return 0


def _say(document: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _remove(folder: Path, state_dir: Path) -> None:
    """Remove a state of ours, and as the last emulator all of the session: pytest may be killed before it does."""
    if state_dir.parent == folder:
        shutil.rmtree(state_dir, ignore_errors=True)
    if not any(folder.glob("state-*")):
        shutil.rmtree(folder, ignore_errors=True)


def _await_end(ended: threading.Event) -> None:
    while sys.stdin.buffer.read(1):
        pass
    ended.set()
