"""Directory trees in and out of containers by the engine's archive API."""

from __future__ import annotations

import io
import logging
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import docker
from docker.errors import NotFound

from ...contract.plan import Mount
from ...jobs.ports import TreeMember

logger = logging.getLogger(__name__)


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
