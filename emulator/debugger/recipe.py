"""What a person does to attach: the settings of editors, for one program that waits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_WAITS: Final = re.compile(r"sagemaker-emulator debug: (?P<program>.+) waits for a debugger at port (?P<port>\d+)")
_SKIPPED: Final = {".git", ".venv", "node_modules", "__pycache__"}


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A program that waits: its path in the container, its port on this machine, and where its source lies here."""

    program: PurePosixPath
    port: int
    local: Path | None

    @classmethod
    def told_by(cls, message: str, sources: Iterable[Path]) -> Waiting | None:
        """Read a line of a job's log; None if it is about something else. `sources` are folders that may have it."""
        match = _WAITS.fullmatch(message.strip())
        if match is None:
            return None
        program = PurePosixPath(match["program"])
        return cls(program=program, port=int(match["port"]), local=_local(program, sources))

    @property
    def mapping(self) -> tuple[str, str]:
        """The folder here and the folder there that hold the same files."""
        here = "${workspaceFolder}" if self.local is None else str(self.local)
        return here, str(self.program.parent)

    @property
    def launch_json(self) -> str:
        """VS Code's .vscode/launch.json."""
        here, there = self.mapping
        configuration = {
            "name": "SageMaker job",
            "type": "debugpy",
            "request": "attach",
            "connect": {"host": "127.0.0.1", "port": self.port},
            "pathMappings": [{"localRoot": here, "remoteRoot": there}],
            "justMyCode": False,
        }
        return json.dumps({"version": "0.2.0", "configurations": [configuration]}, indent=2)

    @property
    def lines(self) -> str:
        """All of it as text."""
        here, there = self.mapping
        return (
            f"{self.program} waits for a debugger at 127.0.0.1:{self.port}. It waits as long as you like.\n"
            f"VS Code: this as .vscode/launch.json, then F5:\n{self.launch_json}\n"
            f"PyCharm (a version that attaches to debugpy): host 127.0.0.1, port {self.port}, "
            f"path mapping {here} = {there}\n"
            "Others: any client of the Debug Adapter Protocol. Ctrl-C here stops the job."
        )


def _local(program: PurePosixPath, sources: Iterable[Path]) -> Path | None:
    """Return the folder here with the only file of the program's name; None if there are several, or none."""
    found = {
        path.parent.resolve()
        for source in sources
        for path in source.rglob(program.name)
        if path.is_file() and not _SKIPPED.intersection(path.relative_to(source).parts)
    }
    return found.pop() if len(found) == 1 else None
