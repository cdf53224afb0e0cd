"""Engines: each runs the containers of a job to their end. One folder an engine."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from ..errors import EngineUnavailableError, UsageError
from ..jobs.ports import Engine, Owner

ENGINE_NAMES: Final = ("docker", "process", "auto")


def engine_named(name: str, owner: Owner, *, workspace: Path, keep: Collection[str], copy_data: bool) -> Engine:
    """Open the engine that `--engine` names; `auto` takes the best that works here.

    All that is made in it is the owner's. Of what an earlier emulator of his has left there, only what
    belongs to jobs with the unique names in `keep` stays, to be resumed. `workspace` has the directories of jobs.
    `copy_data`: do not rely on the engine seeing this machine's disk.

    Raises:
        UsageError: there is no engine of this name.
        EngineUnavailableError: it cannot be used, with what to do about it.
    """
    if name not in ENGINE_NAMES:
        raise UsageError(f"There is no engine {name!r}. Choose of {', '.join(ENGINE_NAMES)}.")
    if name == "process":
        return _process(workspace)
    try:
        from .docker.engine import DockerEngine

        return DockerEngine.open(owner, keep=keep, copy_data=copy_data)
    except EngineUnavailableError as no_docker:
        if name == "docker":
            raise
        try:
            return _process(workspace)
        except EngineUnavailableError as no_process:
            raise EngineUnavailableError.of_all([no_docker, no_process]) from no_process


def _process(workspace: Path) -> Engine:
    from .process.engine import ProcessEngine

    return ProcessEngine.open(workspace)
