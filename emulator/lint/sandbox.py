"""Containers that exist for one lint: without a network, labelled, and removed at its end whatever happens."""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import docker
from docker.types import LogConfig, Mount

from .. import file_locks
from ..engines.docker.labels import Labels
from ..engines.docker.removal import remove_owned
from ..jobs.ports import Owner

_POLL_SECONDS: Final = 0.05
_OUTPUT_BYTES: Final = 64 * 1024


class Sandbox:
    """Makes containers in an engine. A lint that is killed leaves them to the next emulator's clean-up."""

    def __init__(self, api: docker.APIClient) -> None:
        self.api = api
        self._identity = f"lint-{uuid.uuid4().hex}"

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="sagemaker-emulator-lint-")
        lock = Path(self._folder.name, "lock")
        self._lock = file_locks.take(lock)
        self._labels = Labels(Owner(identity=self._identity, lock=lock, recovery_window=0)).of({"lint": "true"})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            remove_owned(self.api, self._identity)
        finally:
            if self._lock is not None:
                os.close(self._lock)
            self._folder.cleanup()

    def create(
        self,
        image: str,
        *,
        entrypoint: Sequence[str] | None = None,
        command: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        hosts: Mapping[str, str] | None = None,
        volumes: Sequence[str] = (),
    ) -> str:
        """Make a container that is not started, and return its id. `volumes` are empty directories.

        Raises:
            APIError: the engine refuses.
        """
        host_config = self.api.create_host_config(
            network_mode="none",
            extra_hosts=dict(hosts or {}),
            mounts=[Mount(path, None, type="volume", no_copy=True) for path in volumes],
            log_config=LogConfig(type="json-file", config={"max-size": "10m"}),
        )
        created: dict[str, Any] = self.api.create_container(
            image,
            entrypoint=list(entrypoint) if entrypoint is not None else None,
            command=list(command),
            environment=dict(environment or {}),
            labels=self._labels,
            host_config=host_config,
        )
        return str(created["Id"])

    def exit_code(self, container: str, seconds: float) -> int | None:
        """Wait for a container's end, and return its exit code; None if it still runs after so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.api.inspect_container(container)["State"]
            if state["Status"] in ("exited", "dead"):
                return int(state["ExitCode"])
            if time.monotonic() > deadline:
                return None
            time.sleep(_POLL_SECONDS)

    def output(self, container: str, *, stderr: bool = True) -> str:
        """Return the end of what a container wrote."""
        written: bytes = self.api.logs(container, stdout=True, stderr=stderr, tail=200)
        return written[-_OUTPUT_BYTES:].decode(errors="replace")
