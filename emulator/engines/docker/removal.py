"""Removes what emulators have left in an engine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, NotFound

from ...contract.plan import Mount
from .archives import reclaim
from .labels import KEPT, OWNER, UNIQUE_NAME, is_abandoned

logger = logging.getLogger(__name__)


def remove_owned(api: docker.APIClient, owner: str, *, keep: Collection[str] = ()) -> None:
    """Remove all containers and networks of one owner, but for those of jobs with these unique names."""
    _remove(api, f"{OWNER}={owner}", lambda labels: labels.get(UNIQUE_NAME) not in keep)


def remove_abandoned(api: docker.APIClient) -> None:
    """Remove all containers and networks of emulators of this machine that are gone."""
    _remove(api, OWNER, is_abandoned)


def remove_container(api: docker.APIClient, container: str) -> None:
    """Remove a container, running or not, and its anonymous volumes; one that is gone is fine."""
    try:
        api.remove_container(container, v=True, force=True)
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # its removal is already in progress
            raise


def end_kept(api: docker.APIClient, container: str) -> None:
    """End a container that is kept; one that was never started holds nothing that is worth keeping."""
    try:
        state = api.inspect_container(container)["State"]
        if state["Status"] == "created":
            remove_container(api, container)
        elif state["Running"]:
            api.kill(container)
            api.wait(container)
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # it has ended meanwhile
            raise


def remove_network(api: docker.APIClient, network: str) -> None:
    """Remove a network; one that is gone is fine."""
    try:
        api.remove_network(network)
    except NotFound:
        pass
    except APIError as error:
        logger.warning("The network %s cannot be removed: %s", network, error.explanation)


def give_back_mounts(api: docker.APIClient, container: Mapping[str, Any]) -> None:
    """End a container and make what it left in directories of ours ours again, to be deleted by the next `up`."""
    mounts = [
        Mount(source=Path(mount["Source"]), target=PurePosixPath(mount["Destination"]))
        for mount in container["Mounts"]
        if mount["Type"] == "bind" and Path(mount["Source"]).is_dir()
    ]
    try:
        if container["State"] == "running":
            api.kill(container["Id"])
            api.wait(container["Id"])
        reclaim(api, container["Id"], mounts)
    except (APIError, OSError) as error:
        logger.warning("Files below %s may be root's: %s", [str(mount.source) for mount in mounts], error)


def _remove(api: docker.APIClient, label: str, chosen: Callable[[Mapping[str, str]], bool]) -> None:
    """Remove the chosen containers, and the chosen networks that no other container is on; end those that are kept."""
    filters = {"label": label}
    in_use = set()
    for container in api.containers(all=True, filters=filters):
        if chosen(container["Labels"]) and KEPT in container["Labels"]:
            end_kept(api, container["Id"])
        elif chosen(container["Labels"]):
            give_back_mounts(api, container)
            remove_container(api, container["Id"])
        else:
            in_use.add(container["HostConfig"]["NetworkMode"])
    for network in api.networks(filters=filters):
        if chosen(network["Labels"]) and network["Id"] not in in_use:
            remove_network(api, network["Id"])
