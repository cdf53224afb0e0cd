"""What an image says and has: its config joined with a plan, and its files, without running anything of it."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

import docker
from docker.errors import APIError, ImageNotFound, NotFound

from ...contract.outcome import ImageMissingError
from ...contract.paths import OPT_ML
from ...contract.plan import ContainerPlan, GivenContainer
from ...jobs.ports import ImageEntry, ImageView
from .archives import file_in_container, members_in_container
from .labels import Labels
from .removal import remove_container

# What the engine adds to an environment that has no PATH.
_DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KINDS: Final = {tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink", tarfile.FIFOTYPE: "other"}
_PASSWD: Final = PurePosixPath("/etc/passwd")
_LONGEST_PASSWD: Final = 1024**2


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """What an image sets where a container does not say."""

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    user: str
    working_directory: str

    @classmethod
    def of(cls, inspected: Mapping[str, Any]) -> ImageConfig:
        """Read it from the engine's inspection of an image."""
        config = inspected.get("Config") or {}
        pairs = (variable.partition("=") for variable in config.get("Env") or ())
        return cls(
            entrypoint=tuple(config.get("Entrypoint") or ()),
            command=tuple(config.get("Cmd") or ()),
            environment={name: value for name, _, value in pairs},
            user=config.get("User") or "root",
            working_directory=config.get("WorkingDir") or "/",
        )

    def given(self, plan: ContainerPlan) -> GivenContainer:
        """Join it with a plan as the engine does: a given entrypoint drops the image's command, so does a command."""
        entrypoint = self.entrypoint if plan.entrypoint is None else plan.entrypoint
        command = self.command if plan.entrypoint is None and not plan.command else plan.command
        environment = {**self.environment, **self.added_environment(plan)}
        return GivenContainer(
            command=(*entrypoint, *command),
            environment={"PATH": _DEFAULT_PATH, "HOSTNAME": plan.hostname, **environment},
            user=self.user,
            working_directory=self.working_directory,
            hostname=plan.hostname,
        )

    def added_environment(self, plan: ContainerPlan) -> dict[str, str]:
        """Return the variables that a container gets besides the image's own."""
        variables = dict(plan.environment)
        if plan.debugging is not None:
            before = variables.get("PYTHONPATH", self.environment.get("PYTHONPATH", ""))
            variables |= plan.debugging.variables("0.0.0.0", before)  # noqa: S104 - published on loopback only
        return variables


def image_view(api: docker.APIClient, image: str, labels: Labels) -> ImageView:
    """Read an image's /opt/ml and /etc/passwd from a container that is made, never started, and removed.

    Raises:
        ImageMissingError: there is no such image.
    """
    try:
        # Any command will do, as it never runs; an image without one could not even be made into a container.
        container = api.create_container(image, command=["-"], labels=labels.of({"purpose": "image-view"}))["Id"]
    except (ImageNotFound, NotFound) as error:
        raise ImageMissingError(image, "It was removed from the Docker Engine.") from error
    try:
        entries = {
            str(OPT_ML / member.name): ImageEntry(
                kind="file" if member.isreg() or member.islnk() else _KINDS.get(member.type, "other"),
                mode=member.mode & 0o7777,
                size=member.size if member.isreg() else 0,
                target=member.linkname if member.issym() else None,
            )
            for member, _ in members_in_container(api, container, OPT_ML)
        }
        with file_in_container(api, container, _PASSWD) as found:
            content = found[1] if found is not None else None
            passwd = content.read(_LONGEST_PASSWD).decode(errors="replace") if content is not None else ""
    except APIError as error:
        raise ImageMissingError(image, f"It cannot be read: {error.explanation}") from error
    finally:
        remove_container(api, container)
    return ImageView(entries=entries, passwd=passwd)
