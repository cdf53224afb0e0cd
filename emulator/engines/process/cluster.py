"""The programs of one job, each in the surroundings of its host."""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePosixPath
from typing import Final

from ...contract.outcome import HostExit
from ...contract.plan import ClusterPlan, GivenContainer, Mount
from ...jobs.ports import Cluster, LogSink, TreeMember
from .. import trees
from .launch import HostProcess

logger = logging.getLogger(__name__)

_SYS_OPENAT2: Final = 437
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_IN_ROOT: Final = 0x10
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENXIO)


class ProcessCluster:
    """Programs that can be started; one thread each listens once they run."""

    def __init__(self, plan: ClusterPlan, hosts: Sequence[HostProcess], given: Mapping[str, GivenContainer]) -> None:
        self._given = given
        self._mounts = {one.host: one.mounts for one in plan.containers}
        self._hosts = {host.host: host for host in hosts}
        self._lock = threading.Lock()
        self._exits: list[HostExit] = []
        self._error: Exception | None = None
        self._threads: list[threading.Thread] = []

    def given(self) -> Mapping[str, GivenContainer]:
        """Return what each host's program is started with."""
        return self._given

    def start(self, on_log: LogSink, on_exit: Callable[[], None]) -> None:
        """Start every program, and listen to all of them."""
        for host in self._hosts.values():
            host.start()
            thread = threading.Thread(
                target=self._follow, args=(host, on_log, on_exit), name=f"follow-{host.host}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def exits(self) -> Sequence[HostExit]:
        """Return how programs ended so far.

        Raises:
            InternalServerError: the launcher was killed.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            return tuple(self._exits)

    def terminate(self) -> None:
        """Send SIGTERM to each program that still runs."""
        for host in self._hosts.values():
            host.signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to each program that still runs."""
        for host in self._hosts.values():
            host.signal(signal.SIGKILL)

    def tree(self, host: str, path: PurePosixPath) -> Iterator[TreeMember]:
        """Yield what is below a directory, as the program sees it."""
        mount = self._mount_of(host, path)
        if mount is not None:
            folder = trees.open_plain_directory(mount.source, path.relative_to(mount.target))
            if folder is not None:
                return trees.members_below(folder)
        return self._members_inside(host, path)

    def file(self, host: str, path: PurePosixPath) -> AbstractContextManager[TreeMember | None]:
        """Open one regular file, as the program sees it."""
        mount = self._mount_of(host, path)
        if mount is not None and trees.is_plain_directory(mount.source, path.relative_to(mount.target).parent):
            return trees.file_on_disk(mount.source, path.relative_to(mount.target))
        return self._file_inside(host, path)

    def join(self) -> None:
        """Wait for the threads, when all programs are gone."""
        for thread in self._threads:
            thread.join()

    def _members_inside(self, host: str, path: PurePosixPath) -> Iterator[TreeMember]:
        try:
            descriptor = _opened_inside(self._hosts[host].root, path, os.O_DIRECTORY)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            return
        yield from trees.members_below(descriptor)

    @contextmanager
    def _file_inside(self, host: str, path: PurePosixPath) -> Iterator[TreeMember | None]:
        try:
            folder = _opened_inside(self._hosts[host].root, path.parent, os.O_DIRECTORY)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            yield None
            return
        try:
            with trees.file_on_disk(folder, PurePosixPath(path.name)) as found:
                yield found
        finally:
            os.close(folder)

    def _mount_of(self, host: str, path: PurePosixPath) -> Mount | None:
        return next((mount for mount in self._mounts[host] if path.is_relative_to(mount.target)), None)

    def _follow(self, host: HostProcess, on_log: LogSink, on_exit: Callable[[], None]) -> None:
        try:
            ended = host.follow(on_log)
        except Exception as error:  # noqa: BLE001 - raised by exits()
            logger.info("Following %s ended: %s", host.host, error)  # also when the emulator ends
            with self._lock:
                self._error = error
        else:
            with self._lock:
                self._exits.append(ended)
        on_exit()


def _opened_inside(root: int, path: PurePosixPath, flags: int) -> int:
    """Open a path as a program sees it whose root this is: links lead to where they lead there, and never out.

    Raises:
        OSError: it is not there.
    """
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY | os.O_CLOEXEC | flags, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    descriptor = int(
        _libc.syscall(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_int(root),
            ctypes.c_char_p(os.fsencode(str(path))),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
    )
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    return descriptor


_libc: Final = ctypes.CDLL(None, use_errno=True)
_: type[Cluster] = ProcessCluster
