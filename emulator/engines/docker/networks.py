"""The networks of jobs."""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

import docker
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from ...contract.outcome import CapacityError
from .labels import PREFIX, Labels
from .removal import remove_network

logger = logging.getLogger(__name__)

# Addresses set aside for testing devices (RFC 2544): no route leads there that a user would miss. Each job
# takes 62 of them.
_JOB_RANGE: Final = IPv4Network("198.18.0.0/15")
_JOB_PREFIX: Final = 26
_MOST_TRIES: Final = 100

# Making a network costs about as much as a fifth of a container: two are kept between jobs.
_KEPT_IDLE: Final = 2


class _Shared:
    """An iterator that several threads may ask."""

    def __init__(self, subnets: Iterator[IPv4Network]) -> None:
        self._subnets = subnets
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[IPv4Network]:
        return self

    def __next__(self) -> IPv4Network:
        with self._lock:
            return next(self._subnets)


@dataclass(frozen=True, kw_only=True)
class JobNetwork:
    """A network of one job's containers."""

    id: str
    subnet: IPv4Network
    isolated: bool

    def addresses(self, hosts: Sequence[str]) -> dict[str, str]:
        """Return the address of each host. The first one of the subnet is the gateway's.

        Raises:
            CapacityError: there are more hosts than addresses.
        """
        free = list(itertools.islice(self.subnet.hosts(), 1, None))
        if len(hosts) > len(free):
            raise CapacityError(f"a job's network has addresses for {len(free)} hosts, and the job has {len(hosts)}")
        return {host: str(address) for host, address in zip(hosts, free, strict=False)}


class JobNetworks:
    """Gives each job a network that no other job is on. Emptied networks are used again."""

    def __init__(self, api: docker.APIClient, labels: Labels) -> None:
        self._api = api
        self._labels = labels
        self._lock = threading.Lock()
        self._subnets = _Shared(_subnets())
        self._idle: list[JobNetwork] = []
        self._closed = False

    def take(self, *, isolated: bool) -> JobNetwork:
        """Return an empty network.

        Raises:
            CapacityError: the engine has no more addresses to give.
        """
        if isolated:
            return self._create(isolated=True)
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._create(isolated=False)

    def give_back(self, network: JobNetwork) -> None:
        """Take a network back whose containers are removed."""
        with self._lock:
            if not network.isolated and not self._closed and len(self._idle) < _KEPT_IDLE:
                self._idle.append(network)
                return
        remove_network(self._api, network.id)

    def warm(self) -> None:
        """Have a network ready for the first job; failing to is no failure yet."""
        try:
            self.give_back(self.take(isolated=False))
        except CapacityError as error:
            logger.warning("%s", error)

    def close(self) -> None:
        """Remove the idle networks."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for network in idle:
            remove_network(self._api, network.id)

    def _create(self, *, isolated: bool) -> JobNetwork:
        # `internal` cuts the way out. The host's own addresses are still reachable through the bridge's
        # address, so an isolated network's bridge has none.
        options = {"com.docker.network.bridge.inhibit_ipv4": "true"} if isolated else {}
        problem: APIError | None = None
        for subnet in itertools.islice(self._subnets, _MOST_TRIES):
            try:
                created = self._api.create_network(
                    f"{PREFIX}-{self._labels.owner}-{secrets.token_hex(4)}",
                    driver="bridge",
                    internal=isolated,
                    options=options,
                    ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet))]),
                    labels=self._labels.of({"network": "isolated" if isolated else "job"}),
                )
            except APIError as error:
                if "overlap" not in str(error.explanation):
                    raise _no_network(error) from error
                problem = error
                continue
            return JobNetwork(id=created["Id"], subnet=subnet, isolated=isolated)
        assert problem is not None
        raise _no_network(problem) from problem


def _subnets() -> Iterator[IPv4Network]:
    """Yield the subnets of our range in turn, for ever, from a place that other emulators do not start at.

    A Docker Engine by itself hands out about thirty networks and no more.
    """
    all_of_them = list(_JOB_RANGE.subnets(new_prefix=_JOB_PREFIX))
    start = secrets.randbelow(len(all_of_them))
    return itertools.cycle(all_of_them[start:] + all_of_them[:start])


def _no_network(error: APIError) -> CapacityError:
    return CapacityError(
        f"the Docker Engine cannot make a network for the job ({error.explanation}). "
        "`docker network prune` frees the ranges of unused networks."
    )
