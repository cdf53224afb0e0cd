"""What tar and zip archives hold, without unpacking them: names inside are shown, and never become paths.

`tarfile` and `zipfile` see a file that refuses to go back and to hand out much at once: what their headers claim
can then neither fill the memory nor lead round in circles.
"""

from __future__ import annotations

import contextlib
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Final, cast

from .streams import Budget, ObjectFile, Source, UnreadableError

MOST_MEMBERS: Final = 2000
# Names and attributes of one member. Python's own pattern for them takes time in the square of their length.
_LARGEST_HEADER: Final = 16 * 1024
_LARGEST_DIRECTORY: Final = 8 * 1024**2
_PIECE: Final = 8 * 1024
_LARGEST_PIECE: Final = 1024**2
_READABLE: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1
_LAST_MOMENT: Final = 253_402_300_800  # the year 10000
# What the two libraries raise for archives that somebody has made up.
_DAMAGED: Final = (
    tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, OSError, EOFError, LookupError,
    ArithmeticError, RecursionError, NotImplementedError, AttributeError, TypeError,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Member:
    """What an archive says of one entry; `number` is its place, as names may come twice."""

    number: int
    name: str
    kind: str
    size: int
    mode: str
    modified: float | None
    target: str = ""

    @property
    def is_file(self) -> bool:
        return self.kind == "file"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The members that were found, and a sentence on why there may be more."""

    members: list[Member]
    note: str = ""


class _Forward:
    """A source as `tarfile` wants it: a file that can be asked for a place, but only for one further on."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0
        self.largest = _LARGEST_HEADER
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= self.largest:
            raise UnreadableError(f"A header in it claims to be {size} bytes long: nothing behind it is read.")
        found = self.last = self._source.read(size)
        self._position += len(found)
        return found

    def seek(self, position: int, _whence: int = 0) -> int:
        if position < self._position:
            raise UnreadableError("A header in it leads back to what came before: nothing behind it is read.")
        self._source.skip(position - self._position)
        self._position = position
        return position

    def tell(self) -> int:
        return self._position


def tar_contents(source: Source) -> Contents:
    """Return the members of a tar, as many as the limits allow."""
    members: list[Member] = []
    forward = _Forward(source)
    try:
        with _opened_tar(forward) as tar:
            for number, found in enumerate(tar):
                if number == MOST_MEMBERS:
                    return Contents(members=members, note=f"Only the first {MOST_MEMBERS} members are listed.")
                members.append(_tar_member(number, found))
                _forget(tar)
    except UnreadableError as error:
        return Contents(members=members, note=str(error))
    # The library takes a header that is none for the end, which is a block of zeros, or missing.
    note = "The archive is damaged behind the last of these members." if forward.last.strip(b"\0") else ""
    return Contents(members=members, note=note)


def tar_member(source: Source, number: int) -> tuple[Member, Source]:
    """Return a member of a tar, and its content if it is a file.

    Raises:
        UnreadableError: there is no such member, or it cannot be read.
    """
    forward = _Forward(source)
    with contextlib.ExitStack() as opened:
        tar = opened.enter_context(_opened_tar(forward))
        for place, found in enumerate(tar):
            if place == number:
                member = _tar_member(number, found)
                forward.largest = _LARGEST_PIECE
                content = tar.extractfile(found) if member.is_file else None
                return member, _File(content)
            _forget(tar)
    raise UnreadableError(f"The archive has no member number {number}.")


def zip_contents(file: ObjectFile) -> Contents:
    """Return the members of a zip: its directory is read, and nothing else."""
    try:
        with _opened_zip(file) as archive:
            found = archive.infolist()
    except UnreadableError as error:
        return Contents(members=[], note=str(error))
    shown = [_zip_member(number, one) for number, one in enumerate(found[:MOST_MEMBERS])]
    note = f"Only the first {MOST_MEMBERS} of {len(found)} members are listed." if len(found) > MOST_MEMBERS else ""
    return Contents(members=shown, note=note)


def zip_member(file: ObjectFile, number: int, budget: Budget) -> tuple[Member, Source]:
    """Return a member of a zip, and its content if it is a file.

    Raises:
        UnreadableError: there is no such member, or it cannot be read.
    """
    with _opened_zip(file) as archive:
        found = archive.infolist()
        if not 0 <= number < len(found):
            raise UnreadableError(f"The archive has no member number {number}.")
        member = _zip_member(number, found[number])
        if not member.is_file:
            return member, _File(None)
        if found[number].flag_bits & _ENCRYPTED:
            raise UnreadableError("This member is encrypted. Download the archive to read it.")
        if found[number].compress_type not in _READABLE:
            raise UnreadableError("This member is packed in a way that is not read here. Download the archive.")
        return member, _File(archive.open(found[number]), budget)


class _File:
    """The content of a member; what is wrong with it is said when it is read."""

    def __init__(self, file: IO[bytes] | None, budget: Budget | None = None) -> None:
        self._file = file
        self._budget = budget

    def read(self, size: int) -> bytes:
        pieces, missing = [], size
        while self._file is not None and missing > 0:
            with _damage_told():
                piece = self._file.read(min(missing, _PIECE))
            if not piece:
                break
            if self._budget is not None:
                self._budget.spend(len(piece))
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def skip(self, count: int) -> None:
        while count > 0 and (piece := self.read(min(count, _LARGEST_PIECE))):
            count -= len(piece)


class _Directory:
    """A file as `zipfile` wants it, from which no huge directory is read."""

    def __init__(self, file: ObjectFile) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        wanted = self._file.size - self._file.tell() if size < 0 else size
        if wanted > _LARGEST_DIRECTORY:
            raise UnreadableError("It has too many members to list them here. Download it instead.")
        return self._file.read(wanted)


@contextlib.contextmanager
def _opened_tar(forward: _Forward) -> Iterator[tarfile.TarFile]:
    with _damage_told(), tarfile.open(fileobj=cast("IO[bytes]", forward), mode="r:", errors="replace") as tar:
        yield tar


def _forget(tar: Any) -> None:
    """Let the members go that an archive has had: it remembers them all."""
    tar.members.clear()


@contextlib.contextmanager
def _opened_zip(file: ObjectFile) -> Iterator[zipfile.ZipFile]:
    with _damage_told():
        yield zipfile.ZipFile(cast("IO[bytes]", _Directory(file)))


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except UnreadableError:
        raise
    except _DAMAGED as error:
        raise UnreadableError(f"The archive is damaged: {str(error) or type(error).__name__}.") from error


def _tar_member(number: int, found: tarfile.TarInfo) -> Member:
    kinds = {"directory": found.isdir(), "file": found.isreg(), "symbolic link": found.issym(), "link": found.islnk()}
    kind = next((name for name, is_it in kinds.items() if is_it), "special file")
    return Member(
        number=number,
        name=found.name,
        kind=kind,
        size=_sane(found.size),
        mode=_mode_text(found.mode),
        modified=_moment(found.mtime),
        target=found.linkname if kind in ("symbolic link", "link") else "",
    )


def _zip_member(number: int, found: zipfile.ZipInfo) -> Member:
    mode = found.external_attr >> 16
    is_link = stat.S_ISLNK(mode)
    modified = None
    with contextlib.suppress(ValueError):  # a date that there is not
        modified = datetime(*found.date_time, tzinfo=UTC).timestamp()
    return Member(
        number=number,
        name=found.filename,
        kind="directory" if found.is_dir() else "symbolic link" if is_link else "file",
        size=_sane(found.file_size),
        mode=_mode_text(mode) if mode else "",
        modified=modified,
    )


def _mode_text(mode: int) -> str:
    return stat.filemode(mode & 0o7777)[1:] if mode >= 0 else ""


def _sane(size: int) -> int:
    return min(max(0, size), 2**63)


def _moment(seconds: float) -> float | None:
    return float(seconds) if 0 <= seconds < _LAST_MOMENT else None
