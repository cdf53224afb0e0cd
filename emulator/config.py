"""Settings: read once from flags and the environment, then a frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .contract.hands_on import NO_HANDS, HandsOn

DEFAULT_PORT: Final = 4750
DEFAULT_HOST: Final = "127.0.0.1"
# More jobs at once than this machine has room for only make each other slow.
DEFAULT_MAX_PARALLEL_JOBS: Final = 24
DEFAULT_RECOVERY_WINDOW: Final = 60.0
_EVERYWHERE: Final = ("", "0.0.0.0", "::")  # noqa: S104 - to be told from others


def default_state_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder below the user's state home where the emulator keeps its data."""
    home = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".local/state"
    return Path(home) / "sagemaker-emulator"


def default_kept_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder with the states of runs whose containers were kept."""
    state = default_state_dir(environment)
    return state.with_name(f"{state.name}-kept")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How one emulator runs.

    `time_scale` divides the service's limits: with 60, a MaxRuntimeInSeconds of 3600 is over after a
    minute. `limit_instances` gives containers the memory and CPUs of their instance type.
    Containers of an emulator that was killed run on for `recovery_window` seconds, to be taken up by the
    next one with the same state directory; then they are removed.
    `copy_data` copies data into and out of containers instead of mounting it; an engine that does not
    see this machine's disk is noticed by itself. `container_endpoint` is the URL under which containers
    reach the endpoint, where the engine's own address does not do. `hands_on` is what a person wants of the containers.
    `allow_hosts` are names under which the endpoint is served, beside addresses and names of this machine.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    engine: str = "auto"
    state_dir: Path = field(default_factory=default_state_dir)
    time_scale: float = 1.0
    limit_instances: bool = False
    max_parallel_jobs: int = DEFAULT_MAX_PARALLEL_JOBS
    recovery_window: float = DEFAULT_RECOVERY_WINDOW
    copy_data: bool = False
    container_endpoint: str | None = None
    hands_on: HandsOn = NO_HANDS
    allow_hosts: tuple[str, ...] = ()

    def url(self, port: int | str, *, from_here: bool = False) -> str:
        """Return the address at a port, `from_here` as this machine reaches it even where everybody may."""
        host = DEFAULT_HOST if from_here and self.host in _EVERYWHERE else self.host
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def host_names(self) -> frozenset[str]:
        """The names by which requests may come: clients' and containers'."""
        of_containers = urlsplit(self.container_endpoint or "").hostname
        return frozenset({self.host, *self.allow_hosts, *([of_containers] if of_containers else [])})
