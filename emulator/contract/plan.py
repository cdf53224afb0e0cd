"""What an engine is given and gives back: a plan of containers, and nothing about S3, HTTP or job records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .hands_on import Debugging


@dataclass(frozen=True, kw_only=True)
class InstanceResources:
    """What an instance type has: virtual CPUs and bytes of memory."""

    vcpus: int
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A directory laid out on this machine, and where the container finds it."""

    source: Path
    target: PurePosixPath
    writable: bool = True


@dataclass(frozen=True, kw_only=True)
class ContainerPlan:
    """One host's container. `entrypoint` None keeps the image's own; `limits` None means no limit.

    `hold`: it waits until it is told to end, with all that its program would find.
    """

    host: str
    hostname: str
    entrypoint: tuple[str, ...] | None
    command: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    limits: InstanceResources | None = None
    hold: bool = False
    debugging: Debugging | None = None


@dataclass(frozen=True, kw_only=True)
class GivenContainer:
    """What one host's program is started with: the plan joined with what the image says where the plan says nothing.

    `command` is the whole argument vector and `environment` has the image's variables too. What the program's user
    adds by itself (HOME) is not in it.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    user: str
    working_directory: str
    hostname: str


@dataclass(frozen=True, kw_only=True)
class ClusterPlan:
    """All containers of one job; they see each other by host name.

    `unique_name` is the job's among all jobs ever: by it the containers are found again. `isolated`
    containers see nothing but each other. `host_alias` is a name under which they reach the machine
    that the engine runs on. `labels` mark everything made for the job. With `kept_at`, a directory of this machine,
    ended containers stay until somebody removes what is kept there.
    """

    unique_name: str
    image: str
    containers: tuple[ContainerPlan, ...]
    isolated: bool = False
    host_alias: str | None = None
    kept_at: Path | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
