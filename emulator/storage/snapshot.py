"""A whole state directory as one tar file, to be taken elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Final

from .. import __version__
from ..errors import UsageError
from .database import FILE_NAME, SCHEMA_VERSION, require_state
from .objects.index import INDEX_FILE, OBJECTS_FOLDER
from .objects.index import MIGRATIONS as INDEX_MIGRATIONS
from .objects.reserve import RESERVE_FILE
from .schema import version_of
from .state_dir import LOCAL, at_rest

_MANIFEST: Final = "sagemaker-emulator-state.json"
_LONGEST_MANIFEST: Final = 10_000
# The databases of a state: what the manifest calls the version of each, and the newest that is known here.
_DATABASES: Final = {
    FILE_NAME: ("schema_version", SCHEMA_VERSION),
    f"{OBJECTS_FOLDER}/{INDEX_FILE}": ("object_store_version", len(INDEX_MIGRATIONS)),
}
# Of this machine and moment only. SQLite's -wal files belong to the databases, its -shm files do not.
_LEFT_OUT: Final = LOCAL


def save(folder: Path, file: Path) -> int:
    """Write a state that no emulator uses to a new tar file, gzipped if its name says so, and return its size.

    Raises:
        UsageError: an emulator uses the state, there is none, or the file exists or cannot be written.
    """
    require_state(folder)
    with at_rest(folder):
        manifest = {
            "written_by": f"sagemaker-emulator {__version__}",
            **{name: version_of(folder / path) for path, (name, _) in _DATABASES.items()},
        }
        aside = file.with_name(f".{file.name}.part")
        if file.exists():
            raise UsageError(f"{file} exists. Choose another name, or remove it.")
        try:
            with _new_tar(aside, compressed=file.suffix in (".gz", ".tgz")) as tar:
                _add_manifest(tar, manifest)
                for path in _members(folder):
                    tar.add(path, path.relative_to(folder), recursive=False)
            aside.rename(file)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise UsageError(f"{file} cannot be written: {error.strerror or error}.") from error
    return file.stat().st_size


def load(file: Path, folder: Path) -> None:
    """Make a state directory of a saved state.

    It is unpacked aside and moved into place when it is complete.

    Raises:
        UsageError: the directory has something in it, or the file is no state that this program can use.
    """
    if folder.exists() and (not folder.is_dir() or any(path.name not in LOCAL for path in folder.iterdir())):
        raise UsageError(
            f"The state directory {folder} is not empty. Load into a new one with --state-dir DIR, or remove it first."
        )
    aside: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        with tarfile.open(file) as tar:
            _check_manifest(tar, file)
            for member in tar:
                _unpack(tar, member, aside, file)
        for path in _DATABASES:
            version_of(aside / path)
        _put_in_place(aside, folder)
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
        raise UsageError(f"{file} cannot be loaded into {folder}: {error}") from error
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


def _new_tar(file: Path, *, compressed: bool) -> tarfile.TarFile:
    return tarfile.open(file, "w:gz", compresslevel=1) if compressed else tarfile.open(file, "w")


def _members(folder: Path) -> Iterator[Path]:
    reserve = folder / OBJECTS_FOLDER / RESERVE_FILE
    for path in sorted(folder.iterdir()):
        if path.name not in _LEFT_OUT:
            yield path
            if path.is_dir():
                yield from sorted(inner for inner in path.rglob("*") if inner != reserve)


def _add_manifest(tar: tarfile.TarFile, manifest: dict[str, object]) -> None:
    content = json.dumps(manifest).encode()
    member = tarfile.TarInfo(_MANIFEST)
    member.size, member.mtime = len(content), int(time.time())
    tar.addfile(member, BytesIO(content))


def _check_manifest(tar: tarfile.TarFile, file: Path) -> None:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == _MANIFEST else None
    try:
        manifest = json.loads(content.read(_LONGEST_MANIFEST)) if content is not None else {}
        writer, version = manifest["written_by"], int(manifest["schema_version"])
        versions = {"schema_version": version, "object_store_version": int(manifest.get("object_store_version", 0))}
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{file} was not written by `sagemaker-emulator state save`.") from error
    for path, (name, newest) in _DATABASES.items():
        if versions[name] > newest:
            raise UsageError(
                f"{file} was written by {writer}: its {path} has schema version {versions[name]}; this program knows "
                f"versions up to {newest}. Load it with the newer program."
            )


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, file: Path) -> None:
    """Write one member; whatever it is, nothing outside of the folder is touched."""
    name = PurePosixPath(member.name)
    if member.name == _MANIFEST or name.suffix == ".sqlite-shm":
        return
    if name.is_absolute() or ".." in name.parts or not (member.isreg() or member.isdir() or member.islnk()):
        raise UsageError(f"{file} has a member that no state has: {member.name!r}.")
    target = folder / name
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = tar.extractfile(member)  # of a hard link: the content of the member it names
    assert source is not None
    with source, target.open("xb") as written:
        shutil.copyfileobj(source, written, 1024**2)
    os.utime(target, (member.mtime, member.mtime))


def _put_in_place(aside: Path, folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    aside.rename(folder)
