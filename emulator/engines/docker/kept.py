"""Containers that stay after their jobs: found by their label, entered by way of an image made of them, removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import docker
from docker.errors import APIError

from ...errors import EmulatorError
from .command_line import SHELL, docker_command
from .connection import connect
from .labels import HOST, JOB_NAME, KEPT, LOCK_OF_KEPT, OWNER
from .removal import give_back_mounts, remove_container

# On what is made for a shell, which goes with it.
_SHELL: Final = "sagemaker-emulator.shell"


def kept_folders() -> dict[str, str]:
    """Return the folders that kept containers belong to, and the names of their jobs.

    Raises:
        EngineUnavailableError: no Docker Engine answers.
    """
    with closing(connect()) as api:
        return {one["Labels"][KEPT]: one["Labels"].get(JOB_NAME, "") for one in _containers(api, KEPT)}


def remove_kept(folder: Path) -> None:
    """Remove the containers of a kept job, and what shells in them have left.

    Raises:
        EngineUnavailableError: no Docker Engine answers.
    """
    with closing(connect()) as api:
        for container in _containers(api, f"{KEPT}={folder}"):
            give_back_mounts(api, container)
            remove_container(api, container["Id"])
        for image in api.images(filters={"label": f"{_SHELL}={folder}"}):
            _remove_image(api, image["Id"])


@contextmanager
def entered_container(folder: Path, host: str, command: Sequence[str], *, terminal: bool) -> Iterator[list[str]]:
    """Give the docker command that runs a program where a kept container has ended: its files, mounts, environment.

    Raises:
        EmulatorError: the host has no container there.
        EngineUnavailableError: no Docker Engine answers.
    """
    with closing(connect()) as api:
        hosts = {
            one["Labels"][HOST]: one for one in _containers(api, f"{KEPT}={folder}") if _SHELL not in one["Labels"]
        }
        if host not in hosts:
            there = f"Kept are {', '.join(sorted(hosts))}." if hosts else "Its containers are gone."
            raise EmulatorError(f"Nothing is kept of {host}. {there}")
        container = hosts[host]
        config = api.inspect_container(container["Id"])
        # It has the container's labels too. No emulator that cleans up may take the shell for one of its own, or for
        # one of an emulator that is gone.
        labels = f'LABEL {_SHELL}="{folder}" {OWNER}="" {LOCK_OF_KEPT}=""'
        image = api.commit(container["Id"], changes=[labels], pause=False)["Id"]
        try:
            yield _run(container["Id"], config, image, command, terminal)
        finally:
            _remove_image(api, image)


def _run(container: str, config: Mapping[str, Any], image: str, command: Sequence[str], terminal: bool) -> list[str]:
    program = list(command) or list(SHELL)
    host = config["Config"]["Labels"][HOST]
    return [
        docker_command(),
        "run",
        "--rm",
        "-it" if terminal else "-i",
        *("--volumes-from", container),
        *("--hostname", config["Config"]["Hostname"]),
        # Its own network went with the job: the others have ended, and the platform does not answer any more.
        *("--network", "none" if _was_isolated(config) else "bridge"),
        *("--add-host", f"{host}:127.0.0.1"),
        *("--shm-size", str(config["HostConfig"]["ShmSize"])),
        *("--security-opt", "label=disable"),
        *("--label", f"{_SHELL}={config['Config']['Labels'][KEPT]}"),
        *("--entrypoint", program[0]),
        image,
        *program[1:],
    ]


def _was_isolated(config: Mapping[str, Any]) -> bool:
    return "AWS_ENDPOINT_URL" not in {variable.partition("=")[0] for variable in config["Config"]["Env"]}


def _remove_image(api: docker.APIClient, image: str) -> None:
    with suppress(APIError):  # another shell uses it, or it is gone
        api.remove_image(image, force=True)


def _containers(api: docker.APIClient, label: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.containers(all=True, filters={"label": label})
    return found
