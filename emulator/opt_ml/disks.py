"""What a function finds at /opt/ml: a faked file system in which it is there, or real directories in its place."""

from __future__ import annotations

import os
import shutil
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from tarfile import DIRTYPE, REGTYPE, SYMTYPE, TarInfo
from typing import Any, BinaryIO

from ..contract import paths
from ..contract.plan import Mount
from ..errors import UsageError
from ..jobs.ports import TreeMember

_NO_PROGRAM = shutil.ignore_patterns(".git", ".venv", "__pycache__", "node_modules")


class Disk(ABC):
    """One host's file system."""

    @property
    @abstractmethod
    def opt_ml(self) -> PurePosixPath:
        """The directory that stands for /opt/ml."""

    @abstractmethod
    def running(self, working_directory: PurePosixPath) -> AbstractContextManager[None]:
        """Let this process see the disk, standing in a directory of it, which is made if it is not there."""

    @property
    @abstractmethod
    def _os(self) -> Any:
        """The functions of `os`, for this disk."""

    @abstractmethod
    def _open(self, path: str) -> BinaryIO:
        """Open a file of the disk for reading."""

    def at(self, path: PurePosixPath) -> str:
        """Return where a path below /opt/ml is."""
        return str(self.opt_ml / path.relative_to(paths.OPT_ML))

    def write_text(self, path: PurePosixPath, text: str) -> None:
        """Write a file below /opt/ml that is not there yet."""
        descriptor = self._os.open(self.at(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            self._os.write(descriptor, text.encode())
        finally:
            self._os.close(descriptor)

    def exists(self, path: PurePosixPath) -> bool:
        """Tell whether there is anything at a path below /opt/ml."""
        return bool(self._os.path.lexists(self.at(path)))

    def tree(self, path: PurePosixPath) -> Iterator[TreeMember]:
        """Yield what is below a directory, as `Cluster.tree` does."""
        yield from self._below(self.at(path), "")

    @contextmanager
    def file(self, path: PurePosixPath) -> Iterator[TreeMember | None]:
        """Open one regular file, as `Cluster.file` does."""
        where = self.at(path)
        try:
            member = self._member(where, path.name)
        except FileNotFoundError:
            yield None
            return
        if not member.isreg():
            yield None
            return
        with self._open(where) as content:
            yield member, content

    def _below(self, directory: str, prefix: str) -> Iterator[TreeMember]:
        try:
            names = sorted(self._os.listdir(directory))
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            where = f"{directory}/{name}"
            member = self._member(where, prefix + name)
            if member.isreg():
                with self._open(where) as content:
                    yield member, content
            else:
                yield member, None
                if member.isdir():
                    yield from self._below(where, f"{prefix}{name}/")

    def _member(self, where: str, name: str) -> TarInfo:
        found = self._os.lstat(where)
        member = TarInfo(name)
        member.mode, member.mtime = stat.S_IMODE(found.st_mode), found.st_mtime
        if stat.S_ISREG(found.st_mode):
            member.type, member.size = REGTYPE, found.st_size
        elif stat.S_ISDIR(found.st_mode):
            member.type = DIRTYPE
        elif stat.S_ISLNK(found.st_mode):
            member.type, member.linkname = SYMTYPE, self._os.readlink(where)
        else:
            member.type = b"?"
        return member


class DirectoryDisk(Disk):
    """A directory of this machine in the place of /opt/ml, for readers that a faked file system cannot serve.

    `code` is copied to the place of /opt/ml/code.
    """

    def __init__(self, mounts: Sequence[Mount], code: Path | None = None) -> None:
        self._root = mounts[0].source
        for _ in mounts[0].target.relative_to(paths.OPT_ML).parts:
            self._root = self._root.parent
        if code is not None:
            shutil.copytree(code, self._root / "code", ignore=_NO_PROGRAM, symlinks=True)

    @property
    def opt_ml(self) -> PurePosixPath:
        """The directory that the job was staged in."""
        return PurePosixPath(self._root)

    @contextmanager
    def running(self, working_directory: PurePosixPath) -> Iterator[None]:
        """Stand in the directory."""
        before = Path.cwd()
        inside = working_directory == paths.OPT_ML or paths.OPT_ML in working_directory.parents
        directory = Path(self.at(working_directory)) if inside else self._root
        directory.mkdir(exist_ok=True)
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(before)

    @property
    def _os(self) -> Any:
        return os

    def _open(self, path: str) -> BinaryIO:
        return Path(path).open("rb")


class FakeDisk(Disk):
    """/opt/ml in a faked file system, over what was staged; writing changes the fake only.

    Of this machine it shows, read only, where modules are imported from; `code` is shown at /opt/ml/code.
    """

    def __init__(self, mounts: Sequence[Mount], code: Path | None = None) -> None:
        from .fake_disk import Faking

        self._faking = Faking(code)
        for mount in mounts:
            self._faking.show(mount.source, mount.target, writable=True)
        if code is not None:
            self._faking.show(code, paths.OPT_ML / "code", writable=True)

    @property
    def opt_ml(self) -> PurePosixPath:
        """/opt/ml itself."""
        return paths.OPT_ML

    @contextmanager
    def running(self, working_directory: PurePosixPath) -> Iterator[None]:
        """Patch this process."""
        with self._faking.patched(str(working_directory)):
            yield

    @property
    def _os(self) -> Any:
        return self._faking.os

    def _open(self, path: str) -> BinaryIO:
        return self._faking.open(path)


def require_faking() -> None:
    """Be sure that a file system can be faked now.

    Raises:
        UsageError: pyfakefs is not installed, or fakes the whole test already.
    """
    try:
        from . import fake_disk
    except ImportError as error:
        raise UsageError(
            "opt_ml fakes /opt/ml with pyfakefs, which is not installed here: "
            "pip install 'sagemaker-emulator[pytest]'. Without it, run(..., on_disk=True) uses a real directory."
        ) from error
    fake_disk.require_no_other()
