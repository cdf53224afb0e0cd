"""Starts the emulator of a pytest session, and ends it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final

from ..errors import EmulatorError, EndpointUnavailableError
from ..reroute.environment import SITE

_START_SECONDS: Final = 120.0
_END_SECONDS: Final = 60.0
_LOG_LINES_SHOWN: Final = 20
# -P keeps the current folder off the path, and with it an `emulator` of the user's.
_PROGRAM: Final = "import sys; sys.path.insert(0, sys.argv.pop(1)); from {module} import main; sys.exit(main())"
_PACKAGE: Final = __name__.rpartition(".")[0]
_ABOVE_THE_PACKAGE: Final = Path(__file__).parents[2]


class ServerProcess:
    """An emulator in a process of its own. `log` is where it writes what goes wrong in it.

    Raises:
        EmulatorError: it does not start, with its own words.
    """

    def __init__(self, settings: Mapping[str, Any], log: Path) -> None:
        self._log = log
        command = [sys.executable, "-P", "-c", _PROGRAM.format(module=f"{_PACKAGE}.server")]
        arguments = [str(_ABOVE_THE_PACKAGE), json.dumps(dict(settings), default=str)]
        with log.open("ab") as file:
            # In a session of its own: Ctrl-C is for pytest, which ends its tests first.
            self._process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
                env=_environment(),
            )
        try:
            self.url = self._url()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End every job and the emulator."""
        process = self._process
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        finally:
            if process.stdout is not None:
                process.stdout.close()

    def _url(self) -> str:
        """Return the address that it says when it listens."""
        said: queue.Queue[bytes] = queue.Queue()
        output: IO[bytes] | None = self._process.stdout
        assert output is not None
        threading.Thread(target=lambda: said.put(output.readline()), name="emulator start", daemon=True).start()
        try:
            line = said.get(timeout=_START_SECONDS)
        except queue.Empty:
            late = f"The emulator did not start within {_START_SECONDS:g} s."
            raise EndpointUnavailableError(late + self._end_of_log()) from None
        try:
            document: dict[str, str] = json.loads(line)
        except ValueError:
            raise EndpointUnavailableError(f"The emulator did not start.{self._end_of_log()}") from None
        if "error" in document:
            error = EmulatorError(document["error"])
            error.exit_code = int(document["exit_code"])
            raise error
        return document["url"]

    def _end_of_log(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        return f" The end of {self._log}:\n" + "\n".join(lines) if lines else ""


def _environment() -> dict[str, str]:
    """Return what the emulator sees of our environment: no credentials, no hooks of tests, and no rerouting."""
    path = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry not in ("", str(SITE))]
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("AWS_", "COV_CORE_", "PYTEST_", "SAGEMAKER_")) and name != "PYTHONPATH"
    }
    return {**kept, "PYTHONPATH": os.pathsep.join(path)} if path else kept
