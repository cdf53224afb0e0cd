"""Finds the Docker Engine that the user's own `docker` command would talk to."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Any, Final, cast

import docker
import requests
from docker.context import ContextAPI
from docker.context.config import get_current_context_name
from docker.errors import DockerException
from docker.utils import kwargs_from_env

from ...errors import EngineUnavailableError

# Nobody waits longer than this to hear that no engine runs.
_PROBE_SECONDS: Final = 1.5
_CALL_SECONDS: Final = 120
# Each running container holds one connection.
_POOL_SIZE: Final = 256

_ADVICE: Final = (
    "Start one and try again: `sudo systemctl start docker` on Linux, Docker Desktop elsewhere, or point "
    "DOCKER_HOST at a remote engine.\n"
    "Your user must be allowed to use it: `docker version` has to show a Server."
)


def connect() -> docker.APIClient:
    """Return a client of the engine named by DOCKER_HOST, else by the current docker context.

    Raises:
        EngineUnavailableError: nobody answers there, said in under two seconds.
    """
    settings: dict[str, Any] = {**kwargs_from_env()}
    if not settings.get("base_url"):
        settings["base_url"] = _context_url()
    where = settings["base_url"] or "unix:///var/run/docker.sock"
    try:
        with closing(docker.APIClient(**settings, version="1.41", timeout=cast("int", _PROBE_SECONDS))) as probe:
            version = probe.version()
        return docker.APIClient(
            **settings, version=version["ApiVersion"], timeout=_CALL_SECONDS, max_pool_size=_POOL_SIZE
        )
    except (DockerException, requests.RequestException) as error:
        raise EngineUnavailableError("docker", f"no Docker Engine answers at {where} ({error}).", _ADVICE) from error


def _context_url() -> str | None:
    """Return the address of the docker context in use; None for the default one, which is the local socket."""
    name = os.environ.get("DOCKER_CONTEXT") or get_current_context_name()
    context = None if name == "default" else ContextAPI.get_context(name)
    return str(context.Host) if context is not None else None
