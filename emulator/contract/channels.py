"""Input channels: which S3 objects become which files under /opt/ml/input/data/<channel>.

Source: BC `Channel` and `S3DataSource`, "Amazon SageMaker: access training data", and captured jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from . import paths
from .arns import S3Uri
from .outcome import DataDownloadError

_LONGEST_FILE_NAME = 255


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One entry of InputDataConfig: where its S3 data goes inside the container."""

    name: str
    source: S3Uri
    s3_data_type: str = "S3Prefix"
    distribution: str = "FullyReplicated"
    input_mode: str = "File"
    content_type: str | None = None
    compression: str = "None"
    record_wrapper: str = "None"
    instance_groups: tuple[str, ...] = ()

    @property
    def container_path(self) -> PurePosixPath:
        """The channel's directory, which exists also when no object reaches this host."""
        return paths.INPUT_DATA / self.name

    @property
    def manifest_path(self) -> PurePosixPath:
        """The file beside the directory which lists the channel's objects."""
        return paths.INPUT_DATA / f"{self.name}-manifest"

    @classmethod
    def parse(cls, document: Mapping[str, Any], default_mode: str) -> Channel:
        """Read one InputDataConfig entry; `default_mode` is AlgorithmSpecification.TrainingInputMode."""
        source = document["DataSource"]["S3DataSource"]
        return cls(
            name=document["ChannelName"],
            source=S3Uri.parse(source["S3Uri"]),
            s3_data_type=source["S3DataType"],
            distribution=source.get("S3DataDistributionType", "FullyReplicated"),
            input_mode=document.get("InputMode", default_mode),
            content_type=document.get("ContentType"),
            compression=document.get("CompressionType", "None"),
            record_wrapper=document.get("RecordWrapperType", "None"),
            instance_groups=tuple(source.get("InstanceGroupNames", ())),
        )


@dataclass(frozen=True, kw_only=True)
class StagedObject:
    """One S3 object and the path it takes below its channel's directory."""

    key: str
    path: PurePosixPath


@dataclass(frozen=True, kw_only=True)
class ChannelLayout:
    """What File mode puts below a channel's directory on one host."""

    files: tuple[StagedObject, ...]
    directories: tuple[PurePosixPath, ...]


def file_layout(source: S3Uri, keys: Iterable[str]) -> ChannelLayout:
    """Return where each matched key of an S3Prefix channel goes in File mode.

    Keys that end in "/" are folder markers: they make a directory and no file.

    Raises:
        DataDownloadError: a key holds "//", would leave the channel's directory, cannot be a file
            name, or needs a path that another key already has. The service was only seen to refuse
            "//"; the others have no faithful place on a disk.
    """
    files: dict[PurePosixPath, str] = {}
    directories: dict[PurePosixPath, str] = {}
    for key in keys:
        uri = S3Uri(bucket=source.bucket, key=key)
        relative = relative_key(source.key, key)
        marker = relative.endswith("/") or not relative
        path = _checked_path(uri, relative.removesuffix("/"))
        for parent in path.parents if not marker else (path, *path.parents):
            directories.setdefault(parent, key)
        if not marker:
            if path in files:
                raise _collision(source, key, files[path], path)
            files[path] = key
    for path, key in files.items():
        if path in directories:
            raise _collision(source, key, directories[path], path)
    return ChannelLayout(
        files=tuple(StagedObject(key=key, path=path) for path, key in files.items()),
        directories=tuple(sorted(path for path in directories if path.parts)),
    )


def relative_key(prefix: str, key: str) -> str:
    """Return the part of a matched key that is kept below the channel's directory.

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


def _checked_path(uri: S3Uri, relative: str) -> PurePosixPath:
    if "//" in uri.key:
        raise DataDownloadError(f"Failed to download data. S3 key: {uri} has an illegal char sub-sequence '//' in it")
    if not relative:
        return PurePosixPath()
    for part in relative.split("/"):
        if part in ("", ".", ".."):
            raise DataDownloadError(
                f"Failed to download data. S3 key: {uri} has the path segment {part!r}, "
                "which has no place below the channel's directory. Rename the object."
            )
        if "\0" in part or len(part.encode()) > _LONGEST_FILE_NAME:
            raise DataDownloadError(
                f"Failed to download data. S3 key: {uri} has a path segment that cannot be a file name: "
                f"it holds a NUL byte or is longer than {_LONGEST_FILE_NAME} bytes. Rename the object."
            )
    return PurePosixPath(relative)


def _collision(source: S3Uri, key: str, other: str, path: PurePosixPath) -> DataDownloadError:
    return DataDownloadError(
        f"Failed to download data. The objects {S3Uri(bucket=source.bucket, key=other)} and "
        f"{S3Uri(bucket=source.bucket, key=key)} both need the path {path} in the channel's directory. "
        "Rename one of them, or give the channel a narrower S3Uri."
    )


def manifest_text(source: S3Uri, keys: Iterable[str]) -> str:
    """Return the text of `<channel>-manifest`: the prefix, then the URI of every matched object.

    Every host's file lists all objects, also those that went to another host.
    """
    lines = [source.key.rstrip("/"), *(f"s3://{source.bucket}/{key}" for key in keys)]
    return "".join(f"{line}\n" for line in lines)
