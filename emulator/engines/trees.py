"""Directory trees of a job, read from the disk that this machine shares with its programs."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

from ..jobs.ports import CHANGED, TreeMember


def members_on_disk(root: Path) -> Iterator[TreeMember]:
    """Yield what is below a directory of this machine, sorted, symbolic links as links.

    A container may be writing there: what vanishes is left out, and no link is ever followed, also not one
    that takes the place of a file in this moment.
    """
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError:
        descriptor = _opened_although_closed(str(root), None, os.O_DIRECTORY)
    yield from members_below(descriptor)


def members_below(descriptor: int) -> Iterator[TreeMember]:
    """Yield what is below an open directory, as `members_on_disk` does, and close it."""
    yield from _below(descriptor, "", {})


def _below(folder: int, path: str, names: dict[tuple[int, int], str]) -> Iterator[TreeMember]:
    """Yield the entries of a directory, then what is below each; `names` has the first name of files with several."""
    try:
        with _searchable(folder):
            directories = []
            for name in sorted(os.listdir(folder)):
                with _may_vanish():
                    if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
                        directories.append(name)
                    yield from _entry(path + name, name, folder, names)
            for name in directories:
                with _may_vanish():
                    yield from _below(_opened(name, folder, os.O_DIRECTORY), f"{path}{name}/", names)
    finally:
        os.close(folder)


@contextmanager
def _searchable(folder: int) -> Iterator[None]:
    """Let names be looked up in an open directory, also if its owner, who is this user, has closed it to himself."""
    found = os.fstat(folder)
    if found.st_mode & stat.S_IXUSR or found.st_uid != os.geteuid() or os.geteuid() == 0:
        yield
        return
    mode = stat.S_IMODE(found.st_mode)
    os.fchmod(folder, mode | stat.S_IXUSR)
    try:
        yield
    finally:
        os.fchmod(folder, mode)


@contextmanager
def _may_vanish() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise


def _opened(name: str, folder: int | None, flags: int = 0) -> int:
    """Open an entry of a directory that is open, but no link; also one that its owner has closed to himself."""
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
    except PermissionError:
        return _opened_although_closed(name, folder, flags)


def _opened_although_closed(name: str, folder: int | None, flags: int) -> int:
    """Open what a program has closed to this user, whose it is: root, which the program took itself for, can read it.

    Raises:
        PermissionError: it is somebody else's.
    """
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
        itself = f"/proc/self/fd/{handle}"
        os.chmod(itself, stat.S_IMODE(found.st_mode) | stat.S_IRWXU)  # noqa: PTH101 - as long as it takes to open it
        try:
            return os.open(itself, os.O_RDONLY | os.O_CLOEXEC | flags)
        finally:
            os.chmod(itself, stat.S_IMODE(found.st_mode))  # noqa: PTH101
    finally:
        os.close(handle)


def open_up(root: Path) -> None:
    """Make all directories of this user below (and with) a root deletable by him, whatever a program has closed."""
    with suppress(OSError):
        found = root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return
        if found.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            root.chmod(stat.S_IMODE(found.st_mode) | stat.S_IRWXU)
        with os.scandir(root) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    open_up(Path(entry.path))


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
        with os.fdopen(_opened(name, folder), "rb") as content:
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
def file_on_disk(root: Path | int, relative: PurePosixPath) -> Iterator[TreeMember | None]:
    """Open one regular file below a directory of this machine; None if there is none, or a link stands in the way.

    The directory is named, or open.

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


def _opened_below(root: Path | int, relative: PurePosixPath, opened: ExitStack) -> int | None:
    """Open a file from directory to directory, so that also a link that has just been put there leads nowhere.

    What is no file is not even opened: it may be a device.
    """

    def step(name: str, folder: int | None, flags: int) -> int:
        descriptor = _opened(name, folder, flags)
        opened.callback(os.close, descriptor)
        return descriptor

    folder = root if isinstance(root, int) else step(str(root), None, os.O_DIRECTORY)
    for part in relative.parent.parts:
        opened.enter_context(_searchable(folder))
        folder = step(part, folder, os.O_DIRECTORY)
    opened.enter_context(_searchable(folder))
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
    descriptor = open_plain_directory(root, relative)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None


def open_plain_directory(root: Path, relative: PurePosixPath) -> int | None:
    """Open a directory below a mounted one; None if it is none, or a link leads to it."""
    with ExitStack() as opened:
        folder = None
        for part in (str(root), *relative.parts):
            if folder is not None:
                opened.callback(os.close, folder)
                opened.enter_context(_searchable(folder))
            try:
                folder = _opened(part, folder, os.O_DIRECTORY)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                    raise
                return None
    return folder
