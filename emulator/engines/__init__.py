"""Engines: each runs the containers of a job to their end. One folder an engine."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from ..errors import EngineUnavailableError
from ..jobs.ports import Engine, Owner

ENGINE_NAMES: Final = ("docker", "process", "auto")


def engine_named(name: str, owner: Owner, *, keep: Collection[str], copy_data: bool) -> Engine:
    """Open the engine that `--engine` names; `auto` takes the best that works here.

    All that is made in it is the owner's. Of what an earlier emulator of his has left there, only what
    belongs to jobs with the unique names in `keep` stays, to be resumed. `copy_data`: do not rely on the
    engine seeing this machine's disk.

    Raises:
        EngineUnavailableError: it cannot be used, with what to do about it.
    """
    if name == "process":
        raise EngineUnavailableError(
            "process", "this version does not have it yet.", "Use --engine docker, and start a Docker Engine."
        )
    from .docker.engine import DockerEngine

    return DockerEngine.open(owner, keep=keep, copy_data=copy_data)
