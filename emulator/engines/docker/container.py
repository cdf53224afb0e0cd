"""One host's container: made, started, listened to, ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import docker
from docker.errors import APIError
from docker.types import LogConfig
from docker.types import Mount as DockerMount

from ...contract.hands_on import HOLD
from ...contract.outcome import ContainerStartError, HostExit, InternalServerError
from ...contract.plan import ContainerPlan, InstanceResources, Mount
from ...jobs.ports import LogSink
from .exits import Exits
from .output import AttachedOutput, WholeOutput

# The states of a container that will not run again.
ENDED: Final = ("exited", "dead")


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What the engine's machine has."""

    memory_bytes: int
    cpus: int

    @classmethod
    def ask(cls, api: docker.APIClient) -> EngineFacts:
        """Ask the engine."""
        info = api.info()
        return cls(memory_bytes=info.get("MemTotal", 0), cpus=info.get("NCPU", 1))


@dataclass(frozen=True, kw_only=True)
class ContainerSettings:
    """What all containers of a job share, and one's name and environment. `addresses` has the address of each host."""

    name: str
    image: str
    network: str
    addresses: Mapping[str, str]
    labels: dict[str, str]
    environment: Mapping[str, str]
    host_alias: str | None
    mounted: bool


class HostContainer:
    """A container that exists in the engine."""

    def __init__(
        self, api: docker.APIClient, exits: Exits, plan: ContainerPlan, container_id: str, state: str = "created"
    ) -> None:
        """Be the container with an id, in a state that the engine has a word for."""
        self._api = api
        self._exits = exits
        self.plan = plan
        self.id = container_id
        self.has_started = state != "created"
        self.has_ended = state in ENDED
        self._output: AttachedOutput | WholeOutput | None = None

    @classmethod
    def create(
        cls,
        api: docker.APIClient,
        exits: Exits,
        plan: ContainerPlan,
        settings: ContainerSettings,
        facts: EngineFacts,
    ) -> HostContainer:
        """Make the container of a plan, not started.

        Raises:
            APIError: the engine refuses.
        """
        entrypoint, command = (HOLD, ()) if plan.hold else (plan.entrypoint, plan.command)
        created = api.create_container(
            settings.image,
            name=settings.name,
            hostname=plan.hostname,
            entrypoint=list(entrypoint) if entrypoint is not None else None,
            command=list(command),
            environment=dict(settings.environment),
            ports=[plan.debugging.port] if plan.debugging else None,
            labels=settings.labels,
            host_config=_host_config(api, plan, settings, facts),
            networking_config={"EndpointsConfig": {settings.network: _endpoint(settings, plan.host)}},
        )
        return cls(api, exits, plan, created["Id"])

    def start(self) -> None:
        """Listen, then start, so that no output is missed. One that has started before is listened to from its start.

        Raises:
            ContainerStartError: the image's program cannot be started.
            InternalServerError: the engine failed.
        """
        if self.has_started:
            self._output = WholeOutput(self._api, self.id)
            return
        self._output = AttachedOutput(self._api, self.id)
        try:
            self._api.start(self.id)
        except APIError as error:
            self._output.close()
            raise _start_failure(error) from error

    def follow(self, on_log: LogSink) -> HostExit:
        """Pass on all output until the container has ended, then tell how."""
        assert self._output is not None, "start() comes first"
        with closing(self._output) as output:
            for stream, chunk, at in output:
                on_log(self.plan.host, stream, chunk, at)
        exit_code = self._exits.code_of(self.id)
        out_of_memory = exit_code != 0 and self._api.inspect_container(self.id)["State"]["OOMKilled"]
        return HostExit(host=self.plan.host, exit_code=exit_code, out_of_memory=out_of_memory)

    def signal(self, name: str) -> None:
        """Send a signal to the container's first process; one that has ended is fine."""
        try:
            self._api.kill(self.id, signal=name)
        except APIError as error:
            if error.status_code not in (404, 409):
                raise


def _endpoint(settings: ContainerSettings, host: str) -> dict[str, Any]:
    return {"Aliases": [host], "IPAMConfig": {"IPv4Address": settings.addresses[host]}}


def _host_config(
    api: docker.APIClient, plan: ContainerPlan, settings: ContainerSettings, facts: EngineFacts
) -> dict[str, Any]:
    config: dict[str, Any] = api.create_host_config(
        network_mode=settings.network,
        mounts=[_mount(settings, mount) for mount in plan.mounts],
        port_bindings={plan.debugging.port: ("127.0.0.1", plan.debugging.port)} if plan.debugging else None,
        # Docker's own 64 MB break data loaders that work on the service.
        shm_size=max(facts.memory_bytes // 2, 64 * 1024**2),
        # The engine's own names come and go with their containers. A host of the service keeps its name when
        # its program has ended, and others, the training toolkit for one, wait for names that they do not find.
        extra_hosts={
            **settings.addresses,
            **({settings.host_alias: "host-gateway"} if settings.host_alias else {}),
        },
        # Without this SELinux closes directories that are mounted from our disk.
        security_opt=["label=disable"],
        # Whole, for as long as the container is there: an emulator that takes it up reads it from its start.
        log_config=LogConfig(type="json-file", config={"max-size": "1000g"}),
        **_limits(plan.limits, facts),
    )
    return config


def _mount(settings: ContainerSettings, mount: Mount) -> DockerMount:
    """Return a bind mount of our directory, or, where the engine has another disk, an empty volume to copy it to."""
    if settings.mounted:
        return DockerMount(str(mount.target), str(mount.source), type="bind", read_only=not mount.writable)
    return DockerMount(str(mount.target), None, type="volume", no_copy=True)


def _limits(resources: InstanceResources | None, facts: EngineFacts) -> dict[str, Any]:
    """Return the instance type's memory and CPUs as limits, as far as the engine's machine has them."""
    if resources is None:
        return {}
    return {
        "mem_limit": resources.memory_bytes,
        "memswap_limit": resources.memory_bytes,
        "nano_cpus": min(resources.vcpus, facts.cpus) * 10**9,
    }


def _start_failure(error: APIError) -> ContainerStartError | InternalServerError:
    """Tell a program that is not there or may not run from an engine that failed."""
    text = re.sub(r"\s+", " ", str(error.explanation)).strip()
    if "executable file not found" in text or "no such file or directory" in text:
        return ContainerStartError(text, 127)
    if "permission denied" in text or "exec format error" in text:
        return ContainerStartError(text, 126)
    return InternalServerError(f"the Docker Engine cannot start the container: {text}")
