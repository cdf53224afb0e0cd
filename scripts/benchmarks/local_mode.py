"""Local mode of the SageMaker Python SDK V2, in the environment that it has of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from .running import ROOT, CannotRunError, run

_PROGRAM = Path(__file__).with_name("local_mode_fits.py")
_NETWORK = "sagemaker-local"
_OF_COMPOSE = ("--filter", "label=com.docker.compose.project")
_INSTALL_COMPOSE = ". scripts/apt.sh; can_apt && apt_install docker-compose"


class LocalMode:
    """A process that calls fit() or run() when told to. Use it as a context; then its containers are removed."""

    def __init__(self, folder: Path, image: str) -> None:
        """Start it.

        Raises:
            CannotRunError: the SDK or docker-compose cannot be had.
        """
        _need_compose()
        run("scripts/client-environments", "sdk-v2", timeout=600)
        self._image = image
        self._had_network = bool(run("docker", "network", "ls", "--quiet", "--filter", f"name=^{_NETWORK}$"))
        self._log = folder / "log"
        account = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [ROOT / ".venvs/sdk-v2/bin/python", _PROGRAM, folder, image],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **account},
            )

    def fit_seconds(self) -> float:
        """Return how long one call of an estimator's fit() took."""
        return self._seconds("fit", [])

    def run_seconds(self, command: Sequence[str]) -> float:
        """Return how long one call of a processor's run() took."""
        return self._seconds("run", command)

    def _seconds(self, method: str, command: Sequence[str]) -> float:
        assert self._process.stdin is not None, "it is a pipe"
        assert self._process.stdout is not None, "it is a pipe"
        try:
            print(json.dumps([method, *command]), file=self._process.stdin, flush=True)
            return float(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            raise CannotRunError(f"{method}() failed: {self._log.read_text().strip()[-1000:]}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)
        # The SDK leaves every container, and a network that all of them share.
        left = run("docker", "ps", "--all", "--quiet", "--filter", f"ancestor={self._image}", *_OF_COMPOSE).split()
        if left:
            run("docker", "rm", "--force", "--volumes", *left)
        if not self._had_network:
            subprocess.run(["docker", "network", "rm", _NETWORK], capture_output=True, check=False)


def _need_compose() -> None:
    """Install Debian's docker-compose if it is missing."""
    in_docker = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if in_docker.returncode != 0 and shutil.which("docker-compose") is None:
        try:
            run("bash", "-c", _INSTALL_COMPOSE)
        except CannotRunError as error:
            raise CannotRunError(f"local mode needs docker-compose. {error}") from error
