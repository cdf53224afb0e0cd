"""Room that is kept for making room: also a deletion has to be written down first, in the index's journal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from .index import LONGEST_JOURNAL, Index
from .model import StoreFullError

RESERVE_FILE: Final = "reserve"
# What the database may grow by when the journal is brought into it.
_SIZE: Final = LONGEST_JOURNAL
ROOM_TO_START: Final = 1024**2
"""What opening databases and taking locks may need."""


class Reserve:
    """A file without content that takes some MiB of the disk."""

    def __init__(self, folder: Path, index: Index) -> None:
        """Take the room, if the disk has it, and more that whoever starts on a full disk needs."""
        self._index = index
        self._path = folder / RESERVE_FILE
        self._lock = threading.Lock()
        disk = os.statvfs(folder)
        if self._path.exists() or disk.f_bavail * disk.f_frsize >= _SIZE + ROOM_TO_START:
            self._take()

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Lend the room to who frees more; it is taken again at the end, if the disk has it by then."""
        with self._lock:
            self._path.unlink(missing_ok=True)
            self._index.empty_journal()
            try:
                yield
            finally:
                self._take()

    def _take(self) -> None:
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, _SIZE)
            finally:
                os.close(file)
        except OSError:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


class _HasReserve(Protocol):
    reserve: Reserve


S = TypeVar("S", bound=_HasReserve)
P = ParamSpec("P")
T = TypeVar("T")


def makes_room(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Let a method that deletes succeed on a full disk, where it changes nothing at first: again, with the reserve."""

    @wraps(method)
    def with_the_reserve(store: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(store, *args, **kwargs)
        except StoreFullError:
            with store.reserve.given_up():
                return method(store, *args, **kwargs)

    return with_the_reserve
