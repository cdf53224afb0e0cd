"""S3 input data of any job: which objects it is, which host gets each, and which files they become.

To be used in this order: `prefix_objects` or `manifest_objects`, `shard`, `file_layout`, and for a processing
job `joined_layout`. What cannot be done fails the job with a DataDownloadError, in words of the service where
they are known.

Source: BC `S3DataSource`, `ProcessingS3Input`, "Amazon SageMaker: access training data", and captured jobs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, TypeGuard, TypeVar

from .arns import S3Uri
from .job import Host
from .outcome import DataDownloadError

S3_PREFIX: Final = "S3Prefix"
MANIFEST_FILE: Final = "ManifestFile"
SHARDED_BY_S3_KEY: Final = "ShardedByS3Key"

_LONGEST_FILE_NAME: Final = 255
_MANIFEST_PREFIX: Final = re.compile(r"s3://[^/]+")

_Object = TypeVar("_Object")


@dataclass(frozen=True, kw_only=True)
class SourceObject:
    """One S3 object of the data, and the name it keeps; a name that ends in "/", or is empty, is a folder marker."""

    source: S3Uri
    name: str


@dataclass(frozen=True, kw_only=True)
class StagedObject:
    """One S3 object and the path it takes, relative to where its data goes."""

    source: S3Uri
    path: PurePosixPath


@dataclass(frozen=True, kw_only=True)
class FileLayout:
    """What File mode puts on one host; directories come before what is in them."""

    files: tuple[StagedObject, ...]
    directories: tuple[PurePosixPath, ...]


def prefix_objects(source: S3Uri, keys: Iterable[str]) -> tuple[SourceObject, ...]:
    """Return the objects of an S3Prefix, given the keys that start with its key, in their order."""
    return tuple(
        SourceObject(source=S3Uri(bucket=source.bucket, key=key), name=relative_key(source.key, key)) for key in keys
    )


def manifest_objects(source: S3Uri, text: str) -> tuple[SourceObject, ...]:
    """Return the objects that a ManifestFile lists: `[{"prefix": "s3://b/p/"}, "a", "d/b"]`.

    An object's URI is the prefix and the entry, with nothing put between, and the entry is the path that it
    keeps. An object that is listed twice counts once.

    Raises:
        DataDownloadError: the text is no such list. The service's text is unconfirmed.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad_manifest(source, f"it is not JSON: {error}") from error
    if not isinstance(document, list) or not document:
        raise _bad_manifest(source, "it is not a list")
    prefix = document[0].get("prefix") if isinstance(document[0], dict) else None
    if not _is_text(prefix) or not _MANIFEST_PREFIX.match(prefix):
        raise _bad_manifest(source, 'its first entry is not {"prefix": "s3://bucket/..."}')
    entries = document[1:]
    if not entries or not all(_is_text(entry) for entry in entries):
        raise _bad_manifest(source, "behind the prefix it must list objects, each as a text")
    return tuple(
        SourceObject(source=S3Uri.parse(prefix + entry), name=entry.removeprefix("/"))
        for entry in dict.fromkeys(entries)
    )


def shard(objects: Sequence[_Object], distribution: str, host: Host, receivers: Sequence[Host]) -> tuple[_Object, ...]:
    """Return the objects that one host gets: all of them, or every n-th under ShardedByS3Key.

    `objects` are in the order of the listing or of the manifest, folder markers included; `receivers` are the
    hosts that the data goes to, in their order. Object number i, from 0, goes to receiver number i mod n, as
    real training jobs showed. A host that is no receiver gets nothing.
    """
    if host not in receivers:
        return ()
    if distribution == SHARDED_BY_S3_KEY:
        return tuple(objects[receivers.index(host) :: len(receivers)])
    return tuple(objects)


def file_layout(objects: Iterable[SourceObject]) -> FileLayout:
    """Return where each object goes in File mode, relative to where its data goes.

    Folder markers make a directory and no file.

    Raises:
        DataDownloadError: a key holds "//", would leave the directory, cannot be a file name, or needs a path
            that another key already has. The service was only seen to refuse "//"; the others have no
            faithful place on a disk.
    """
    files: dict[PurePosixPath, S3Uri] = {}
    directories: dict[PurePosixPath, S3Uri] = {}
    for one in objects:
        marker = one.name.endswith("/") or not one.name
        path = _checked_path(one.source, one.name.removesuffix("/"))
        for parent in path.parents if not marker else (path, *path.parents):
            directories.setdefault(parent, one.source)
        if not marker:
            if path in files:
                raise _collision(one.source, files[path], path)
            files[path] = one.source
    for path, source in files.items():
        if path in directories:
            raise _collision(source, directories[path], path)
    return _layout(files, (path for path in directories if path.parts))


def joined_layout(
    layouts: Iterable[tuple[PurePosixPath, FileLayout]], directories: Iterable[PurePosixPath] = ()
) -> FileLayout:
    """Return one layout of absolute paths for several inputs, each given with the directory its data goes to.

    One input's directory may lie in another's, as the SDK's `input/code` does below a user's `input`. Of two
    objects that need one path, that of the later input stays (unconfirmed). The inputs' own directories, the
    others that the job has (`directories`), and those they lie in, are not among those of the layout: they are
    made before, with modes of their own.

    Raises:
        DataDownloadError: an object needs a path that is a directory of another input, or of the job.
    """
    layouts = list(layouts)
    roots = [*(root for root, _ in layouts), *directories]
    made_before = {path for root in roots for path in (root, *root.parents)}
    needed = {root / path for root, layout in layouts for path in layout.directories}
    files = {root / staged.path: staged.source for root, layout in layouts for staged in layout.files}
    for path in made_before | needed:
        if path in files:
            raise DataDownloadError(
                f"Failed to download data. The object {files[path]} needs the path {path}, "
                "which is a directory of another input or output. Rename one of them, or narrow the S3Uri."
            )
    return _layout(files, needed - made_before)


def relative_key(prefix: str, key: str) -> str:
    """Return the part of a matched key that is kept as the path.

    A prefix that ends inside a name keeps the whole base name: `data/train` and
    `data/train-data.csv` give `train-data.csv` (aws/sagemaker-python-sdk#3612).
    """
    if not prefix or prefix.endswith("/"):
        return key[len(prefix) :]
    if key == prefix:
        return key.rpartition("/")[2]
    if key.startswith(f"{prefix}/"):
        return key[len(prefix) + 1 :]
    return key[len(prefix.rpartition("/")[0]) :].removeprefix("/")


def _layout(files: Mapping[PurePosixPath, S3Uri], directories: Iterable[PurePosixPath]) -> FileLayout:
    return FileLayout(
        files=tuple(StagedObject(source=source, path=path) for path, source in files.items()),
        directories=tuple(sorted(directories)),
    )


def _checked_path(uri: S3Uri, relative: str) -> PurePosixPath:
    if "//" in uri.key:
        raise DataDownloadError(f"Failed to download data. S3 key: {uri} has an illegal char sub-sequence '//' in it")
    if not relative:
        return PurePosixPath()
    for part in relative.split("/"):
        if part in ("", ".", ".."):
            raise DataDownloadError(
                f"Failed to download data. S3 key: {uri} has the path segment {part!r}, "
                "which has no place below the directory it goes to. Rename the object."
            )
        if "\0" in part or len(part.encode()) > _LONGEST_FILE_NAME:
            raise DataDownloadError(
                f"Failed to download data. S3 key: {uri} has a path segment that cannot be a file name: "
                f"it holds a NUL byte or is longer than {_LONGEST_FILE_NAME} bytes. Rename the object."
            )
    return PurePosixPath(relative)


def _collision(source: S3Uri, other: S3Uri, path: PurePosixPath) -> DataDownloadError:
    return DataDownloadError(
        f"Failed to download data. The objects {other} and {source} both need the path {path} in the same "
        "directory. Rename one of them, or give a narrower S3Uri."
    )


def _bad_manifest(source: S3Uri, what: str) -> DataDownloadError:
    return DataDownloadError(f"Failed to download data. The manifest file {source} cannot be read: {what}.")


def _is_text(value: object) -> TypeGuard[str]:
    """Lone surrogates, which JSON can spell, are no text: no key can hold them."""
    return isinstance(value, str) and value != "" and value.encode("utf-8", "ignore").decode() == value
