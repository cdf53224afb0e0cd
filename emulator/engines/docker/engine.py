"""The docker engine."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from http import HTTPStatus
from typing import Final

import docker
from docker.errors import APIError, ImageNotFound, NotFound

from ...contract.outcome import ContainerStartError, ImageMissingError, InternalServerError
from ...contract.plan import ClusterPlan, ContainerPlan, GivenContainer
from ...errors import EmulatorError
from ...jobs.ports import Capabilities, Engine, ImageView, Owner
from . import reaper
from .archives import put_mounts, reclaim
from .cluster import DockerCluster
from .command_line import exec_command
from .connection import connect
from .container import ContainerSettings, EngineFacts, HostContainer
from .exits import Exits
from .found import FoundContainers
from .image import ImageConfig, image_view
from .labels import HOST, OWNER, PREFIX, UNIQUE_NAME, Labels
from .networks import JobNetwork, JobNetworks
from .platform_network import PlatformNetwork
from .removal import end_kept, remove_abandoned, remove_container, remove_network, remove_owned

logger = logging.getLogger(__name__)

_ECR_REGISTRY: Final = re.compile(r"\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/")
# "." and ".." in a name would lead to another address of the engine's API.
_NO_REFERENCE: Final = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|[\s?#%]")
_CONFIGS_KEPT: Final = 200
_START_SECONDS: Final = 20.0
_NO_SUCH_MOUNT: Final = "bind source path does not exist"


class DockerEngine:
    """Runs each host of a job as a container, the jobs on networks of their own."""

    name = "docker"
    host_alias = "host.docker.internal"
    programs = None
    capabilities = Capabilities(
        images=True,
        image_user=True,
        file_system=True,
        network_isolation=True,
        own_network=True,
        several_hosts=True,
        several_hosts_internet=True,
        metadata_address=True,
        process_tree=True,
        instance_limits=True,
        out_of_memory=True,
        outlives_emulator=True,
        other_machine=True,
    )

    def __init__(self, api: docker.APIClient, owner: Owner, *, copy_data: bool) -> None:
        self._api = api
        self._labels = Labels(owner)
        self._networks = JobNetworks(api, self._labels)
        self._platform_network = PlatformNetwork(api)
        self._exits = Exits(api, f"{OWNER}={self._labels.owner}")
        self._reaper: subprocess.Popen[bytes] | None = None
        # What images say, by id; the last few.
        self._configs: dict[str, ImageConfig] = {}
        # Whether the engine sees our disk is learned from the first job: its directory is there or not.
        self._shares_disk = not copy_data
        self.gateway: str | None = None

    @classmethod
    def open(cls, owner: Owner, *, keep: Collection[str] = (), copy_data: bool = False) -> DockerEngine:
        """Connect, remove what killed emulators left, and get ready for jobs.

        Kept are the containers of those of the owner's jobs that have these unique names.

        Raises:
            EngineUnavailableError: no Docker Engine answers.
        """
        engine = cls(connect(), owner, copy_data=copy_data)
        engine._reaper = reaper.start(owner)
        remove_owned(engine._api, owner.identity, keep=keep)
        engine.gateway = engine._platform_network.join()
        threading.Thread(target=engine._exits.listen, name="docker-exits", daemon=True).start()
        threading.Thread(target=engine._tidy_and_warm, name="docker-warm-up", daemon=True).start()
        return engine

    def require_image(self, image: str) -> str:
        """Return the id of the local image that a request names.

        An ECR URI is also looked up without its registry, so that `repository:tag` built here stands
        for it.
        """
        names = () if _NO_REFERENCE.search(image) else dict.fromkeys((image, _ECR_REGISTRY.sub("", image)))
        for name in names:
            try:
                return self._inspected(name)
            except (ImageNotFound, NotFound):
                continue
            except APIError as error:
                if error.status_code != 400:  # "invalid reference format": no such image either
                    raise
        raise ImageMissingError(
            image,
            f"The local Docker Engine has no image of this name: `docker build -t {_ECR_REGISTRY.sub('', image)} .` "
            f"or `docker pull {image}`, and check it with `docker images`.",
        )

    def image_view(self, image: str) -> ImageView:
        """Return what an image has below /opt/ml."""
        return image_view(self._api, image, self._labels)

    @contextmanager
    def cluster(self, plan: ClusterPlan) -> Iterator[DockerCluster]:
        """Make the network and the containers of a plan; remove them on the way out."""
        with ExitStack() as made:
            network = self._networks.take(isolated=plan.isolated)
            made.callback(self._networks.give_back, network)
            containers = [self._create(plan, one, network, made) for one in plan.containers]
            readable = self._shares_disk and os.geteuid() == 0
            yield DockerCluster(self._api, containers, readable=readable, given=partial(self._given, plan))

    @contextmanager
    def resume(self, plan: ClusterPlan) -> Iterator[DockerCluster]:
        """Find the containers of a plan again; remove them and their network on the way out."""
        found = FoundContainers(self._api, self._labels.owner, plan)
        with ExitStack() as removed:
            for network in found.networks:
                removed.callback(remove_network, self._api, network)
            for one in found.all:
                if plan.kept_at is not None:
                    removed.callback(end_kept, self._api, one.id)
                    continue
                removed.callback(remove_container, self._api, one.id)
                if found.mounted:
                    removed.callback(reclaim, self._api, one.id, one.plan.mounts)
            containers = [
                HostContainer(self._api, self._exits, one.plan, one.id, one.state) for one in found.in_order_of_end()
            ]
            readable = found.mounted and os.geteuid() == 0
            yield DockerCluster(self._api, containers, readable=readable, given=partial(self._given, plan))

    def enter(self, unique_name: str, host: str, command: Sequence[str], *, terminal: bool) -> list[str]:
        """Return the docker command that runs a program in a running container."""
        labels = [f"{OWNER}={self._labels.owner}", f"{UNIQUE_NAME}={unique_name}", f"{HOST}={host}"]
        deadline = time.monotonic() + _START_SECONDS
        while not (found := self._api.containers(filters={"label": labels, "status": "running"})):
            if time.monotonic() > deadline:
                raise EmulatorError(f"The container of {host} does not run: there is nothing to enter.")
            time.sleep(0.05)
        return exec_command(found[0]["Id"], command, terminal=terminal)

    def close(self, *, keep: Collection[str] = ()) -> None:
        """Remove everything this engine has made, and let the reaper go; it stays with what is kept."""
        try:
            self._networks.close()
            remove_owned(self._api, self._labels.owner, keep=keep)
            self._platform_network.leave()
        except (APIError, OSError) as error:
            logger.warning("Cleaning up in the Docker Engine failed: %s", error)
        self._exits.close()
        if self._reaper is not None:
            if keep:
                reaper.leave(self._reaper)
            else:
                reaper.dismiss(self._reaper)
        self._api.close()

    def _create(self, plan: ClusterPlan, one: ContainerPlan, network: JobNetwork, made: ExitStack) -> HostContainer:
        """Make one container, by mounts where the engine sees our disk, else by copying."""
        shares_disk = self._shares_disk
        settings = ContainerSettings(
            name=f"{PREFIX}-{plan.labels['job-name']}-{one.host}-{uuid.uuid4().hex[:8]}",
            image=plan.image,
            network=network.id,
            addresses=network.addresses([host.host for host in plan.containers]),
            labels=self._labels.of(_labels(plan, one)),
            environment=self._config_of(plan).added_environment(one),
            host_alias=plan.host_alias,
            mounted=shares_disk,
        )
        try:
            container = HostContainer.create(self._api, self._exits, one, settings, self._facts)
        except APIError as error:
            if shares_disk and _NO_SUCH_MOUNT in str(error.explanation):
                logger.info("The Docker Engine does not see this machine's disk: data travels as archives")
                self._shares_disk = False
                return self._create(plan, one, network, made)
            if error.status_code == HTTPStatus.BAD_REQUEST:
                raise ContainerStartError(str(error.explanation), 127) from error
            raise InternalServerError(f"the Docker Engine cannot make the container: {error.explanation}") from error
        if plan.kept_at is not None:
            made.callback(end_kept, self._api, container.id)
            if not shares_disk:
                put_mounts(self._api, container.id, one.mounts)
            return container
        made.callback(remove_container, self._api, container.id)
        if shares_disk:
            made.callback(reclaim, self._api, container.id, one.mounts)
        else:
            put_mounts(self._api, container.id, one.mounts)
        return container

    def _inspected(self, image: str) -> str:
        """Ask the engine for an image, keep what it says of itself, and return its id."""
        found = self._api.inspect_image(image)  # type: ignore[no-untyped-call]
        identity = str(found["Id"])
        while identity not in self._configs and len(self._configs) >= _CONFIGS_KEPT:
            self._configs.pop(next(iter(self._configs)), None)
        self._configs[identity] = ImageConfig.of(found)
        return identity

    def _given(self, plan: ClusterPlan) -> Mapping[str, GivenContainer]:
        return {one.host: self._config_of(plan).given(one) for one in plan.containers}

    def _config_of(self, plan: ClusterPlan) -> ImageConfig:
        return self._configs.get(plan.image) or self._configs[self._inspected(plan.image)]

    @cached_property
    def _facts(self) -> EngineFacts:
        return EngineFacts.ask(self._api)

    def _tidy_and_warm(self) -> None:
        """Do what need not be done before the endpoint answers."""
        try:
            remove_abandoned(self._api)
            self._networks.warm()
            _ = self._facts
        except Exception as error:  # noqa: BLE001 - a job that needs the engine will tell more
            logger.warning("Preparing the Docker Engine failed: %s", error)


def _labels(plan: ClusterPlan, one: ContainerPlan) -> dict[str, str]:
    kept = {} if plan.kept_at is None else {"kept": str(plan.kept_at)}
    return {**plan.labels, "unique-name": plan.unique_name, "host": one.host, **kept}


_: type[Engine] = DockerEngine
