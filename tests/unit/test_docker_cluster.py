"""The containers of a job: how they are started, without an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import docker
import pytest

from emulator.contract.outcome import ContainerStartError, HostExit
from emulator.engines.docker.cluster import DockerCluster
from emulator.engines.docker.container import HostContainer
from emulator.jobs.ports import LogSink

_SECONDS = 60


class Container:
    """A container whose program ends at once, with what its start does first."""

    def __init__(self, host: str, on_start: Callable[[], object] = lambda: None, *, has_ended: bool = False) -> None:
        self.plan = SimpleNamespace(host=host, mounts=())
        self.has_ended = has_ended
        self._on_start = on_start

    def start(self) -> None:
        self._on_start()

    def follow(self, _: LogSink) -> HostExit:
        return HostExit(host=self.plan.host, exit_code=0, out_of_memory=False)


def exits_of(*containers: Container) -> list[str]:
    """Start containers; return the hosts in the order in which their ends were heard."""
    ended = threading.Semaphore(0)
    cluster = DockerCluster(
        cast("docker.APIClient", None),
        [cast("HostContainer", one) for one in containers],
        readable=True,
        given=dict,
    )
    cluster.start(lambda *_: None, ended.release)
    for _ in containers:
        assert ended.acquire(timeout=_SECONDS)
    return [one.host for one in cluster.exits()]


def test_all_containers_are_started_at_once() -> None:
    together = threading.Barrier(3)
    hosts = ["algo-1", "algo-2", "algo-3"]
    assert sorted(exits_of(*(Container(host, lambda: together.wait(_SECONDS)) for host in hosts))) == hosts


def test_containers_that_had_ended_are_heard_in_their_order() -> None:
    hosts = ["algo-2", "algo-1", "algo-3"]
    assert exits_of(*(Container(host, has_ended=True) for host in hosts)) == hosts


def test_a_container_that_cannot_start_is_told_when_the_others_have() -> None:
    started = threading.Event()

    def fails() -> None:
        raise ContainerStartError("no such program", 127)

    def starts() -> None:
        threading.Event().wait(0.05)
        started.set()

    with pytest.raises(ContainerStartError, match="no such program"):
        exits_of(Container("algo-1", fails), Container("algo-2", starts))
    assert started.is_set(), "nothing is left half started when a job cleans up"
