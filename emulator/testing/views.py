"""What a job's containers found when they started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class HostView:
    """What one host's container found.

    `tree` has what lies below `/opt/ml` by path: its type, mode, size and, of a link, its target. `texts`
    are the contents of the service's own files, `mounts` the places that are not the image's.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    user: str
    working_directory: str
    hostname: str
    mounts: tuple[Mapping[str, Any], ...]
    tree: Mapping[str, Mapping[str, Any]]
    texts: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> HostView:
        """Read a host of the control API's answer."""
        return cls(
            command=tuple(document["command"]),
            environment=document["environment"],
            user=document["user"],
            working_directory=document["working_directory"],
            hostname=document["hostname"],
            mounts=tuple(document["mounts"]),
            tree=document["tree"],
            texts=document["texts"],
        )


@dataclass(frozen=True, kw_only=True)
class ContainerView:
    """The views of all hosts of a job. What is asked for without a host is what `algo-1` found."""

    hosts: Mapping[str, HostView]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> ContainerView:
        """Read the control API's answer."""
        return cls(hosts={name: HostView.parse(one) for name, one in sorted(document["hosts"].items())})

    @property
    def first(self) -> HostView:
        """What `algo-1` found."""
        return self.hosts["algo-1"]

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command."""
        return self.first.command

    @property
    def environment(self) -> Mapping[str, str]:
        """The whole environment, the image's included."""
        return self.first.environment

    @property
    def user(self) -> str:
        """Whom it ran as."""
        return self.first.user

    @property
    def mounts(self) -> tuple[Mapping[str, Any], ...]:
        """What was mounted where."""
        return self.first.mounts

    @property
    def tree(self) -> Mapping[str, Mapping[str, Any]]:
        """What lay below /opt/ml."""
        return self.first.tree

    @property
    def texts(self) -> Mapping[str, str]:
        """What the service's own files said."""
        return self.first.texts
