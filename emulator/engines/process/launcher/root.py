"""The file system that a program sees: this machine's, read-only, with directories of the job's own in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from .kernel import MS_NODEV, MS_NOSUID, bind, change_root, make_private, make_read_only, mount

_OWN: Final = ("/proc",)
_WRITABLE: Final = ("/dev",)
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - a place to mount at, not a file to write


def enter(spec: dict[str, Any]) -> None:
    """Build the file system of a host in a mount namespace of its own, and make it the root.

    `spec["binds"]` are (source, target) of the job's own directories and files, outer ones first;
    `spec["hidden"]` are directories that look empty. Whatever else is made in the root is in memory, and gone
    with the namespace: nothing is ever made on this machine's disk for it.
    """
    make_private("/")
    new, binds = spec["root"], spec["binds"]
    mount("tmpfs", new, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    _Skeleton(new, [target for _, target in binds]).show("/")
    os.mkdir(f"{new}/proc")
    for hidden in spec["hidden"]:
        if os.path.isdir(f"{new}{hidden}"):
            mount("tmpfs", new + hidden, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=4k")
    if os.path.isdir(new + _SHARED_MEMORY) and not os.path.islink(new + _SHARED_MEMORY):
        mount("tmpfs", new + _SHARED_MEMORY, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    for source, target in binds:
        _make_place(new + target, is_directory=os.path.isdir(source))
        bind(source, new + target)
    for path in spec["read_only"]:
        with suppress(OSError):
            make_read_only(new + path)
    # In a PID namespace the program's own goes over it, which an ordinary user may only do where there is one.
    bind("/proc", f"{new}/proc")
    change_root(new)


class _Skeleton:
    """Directories of memory in which the entries of this machine's directories are shown one by one.

    So there is room among them: for a `ml` in /opt, which is not made on the disk.
    """

    def __init__(self, new: str, targets: Iterable[str]) -> None:
        self._new = new
        # A place that is there already is mounted over. The other ones need their parents to be ours.
        self._targets = set(targets)
        self._open = {"/", "/opt"}
        for target in self._targets:
            if not os.path.lexists(target):
                self._open.update(_parents(target))

    def show(self, folder: str) -> None:
        """Show all entries of a directory of this machine."""
        try:
            entries = list(os.scandir(folder))
        except OSError:  # it is not there, or closed to this user
            return
        for entry in entries:
            path = entry.path
            if path in _OWN or path in self._targets:
                continue
            if path in self._open and entry.is_dir(follow_symlinks=False):
                self._open_directory(path)
                continue
            with suppress(OSError):  # what cannot be shown, such as a network drive that is gone, is not there
                self._show_entry(entry)

    def _open_directory(self, path: str) -> None:
        os.mkdir(self._new + path)
        os.chmod(self._new + path, stat.S_IMODE(os.stat(path).st_mode) | 0o555)  # noqa: S103 - of an empty directory of ours
        self.show(path)

    def _show_entry(self, entry: os.DirEntry[str]) -> None:
        shown = self._new + entry.path
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), shown)
            return
        _make_place(shown, is_directory=entry.is_dir(follow_symlinks=False))
        bind(entry.path, shown)
        if entry.path not in _WRITABLE:
            with suppress(OSError):
                make_read_only(shown)


def _parents(path: str) -> Sequence[str]:
    parts = path.strip("/").split("/")[:-1]
    return ["/" + "/".join(parts[: length + 1]) for length in range(len(parts))]


def _make_place(path: str, *, is_directory: bool) -> None:
    """Make what something can be mounted over, if it is not there."""
    if os.path.exists(path):
        return
    if is_directory:
        os.makedirs(path)
    else:
        os.makedirs(path[: path.rindex("/")], exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
