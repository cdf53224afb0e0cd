"""The process engine."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from ...contract.outcome import CapacityError, InternalServerError
from ...contract.plan import ClusterPlan
from ...errors import EmulatorError, EngineUnavailableError
from ...jobs.ports import Capabilities, Engine, ImageView
from ..trees import open_up
from .cluster import ProcessCluster
from .entering import enter_command
from .forwarding import Forwarder
from .launch import HostProcess, Launchers, probe
from .programs import RegisteredPrograms, program_view
from .reasons import advice
from .surroundings import Surroundings

logger = logging.getLogger(__name__)

# Seen by nobody else: each job's network is in a namespace of its own.
_START_SECONDS: Final = 20.0
_NETWORK: Final = IPv4Network("198.18.0.0/26")


class ProcessEngine:
    """Runs each host of a job as a process of this machine, in namespaces of its own."""

    name = "process"
    gateway = "127.0.0.1"
    host_alias = None
    best_capabilities: ClassVar = Capabilities(
        images=False,
        image_user=False,
        file_system=False,
        network_isolation=True,
        own_network=False,
        several_hosts=True,
        several_hosts_internet=False,
        metadata_address=False,
        process_tree=True,
        instance_limits=False,
        out_of_memory=False,
        outlives_emulator=False,
        other_machine=False,
    )

    def __init__(self, found: Mapping[str, str]) -> None:
        """`found` is what is in the way of each kind of namespace, as `probe` tells it."""
        self.programs = RegisteredPrograms()
        self._launchers = Launchers()
        self._user_namespace = bool(found["mount"])
        self._pid_namespace = not found["pid"]
        self._no_network = found["network"]
        self._running: dict[tuple[str, str], tuple[HostProcess, Mapping[str, Any]]] = {}
        self.capabilities = replace(
            self.best_capabilities,
            network_isolation=not self._no_network,
            several_hosts=not self._no_network,
            process_tree=self._pid_namespace,
        )

    @classmethod
    def open(cls, workspace: Path) -> ProcessEngine:
        """Find out what the kernel allows. `workspace` has what jobs of a killed emulator have left.

        Raises:
            EngineUnavailableError: it does not allow mount namespaces.
        """
        if not sys.platform.startswith("linux"):
            raise EngineUnavailableError(
                "process", f"it needs the namespaces of Linux, and this is {sys.platform}.", "Use --engine docker."
            )
        found = probe()
        if found["mount"] and found["user"]:
            reason = found["user"] if os.geteuid() != 0 else found["mount"]
            raise EngineUnavailableError("process", f"the kernel refuses mount namespaces: {reason}.", advice())
        if found["pid"]:
            logger.warning(
                "The kernel refuses PID namespaces (%s): programs see this machine's processes, and end at a SIGTERM "
                "that they do not handle.",
                found["pid"],
            )
        if os.geteuid() != 0:
            open_up(workspace)  # what programs have closed could not be removed
        engine = cls(found)
        engine._launchers.warm()
        return engine

    def require_image(self, image: str) -> str:
        """Return the name of an image that a program stands for."""
        self.programs.find(image)
        return image

    def image_view(self, image: str) -> ImageView:
        """Return what a program brings along below /opt/ml."""
        return program_view(self.programs.find(image))

    @contextmanager
    def cluster(self, plan: ClusterPlan) -> Iterator[ProcessCluster]:
        """Make the surroundings of a plan's programs; end them, and all of it, on the way out."""
        private = plan.isolated or len(plan.containers) > 1
        if private and self._no_network:
            what = "isolated" if plan.isolated else "of several hosts"
            raise CapacityError(
                f"the process engine cannot run a job {what} here: the kernel refuses private networks "
                f"({self._no_network}). Use --engine docker, or see docs/rungs/process.md."
            )
        if private and any(one.debugging for one in plan.containers):
            raise CapacityError(
                "with the process engine no debugger reaches a job of several hosts, which has a network of its own: "
                "use --engine docker"
            )
        program = self.programs.find(plan.image)
        addresses = _addresses(plan) if private else None
        endpoint_port = _endpoint_port(plan) if private and not plan.isolated else None
        parts: list[dict[str, Any]] = []
        given = {}
        for one in plan.containers:
            around = Surroundings(plan, one, program, addresses)
            around.lay_out()
            given[one.host] = around.given()
            address = addresses[one.host] if addresses is not None else None
            parts.append({**around.spec(), "number": len(parts), "address": address})
            if plan.kept_at is not None:
                around.keep({**parts[-1], "isolated": plan.isolated})
        with ExitStack() as made:
            made.callback(_open_up_all, plan)
            spec = self._spec(parts, endpoint_port, private=private)
            launch = self._launchers.launch([one.host for one in plan.containers], spec)
            made.callback(self._launchers.warm)  # now it would be in the way of the programs
            made.callback(launch.close)
            for host in launch.hosts:
                host.wait_until_ready()
            if endpoint_port is not None:
                forwarder = Forwarder(endpoint_port)
                made.callback(forwarder.close)
                for host in launch.hosts:
                    if (listener := host.take_listener()) is not None:
                        forwarder.serve(listener)
            for host, part in zip(launch.hosts, parts, strict=True):
                self._running[plan.unique_name, host.host] = (host, part)
                made.callback(self._running.pop, (plan.unique_name, host.host))
            yield ProcessCluster(plan, launch.hosts, given)

    def resume(self, _: ClusterPlan) -> AbstractContextManager[ProcessCluster]:
        """Say that nothing is left: programs end with their emulator."""
        raise InternalServerError(
            "the emulator was killed while the job ran, and with the process engine a job's programs end with it"
        )

    def enter(self, unique_name: str, host: str, command: Sequence[str], *, terminal: bool) -> list[str]:  # noqa: ARG002 - the terminal is there anyway
        """Return the command that runs a program in the namespaces of a host's program, which runs."""
        found = self._running.get((unique_name, host))
        deadline = time.monotonic() + _START_SECONDS
        while found is not None and not found[0].program and time.monotonic() < deadline:
            time.sleep(0.02)
        if found is None or not found[0].program or found[0].has_ended:
            raise EmulatorError(f"The program of {host} does not run: there is nothing to enter.")
        return enter_command(found[0].program, found[1], command)

    def close(self, *, keep: Collection[str] = ()) -> None:  # noqa: ARG002 - no job outlives its emulator
        """End the launcher that waits for a job; all else has ended with its job."""
        self._launchers.close()

    def _spec(self, parts: list[dict[str, Any]], endpoint_port: int | None, *, private: bool) -> dict[str, Any]:
        return {
            "user_namespace": self._user_namespace,
            "network": private,
            "shared": {
                "pid_namespace": self._pid_namespace,
                "prefix": _NETWORK.prefixlen,
                "endpoint_port": endpoint_port,
            },
            "hosts": parts,
        }


def _addresses(plan: ClusterPlan) -> dict[str, str]:
    """Return the address of each host. The first one of the network is left out, as on other networks."""
    free = list(_NETWORK.hosts())[1:]
    if len(plan.containers) > len(free):
        raise CapacityError(f"a job's network has addresses for {len(free)} hosts, not for {len(plan.containers)}")
    return {one.host: str(address) for one, address in zip(plan.containers, free, strict=False)}


def _endpoint_port(plan: ClusterPlan) -> int | None:
    """Return where programs look for the endpoint on their loopback; None if it is elsewhere."""
    url = urlsplit(plan.endpoint_url or "")
    return url.port if url.hostname in ("127.0.0.1", "localhost") else None


def _open_up_all(plan: ClusterPlan) -> None:
    if os.geteuid() != 0:
        open_up(plan.workspace)


_: type[Engine] = ProcessEngine
