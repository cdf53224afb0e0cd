"""What an engine is given and gives back: a plan of containers, and nothing about S3, HTTP or job records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .hands_on import Debugging
from .paths import CODE


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
class Program:
    """What an engine without images runs in the place of an image: a command, and the folder it works in.

    `command` and `arguments` together are what `docker run IMAGE train` would come to: the image's ENTRYPOINT,
    then its CMD or `train`. A request's ContainerEntrypoint replaces both, ContainerArguments `arguments` alone.
    A copy of `source` is the container's directory `at`, which is also the working directory; without a source
    that is `/`. `environment` is what the image's would be, and the folders of `path` are the first ones of PATH.
    `without` are folders that lie in `source` and are no part of the program.
    """

    command: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    source: Path | None = None
    at: PurePosixPath = CODE
    environment: Mapping[str, str] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    without: tuple[Path, ...] = ()

    def argv(self, container: ContainerPlan) -> tuple[str, ...]:
        """Return the whole command of a container that runs this program."""
        if container.entrypoint is not None:
            return container.entrypoint + container.command
        return self.command + (self.arguments if container.is_default_command else container.command)


@dataclass(frozen=True, kw_only=True)
class ContainerPlan:
    """One host's container. `entrypoint` None keeps the image's own; `limits` None means no limit.

    `is_default_command` says that `command` is the platform's own `train`, or nothing: the request names none.
    `hold`: it waits until it is told to end, with all that its program would find.
    """

    host: str
    hostname: str
    entrypoint: tuple[str, ...] | None
    command: tuple[str, ...]
    is_default_command: bool = False
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

    `unique_name` is the job's among all jobs ever: by it the containers are found again. `workspace` is a
    directory of this machine that is the job's own, and is removed after it. `isolated` containers see nothing
    but each other. `host_alias` is a name under which they reach the machine that the engine runs on, and
    `endpoint_url` where they look for the platform. `labels` mark everything made for the job. With `kept_at`, a
    directory of this machine, ended containers stay until somebody removes what is kept there.
    """

    unique_name: str
    workspace: Path
    image: str
    containers: tuple[ContainerPlan, ...]
    isolated: bool = False
    host_alias: str | None = None
    kept_at: Path | None = None
    endpoint_url: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
