"""The files that hold the bytes, but for small objects'. Their names are random and never come from keys.

A segment is written aside, in tmp/, and moved into a fan-out folder when it is complete; only then may a
row of the index name it. The row goes before the file goes. So whatever moment the process is killed,
files without a row may be left, but never a row without its file.
"""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from ..file_copy import copy_contents
from .model import Reader, VersionGoneError

ASIDE_FOLDER = "tmp"
CHUNK = 1024**2
# Making, moving and removing a file costs more than to write as much as this into the index.
SMALL: Final = 32 * 1024


class Segments:
    """The segment files below a folder."""

    def __init__(self, root: Path) -> None:
        self._aside = root / ASIDE_FOLDER
        self._root = root / "segments"
        self._lock = threading.Lock()
        self._drafts: set[str] = set()
        self._readers: Counter[str] = Counter()
        self._unwanted: set[str] = set()
        self._going: set[str] = set()
        self._forgotten: deque[list[str]] = deque()
        shutil.rmtree(self._aside, ignore_errors=True)
        self._aside.mkdir(parents=True)
        self._root.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        """Return where a segment lies."""
        return self._root / name[:2] / name

    def open(self, name: str) -> int:
        """Return a descriptor to read a segment; it stays readable when the segment is removed.

        Raises:
            VersionGoneError: it was removed already.
        """
        try:
            return os.open(f"{self._root}/{name[:2]}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise VersionGoneError from error

    def copy_to(self, destination: Path, names: Sequence[tuple[str, int]], content: bytes = b"") -> int:
        """Write segments (name, size), or content that has none, to a new file and return its size.

        Raises:
            VersionGoneError: one was removed already; there is no file.
        """
        copied = len(content)
        target = os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            _write(target, content)
            for name, size in names:
                source = self.open(name)
                try:
                    copied += copy_contents(source, target, 0, size)
                finally:
                    os.close(source)
        except BaseException:
            destination.unlink()
            raise
        finally:
            os.close(target)
        return copied

    def draft(self) -> Draft:
        """Begin a new segment."""
        name = os.urandom(16).hex()
        with self._lock:
            self._drafts.add(name)
        return Draft(name, f"{self._aside}/{name}", f"{self._root}/{name[:2]}/{name}")

    def settle(self, draft: Draft, *, remove: bool) -> None:
        """End the making of a segment: the index names it now, or it is removed."""
        draft.close()
        if remove:
            draft.remove()
        with self._lock:
            self._drafts.discard(draft.name)

    def hold(self, names: Iterable[str]) -> None:
        """Keep segments that will be read, also when the index forgets them.

        Raises:
            VersionGoneError: one was removed already.
        """
        held = list(names)
        with self._lock:
            gone = not self._going.isdisjoint(held)
            if not gone:
                self._readers.update(held)
        if gone or not all(os.access(f"{self._root}/{name[:2]}/{name}", os.F_OK) for name in held):
            if not gone:
                self.let_go(held)
            raise VersionGoneError

    def let_go(self, names: Iterable[str]) -> None:
        """End `hold`: what the index forgot meanwhile is removed."""
        unwanted = []
        with self._lock:
            for name in names:
                self._readers[name] -= 1
                if not self._readers[name]:
                    del self._readers[name]
                    if name in self._unwanted:
                        self._unwanted.discard(name)
                        self._going.add(name)
                        unwanted.append(name)
        self._unlink(unwanted)

    def let_go_later(self, names: list[str]) -> None:
        """End `hold` at the next removal: for the garbage collector, which may come while the lock is held."""
        self._forgotten.append(names)

    def remove(self, names: Iterable[str]) -> None:
        """Remove segments that the index has forgotten, those being read when they have been."""
        while self._forgotten:
            self.let_go(self._forgotten.popleft())
        unwanted = []
        with self._lock:
            for name in names:
                if name in self._readers:
                    self._unwanted.add(name)
                else:
                    self._going.add(name)
                    unwanted.append(name)
        self._unlink(unwanted)

    def strays(self) -> Iterator[list[str]]:
        """Yield, folder by folder, the names of files that are no drafts: the index must know each of them.

        A draft that is published is a draft until the index has it; so the index must be asked afterwards.
        """
        for folder in sorted(self._root.iterdir()):
            names = [path.name for path in folder.iterdir()]
            with self._lock:
                known = self._drafts | self._unwanted
            yield [name for name in names if name not in known]

    def _unlink(self, names: list[str]) -> None:
        # Outside the lock: removing a large file takes its time.
        for name in names:
            self.path(name).unlink(missing_ok=True)
        with self._lock:
            self._going.difference_update(names)


class Draft:
    """Bytes being written. There is a file once they are more than SMALL, or are published as a segment."""

    def __init__(self, name: str, aside: str, target: str) -> None:
        self.name = name
        self.size = 0
        self._aside = aside
        self._target = target
        self._file: int | None = None
        self._few: bytearray | None = bytearray()

    @property
    def content(self) -> bytes | None:
        """All bytes, if they are few enough for the index; None: they are in a file."""
        return None if self._few is None else bytes(self._few)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self.size += len(data)
        if self._few is not None:
            if self.size <= SMALL:
                self._few += data
                return
            self._begin_file()
        assert self._file is not None, "it was begun"
        _write(self._file, data)

    def take(self, source: Path, *, move: bool) -> None:
        """Take all of a file: by a rename if it may be moved, else inside the kernel; a small one is read."""
        if source.stat().st_size <= SMALL:
            self.write(source.read_bytes())
            if move:
                source.unlink()
            return
        self._few = None
        found = source.lstat()
        if move and stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            try:
                source.rename(self._aside)
            except OSError:  # another file system
                pass
            else:
                self.size = Path(self._aside).stat().st_size
                return
        with source.open("rb", buffering=0) as opened:
            self._file = self._create()
            self.size = copy_contents(opened.fileno(), self._file)
        if move:
            source.unlink()

    def take_from(self, reader: Reader) -> None:
        """Take all that a reader gives; what lies in files inside the kernel."""
        if not reader.spans:
            for chunk in reader:
                self.write(chunk)
            return
        self._few, self._file = None, self._create()
        for span in reader.spans:
            with span.path.open("rb", buffering=0) as opened:
                self.size += copy_contents(opened.fileno(), self._file, span.offset, span.length)

    def chunks(self) -> Iterator[bytes]:
        """Yield what was written, before it is published."""
        if self._few is not None:
            yield bytes(self._few)
        elif self.size:
            with Path(self._aside).open("rb", buffering=0) as opened:
                while chunk := opened.read(CHUNK):
                    yield chunk

    def publish(self) -> None:
        """Move the file to its place, however small; nothing has none."""
        if self._few:
            self._begin_file()
        self.close()
        if not self.size:
            Path(self._aside).unlink(missing_ok=True)
            return
        try:
            os.rename(self._aside, self._target)  # noqa: PTH104 - a path object costs as much as the call
        except FileNotFoundError:
            Path(self._target).parent.mkdir(exist_ok=True)
            Path(self._aside).rename(self._target)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            descriptor, self._file = self._file, None
            os.close(descriptor)

    def remove(self) -> None:
        """Remove the file, wherever it is by now."""
        for path in (self._aside, self._target):
            Path(path).unlink(missing_ok=True)

    def _begin_file(self) -> None:
        """Go on in a file."""
        self._file = self._create()
        few, self._few = self._few, None
        _write(self._file, few or b"")

    def _create(self) -> int:
        return os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _write(file: int, data: bytes | bytearray | memoryview) -> None:
    while data:
        data = memoryview(data)[os.write(file, data) :]
