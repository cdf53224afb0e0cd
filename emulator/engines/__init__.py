"""Engines: each runs the containers of a job to their end. One folder an engine."""

from __future__ import annotations

from typing import Final

from ..errors import EngineUnavailableError
from ..jobs.ports import Engine

ENGINE_NAMES: Final = ("docker", "process", "auto")


def engine_named(name: str, *, copy_data: bool) -> Engine:
    """Open the engine that `--engine` names; `auto` takes the best that works here.

    `copy_data`: do not rely on the engine seeing this machine's disk.

    Raises:
        EngineUnavailableError: it cannot be used, with what to do about it.
    """
    if name == "process":
        raise EngineUnavailableError(
            "process", "this version does not have it yet.", "Use --engine docker, and start a Docker Engine."
        )
    from .docker.engine import DockerEngine

    return DockerEngine.open(copy_data=copy_data)
