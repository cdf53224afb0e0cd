"""The docker command that a person would type: only it brings a terminal into a container."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Final

from ...errors import EmulatorError

# The best shell that is there.
SHELL: Final = ("/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")


def docker_command() -> str:
    """Return where the docker command is.

    Raises:
        EmulatorError: it is not installed.
    """
    found = shutil.which("docker")
    if found is None:
        raise EmulatorError(
            "A shell in a container needs the docker command, which is not on PATH.\n"
            "Install it (the package docker-cli is enough) and try again."
        )
    return found


def exec_command(container: str, command: Sequence[str], *, terminal: bool) -> list[str]:
    """Return what runs a program in a running container, as its user, where it works."""
    return [docker_command(), "exec", "-it" if terminal else "-i", container, *(command or SHELL)]
