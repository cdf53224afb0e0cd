"""What was kept of jobs after a run: found, entered again, and removed. No emulator needs to run for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from .. import file_locks

KEPT: Final = "kept"
_NOTE: Final = "kept.json"
_LOCK: Final = "lock"


@dataclass(frozen=True, kw_only=True)
class KeptJob:
    """One job's directories below a state directory, and what its engine still has; `ended` is in epoch seconds."""

    folder: Path
    name: str
    status: str
    engine: str
    ended: float = 0

    @property
    def state_dir(self) -> Path:
        """The state of the run, which has its record and log too."""
        return self.folder.parent.parent

    @classmethod
    def at(cls, folder: Path) -> Self | None:
        """Read what is kept in a folder; None: an emulator is still at work there."""
        try:
            note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            lock = folder.parent.parent / _LOCK
            if lock.exists() and file_locks.is_held(lock):
                return None
            # Its emulator was killed before it could write the note.
            engine = "process" if any(folder.glob("*-own")) else "docker"
            return cls(folder=folder, name=folder.name.partition("-")[2], status="unknown", engine=engine)
        return cls(folder=folder, name=note["name"], status=note["status"], engine=note["engine"], ended=note["ended"])


def kept_jobs(state_dirs: Iterable[Path]) -> list[KeptJob]:
    """Return what is kept in state directories, oldest first."""
    folders = [folder for state in state_dirs for folder in sorted((state / KEPT).glob("*")) if folder.is_dir()]
    found = (KeptJob.at(folder) for folder in dict.fromkeys(folders))
    return sorted((one for one in found if one is not None), key=lambda one: one.ended)


def kept_in_engine() -> list[KeptJob]:
    """Return what a Docker Engine has of kept jobs, wherever their state is, or was.

    Raises:
        EngineUnavailableError: none answers.
    """
    from .docker.kept import kept_folders

    found = []
    for path, name in kept_folders().items():
        folder = Path(path)
        gone = KeptJob(folder=folder, name=name, status="directories are gone", engine="docker")
        one = KeptJob.at(folder) if folder.is_dir() else gone
        if one is not None:
            found.append(one)
    return found


def remove(kept: KeptJob) -> None:
    """Remove a kept job's containers and directories; the job's record and log stay with its state.

    Raises:
        EngineUnavailableError: its engine does not answer. Nothing was removed.
    """
    if kept.engine == "docker":
        from .docker import kept as docker_kept

        docker_kept.remove_kept(kept.folder)
    else:
        from .process.entering import remove_kept

        remove_kept(kept.folder)
    if kept.folder.exists():
        shutil.rmtree(kept.folder)


@contextmanager
def entered(kept: KeptJob, host: str, command: Sequence[str], *, terminal: bool) -> Iterator[list[str]]:
    """Give the command of this machine that runs a program where a kept container has ended.

    Raises:
        EmulatorError: that host has nothing kept, or the engine cannot do it.
    """
    if kept.engine == "docker":
        from .docker.kept import entered_container

        with entered_container(kept.folder, host, command, terminal=terminal) as argv:
            yield argv
    else:
        from .process.entering import entered_again

        with entered_again(kept.folder, host, command) as argv:
            yield argv
