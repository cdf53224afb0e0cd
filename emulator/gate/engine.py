"""Whether there is an engine for a rung, asked before any job runs."""

from __future__ import annotations

from contextlib import closing

from ..engines.docker.connection import connect


def require_engine(rungs: str) -> None:
    """Be sure that a Docker Engine answers if one of the rungs cannot do without.

    Raises:
        EngineUnavailableError: it does not.
    """
    if "docker" in rungs or "all" in rungs:
        with closing(connect()):
            return
