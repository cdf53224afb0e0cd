"""What all kinds of jobs ask for: an image and its command, hosts, a role, a time limit.

The request document stays the truth: nothing here is stored, everything is read from it again.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import PurePosixPath
from typing import Any, ClassVar, Final, Self

from .arns import S3Uri, Scope
from .kinds import JobKind

HOMOGENEOUS_CLUSTER: Final = "homogeneousCluster"
DEFAULT_MAX_RUNTIME_SECONDS: Final = 86400
STOP_GRACE_SECONDS: Final = 120
# On the service a quota of the account for each instance type. Here what a job's network has addresses for.
MOST_HOSTS: Final = 60

_STREAM: Final = re.compile(r"(?P<job>[^/]+)/(?P<host>algo-[0-9]{1,9})-(?P<started>[0-9]{1,18})")

Command = tuple[tuple[str, ...] | None, tuple[str, ...]]
"""The entrypoint to set (None: the image's own), and what stands behind it."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """One container of the job's cluster."""

    name: str
    instance_type: str
    group: str = HOMOGENEOUS_CLUSTER

    @property
    def number(self) -> int:
        """1 for algo-1."""
        return int(self.name.removeprefix("algo-"))


@dataclass(frozen=True, kw_only=True)
class StreamName:
    """What a host's log stream is called: job name in its own case, host, epoch seconds of the start."""

    job: str
    host: str
    started_at: int

    def __str__(self) -> str:
        """`JOB/algo-1-1700000000`."""
        return f"{self.job}/{self.host}-{self.started_at}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a stream's name; None: no job's host has such a stream, a client has made it."""
        match = _STREAM.fullmatch(text)
        if match is None:
            return None
        return cls(job=match["job"], host=match["host"], started_at=int(match["started"]))


@dataclass(frozen=True, kw_only=True)
class InputData:
    """S3 data that goes to a directory of the containers: a File-mode channel, or a processing input.

    s3_data.py says which objects it is, which of the `receivers` gets each, and which files they become.
    `listed_at` is the file that lists all of them, if the kind of job has one.
    """

    name: str
    source: S3Uri
    s3_data_type: str
    distribution: str
    path: PurePosixPath
    receivers: tuple[Host, ...]
    listed_at: PurePosixPath | None = None


@dataclass(frozen=True, kw_only=True)
class Job(ABC):
    """What a request for a job of any kind asks for."""

    kind: ClassVar[JobKind]

    name: str
    arn: str
    scope: Scope
    role_arn: str
    image: str
    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...] | None
    environment: Mapping[str, str]
    hosts: tuple[Host, ...]
    max_runtime_seconds: int
    network_isolation: bool

    @property
    def command(self) -> Command:
        """How the image is started; see `container_command`."""
        return container_command(self.entrypoint, self.arguments, self.kind.default_command)

    @property
    @abstractmethod
    def input_data(self) -> tuple[InputData, ...]:
        """What the platform downloads before the containers start."""

    @property
    @abstractmethod
    def mount_roots(self) -> tuple[PurePosixPath, ...]:
        """The directories that each host's container gets; none lies in another."""

    @abstractmethod
    def directory_modes(self, host: Host) -> Mapping[PurePosixPath, int]:
        """Return what exists on a host before its container starts: directories, outer ones first, and their modes."""

    def log_stream(self, host: Host, started_at: float) -> str:
        """Return the host's log stream."""
        return str(StreamName(job=self.name, host=host.name, started_at=int(started_at)))


def hosts(resource_config: Mapping[str, Any]) -> tuple[Host, ...]:
    """Return the hosts of InstanceType and InstanceCount or InstanceGroups, algo-1 first.

    Numbers run on across instance groups.
    """
    numbers = count(1)
    groups: Sequence[Mapping[str, Any]] = resource_config.get("InstanceGroups") or [
        {
            "InstanceGroupName": HOMOGENEOUS_CLUSTER,
            "InstanceType": resource_config.get("InstanceType", ""),
            "InstanceCount": resource_config.get("InstanceCount", 0),
        }
    ]
    return tuple(
        Host(name=f"algo-{next(numbers)}", instance_type=group["InstanceType"], group=group["InstanceGroupName"])
        for group in groups
        for _ in range(group["InstanceCount"])
    )


def container_command(
    entrypoint: Sequence[str] | None, arguments: Sequence[str] | None, default: Sequence[str]
) -> Command:
    """Return the entrypoint to set and the command after it.

    With neither given the image is run with `default`: `train` for a training job, nothing for a
    processing job, whose image then runs its own CMD. Each overrides on its own: a given entrypoint
    drops the default and the image's CMD, given arguments drop both and keep the image's ENTRYPOINT.
    Source: "How Amazon SageMaker runs your training image", "Build your own processing container".
    """
    if entrypoint is None and arguments is None:
        return None, tuple(default)
    return optional_tuple(entrypoint), tuple(arguments or ())


def optional_tuple(values: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return a list of the request as a frozen value; one that was not sent stays None."""
    return None if values is None else tuple(values)
