"""A shell where a host's program runs, or has run: in its namespaces, or in such made again of what was kept."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ...contract.hands_on import HOLD
from ...errors import EmulatorError
from ..trees import open_up
from .launch import Launchers, probe
from .surroundings import KEPT_SPEC

_SHELL: Final = ("/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")
# What nsenter calls each kind of namespace, and what /proc does.
_NAMESPACES: Final = {
    "user": "user",
    "mount": "mnt",
    "uts": "uts",
    "ipc": "ipc",
    "net": "net",
    "pid": "pid",
}
_FOLDER: Final = "-own"


def enter_command(process: int, part: Mapping[str, Any], command: Sequence[str]) -> list[str]:
    """Return what runs a program beside the process of a host: its namespaces, directory and variables.

    Raises:
        EmulatorError: nsenter is not installed.
    """
    nsenter = shutil.which("nsenter")
    if nsenter is None:
        raise EmulatorError("A shell in a program's namespaces needs nsenter, of the package util-linux. Install it.")
    namespaces = [
        f"--{option}" for option, name in _NAMESPACES.items() if _namespace(process, name) != _namespace("self", name)
    ]
    return [
        nsenter,
        f"--target={process}",
        *namespaces,
        *(["--preserve-credentials"] if "--user" in namespaces else []),
        "--root",
        f"--wd=/proc/{process}/cwd",
        "env",
        "-i",
        *(f"{name}={value}" for name, value in {"TERM": os.environ.get("TERM", "dumb"), **part["environment"]}.items()),
        *(command or _SHELL),
    ]


def _namespace(process: int | str, name: str) -> str:
    return str(Path(f"/proc/{process}/ns/{name}").readlink())


@contextmanager
def entered_again(folder: Path, host: str, command: Sequence[str]) -> Iterator[list[str]]:
    """Make a host's surroundings again of what was kept of it, and give the command that runs a program there.

    Raises:
        EmulatorError: nothing is kept of the host.
        EngineUnavailableError: the kernel does not allow it (any more).
    """
    file = folder / f"{host}{_FOLDER}" / KEPT_SPEC
    if not file.is_file():
        there = sorted(path.parent.name.removesuffix(_FOLDER) for path in folder.glob(f"*{_FOLDER}/{KEPT_SPEC}"))
        raise EmulatorError(f"Nothing is kept of {host}. Kept are {', '.join(there) or 'none'}.")
    part = json.loads(file.read_text(encoding="utf-8"))
    found = probe()
    shared = {"pid_namespace": not found["pid"], "prefix": 26, "endpoint_port": None}
    spec = {
        "user_namespace": bool(found["mount"]),
        "network": part["isolated"],
        "shared": shared,
        "hosts": [{**part, "argv": list(HOLD)}],
    }
    launchers = Launchers()
    launch = launchers.launch([host], spec)
    try:
        (process,) = launch.hosts
        process.wait_until_ready()
        process.start()
        yield enter_command(process.program, part, command)
    finally:
        launch.close()
        launchers.close()


def remove_kept(folder: Path) -> None:
    """Make it possible to delete what programs have closed."""
    if os.geteuid() != 0:
        open_up(folder)
