"""The containers of one job in a Docker Engine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from pathlib import PurePosixPath

import docker

from ...contract.outcome import HostExit, InternalServerError
from ...contract.plan import GivenContainer, Mount
from ...jobs.ports import LogSink, TreeMember
from .. import trees
from . import archives
from .container import HostContainer

logger = logging.getLogger(__name__)


class DockerCluster:
    """Containers that are made; one thread each listens once they run."""

    def __init__(
        self,
        api: docker.APIClient,
        containers: Sequence[HostContainer],
        *,
        readable: bool,
        given: Callable[[], Mapping[str, GivenContainer]],
    ) -> None:
        """`readable`: their mounted directories can be read from this machine's disk, all of them."""
        self._api = api
        self.given = given
        self._containers = {container.plan.host: container for container in containers}
        self._readable = readable
        self._lock = threading.Lock()
        self._exits: list[HostExit] = []
        self._error: Exception | None = None

    def start(self, on_log: LogSink, on_exit: Callable[[], None]) -> None:
        """Start all containers at once, each in a thread that then listens to it.

        Those that have ended already are heard here, in the order in which they are given.
        """
        starts: list[Future[None]] = []
        for container in self._containers.values():
            if container.has_ended:
                container.start()
                self._follow(container, on_log, on_exit)
                continue
            started: Future[None] = Future()
            starts.append(started)
            threading.Thread(
                target=self._run,
                args=(container, started, on_log, on_exit),
                name=f"follow-{container.plan.host}",
                daemon=True,
            ).start()
        wait(starts)
        for one in starts:
            one.result()

    def exits(self) -> Sequence[HostExit]:
        """Return how containers ended so far.

        Raises:
            InternalServerError: the engine was lost while a container ran.
        """
        with self._lock:
            if self._error is not None:
                raise InternalServerError(f"the Docker Engine was lost while the job ran: {self._error}")
            return tuple(self._exits)

    def terminate(self) -> None:
        """Send SIGTERM to the first process of each container that still runs."""
        self._signal("SIGTERM")

    def kill(self) -> None:
        """Send SIGKILL to each container that still runs."""
        self._signal("SIGKILL")

    def tree(self, host: str, path: PurePosixPath) -> Iterator[TreeMember]:
        """Yield what is below a directory of a container."""
        container = self._containers[host]
        mount = _mount_of(container, path)
        if self._readable and mount is not None:
            below = path.relative_to(mount.target)
            if trees.is_plain_directory(mount.source, below):
                return trees.members_on_disk(mount.source / below)
        return archives.members_in_container(self._api, container.id, path)

    def file(self, host: str, path: PurePosixPath) -> AbstractContextManager[TreeMember | None]:
        """Open one regular file of a container."""
        container = self._containers[host]
        mount = _mount_of(container, path)
        if self._readable and mount is not None:
            below = path.relative_to(mount.target)
            if trees.is_plain_directory(mount.source, below.parent):
                return trees.file_on_disk(mount.source, below)
        return archives.file_in_container(self._api, container.id, path)

    def _signal(self, name: str) -> None:
        with self._lock:
            ended = {one.host for one in self._exits}
        for host, container in self._containers.items():
            if host not in ended:
                container.signal(name)

    def _run(
        self, container: HostContainer, started: Future[None], on_log: LogSink, on_exit: Callable[[], None]
    ) -> None:
        try:
            container.start()
        except Exception as error:  # noqa: BLE001 - raised by start()
            started.set_exception(error)
            return
        started.set_result(None)
        self._follow(container, on_log, on_exit)

    def _follow(self, container: HostContainer, on_log: LogSink, on_exit: Callable[[], None]) -> None:
        try:
            ended = container.follow(on_log)
        except Exception as error:
            logger.exception("Following %s failed", container.plan.host)
            with self._lock:
                self._error = error
        else:
            with self._lock:
                self._exits.append(ended)
        on_exit()


def _mount_of(container: HostContainer, path: PurePosixPath) -> Mount | None:
    return next((mount for mount in container.plan.mounts if path.is_relative_to(mount.target)), None)
