"""Directory trees in and out of containers, by the disk we share with the engine or by its archive API."""

from __future__ import annotations

import errno
import io
import logging
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import docker
from docker.errors import NotFound

from ...contract.plan import Mount
from ...jobs.ports import CHANGED, TreeMember

logger = logging.getLogger(__name__)


def members_on_disk(root: Path) -> Iterator[TreeMember]:
    """Yield what is below a directory of this machine, sorted, symbolic links as links.

    A container may be writing there: what vanishes is left out, and no link is ever followed, also not one
    that takes the place of a file in this moment.
    """
    if not root.is_dir():
        return
    names: dict[tuple[int, int], str] = {}
    for folder, directories, files, descriptor in os.fwalk(root):
        directories.sort()
        for name in sorted(directories + files):
            try:
                yield from _entry(Path(folder, name).relative_to(root).as_posix(), name, descriptor, names)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise


def _entry(path: str, name: str, folder: int, names: dict[tuple[int, int], str]) -> Iterator[TreeMember]:
    """Yield one entry of a directory that is open; `names` has the first name of each file with several."""
    found = os.lstat(name, dir_fd=folder)
    member = tarfile.TarInfo(path)
    if stat.S_ISREG(found.st_mode):
        first = names.setdefault((found.st_dev, found.st_ino), path)
        if found.st_nlink > 1 and first != path:
            member.type, member.linkname = tarfile.LNKTYPE, first
            yield _with_status(member, found), None
            return
        with os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder), "rb") as content:
            found = os.fstat(content.fileno())
            member.size = found.st_size
            yield _with_status(member, found), content
        return
    if stat.S_ISDIR(found.st_mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(found.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=folder)
    elif stat.S_ISFIFO(found.st_mode):
        member.type = tarfile.FIFOTYPE
    else:  # sockets and devices
        return
    yield _with_status(member, found), None


@contextmanager
def file_on_disk(root: Path, relative: PurePosixPath) -> Iterator[TreeMember | None]:
    """Open one regular file below a directory of this machine; None if there is none, or a link stands in the way.

    An engine that is asked answers only when it has taken down a container that has just ended.
    """
    with ExitStack() as opened:
        try:
            descriptor = _opened_below(root, relative, opened)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
                raise
            descriptor = None
        if descriptor is None:
            yield None
            return
        found = os.fstat(descriptor)
        member = tarfile.TarInfo(relative.name)
        member.size = found.st_size
        yield _with_status(member, found), opened.enter_context(os.fdopen(descriptor, "rb", closefd=False))


def _opened_below(root: Path, relative: PurePosixPath, opened: ExitStack) -> int | None:
    """Open a file from directory to directory, so that also a link that has just been put there leads nowhere.

    What is no file is not even opened: it may be a device.
    """

    def step(name: str, folder: int | None, flags: int) -> int:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
        opened.callback(os.close, descriptor)
        return descriptor

    folder = step(str(root), None, os.O_DIRECTORY)
    for part in relative.parent.parts:
        folder = step(part, folder, os.O_DIRECTORY)
    if not stat.S_ISREG(os.lstat(relative.name, dir_fd=folder).st_mode):
        return None
    descriptor = step(relative.name, folder, os.O_NONBLOCK)  # it may be a pipe by now, which would be waited for
    return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _with_status(member: tarfile.TarInfo, found: os.stat_result) -> tarfile.TarInfo:
    # For who compares files over time; it is not for archives.
    member.pax_headers = {CHANGED: str(found.st_ctime_ns)}
    member.mode, member.uid, member.gid, member.mtime = found.st_mode, found.st_uid, found.st_gid, found.st_mtime
    return member


def is_plain_directory(root: Path, relative: PurePosixPath) -> bool:
    """Tell whether a path below a mounted directory is a directory and no link leads away from it.

    The container may have put a symbolic link there; followed on this machine, it would lead to this
    machine's files.
    """
    path = root
    for part in ("", *relative.parts):
        path = path / part
        try:
            if not stat.S_ISDIR(path.lstat().st_mode):
                return False
        except FileNotFoundError:
            return False
    return True


def members_in_container(api: docker.APIClient, container: str, path: PurePosixPath) -> Iterator[TreeMember]:
    """Yield what is below a directory of a container; nothing if it is not there."""
    try:
        chunks, _ = api.get_archive(container, f"{path}/.")
    except NotFound:
        return
    with tarfile.open(fileobj=cast("BinaryIO", _Reader(chunks)), mode="r|") as tar:
        for member in tar:
            member.name = _below(member.name)
            if member.islnk():
                member.linkname = _below(member.linkname)
            if member.name:
                yield member, cast("BinaryIO | None", tar.extractfile(member) if member.isreg() else None)


@contextmanager
def file_in_container(api: docker.APIClient, container: str, path: PurePosixPath) -> Iterator[TreeMember | None]:
    """Open one regular file of a container; None if there is none, or it is something else."""
    try:
        chunks, _ = api.get_archive(container, str(path))
    except NotFound:
        yield None
        return
    with tarfile.open(fileobj=cast("BinaryIO", _Reader(chunks)), mode="r|") as tar:
        member = tar.next()
        content = tar.extractfile(member) if member is not None and member.isreg() else None
        yield None if member is None or content is None else (member, cast("BinaryIO", content))


def put_mounts(api: docker.APIClient, container: str, mounts: Iterable[Mount]) -> None:
    """Copy laid-out directories into a container that has not started, as root's."""

    def as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with tempfile.TemporaryFile() as spool:
        with tarfile.open(fileobj=spool, mode="w") as tar:
            for mount in mounts:
                tar.add(mount.source, arcname=str(mount.target).lstrip("/"), filter=as_root)
        spool.seek(0)
        api.put_archive(container, "/", spool)


def reclaim(api: docker.APIClient, container: str, mounts: Iterable[Mount]) -> None:
    """Make directories that the container's users made in mounted directories ours, so that we can delete them.

    An ordinary user cannot delete below a directory of root's. The engine is root: extracting an
    archive that holds only the directory itself sets its owner and mode.
    """
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        return
    for mount in mounts:
        seen: list[Path] = []
        # Each round opens what was closed before. An engine that maps users may not give us anything.
        while (foreign := _foreign_directories(mount.source, user)) and foreign != seen:
            seen = foreign
            archive = io.BytesIO()
            with tarfile.open(fileobj=archive, mode="w") as tar:
                for path in foreign:
                    target = PurePosixPath(mount.target, path.relative_to(mount.source).as_posix())
                    member = tarfile.TarInfo(str(target).lstrip("/"))
                    member.type, member.mode, member.uid, member.gid = tarfile.DIRTYPE, 0o700, user, group
                    tar.addfile(member)
            api.put_archive(container, "/", archive.getvalue())
        if foreign:
            logger.warning(
                "%s of a job's files below %s are not ours and cannot be deleted", len(foreign), mount.source
            )


def _foreign_directories(root: Path, user: int) -> list[Path]:
    """Return the directories below (and with) a root that are not the user's or closed to him."""
    found: list[Path] = []

    def look(path: Path) -> None:
        status = path.lstat()
        if status.st_uid != user or status.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            found.append(path)
            return
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    look(Path(entry.path))

    look(root)
    return found


def _below(name: str) -> str:
    """Return an archive member's name without the directory's own, which stands first in each."""
    return PurePosixPath(name).as_posix().partition("/")[2] if not name.startswith("./") else name[2:].rstrip("/")


class _Reader(io.RawIOBase):
    """A stream over chunks of bytes, for tarfile to read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        while size < 0 or have < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            parts.append(chunk)
            have += len(chunk)
        joined = b"".join(parts)
        end = len(joined) if size < 0 else size
        self._rest = joined[end:]
        return joined[:end]
