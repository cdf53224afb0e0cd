"""Puts a job file's local data into S3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from ..errors import UsageError
from .clients import Clients, code_and_message
from .document import DataEntry
from .events import BytesMoved, DataStored, OnEvent
from .yaml_source import YamlSource

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketLocationConstraintType

_SMALL: Final = 8 * 1024**2
_OURS: Final = ("BucketAlreadyOwnedByYou",)
# Without threads its callbacks, and a Ctrl-C, arrive in the thread that called.
_TRANSFER: Final = TransferConfig(use_threads=False)


def files_of(entry: DataEntry, yaml: YamlSource) -> list[Path]:
    """Return the files of an entry in the order of their names, links followed.

    Raises:
        UsageError: there are none, or something is no file and no folder.
    """
    if entry.source.is_file():
        return [entry.source]
    files = list(_walk(entry.source, (), entry, yaml))
    if not files:
        raise yaml.error(entry.at, f"the folder {entry.source} has no files.")
    return files


def _walk(folder: Path, around: tuple[Path, ...], entry: DataEntry, yaml: YamlSource) -> Iterator[Path]:
    real = folder.resolve()
    if real in around:
        raise yaml.error(entry.at, f"{folder} is a link to a folder around it. Remove the link.")
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _walk(path, (*around, real), entry, yaml)
        elif path.is_file():
            yield path
        else:
            raise yaml.error(entry.at, f"{path} is neither a file nor a folder. Remove it.")


def make_buckets(clients: Clients, names: Iterable[str]) -> None:
    """Make buckets that are not there.

    Raises:
        UsageError: one of them cannot be, as its name is none, for instance.
    """
    region = clients.scope.region
    for name in dict.fromkeys(names):
        try:
            if region == "us-east-1":
                clients.s3.create_bucket(Bucket=name)
            else:
                constraint: BucketLocationConstraintType = region  # type: ignore[assignment]
                clients.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": constraint})
        except ClientError as error:
            code, message = code_and_message(error)
            if code not in _OURS:
                raise UsageError(f"The bucket {name} cannot be made: {message.rstrip('.')} ({code})") from error


def store(clients: Clients, entry: DataEntry, files: list[Path], on_event: OnEvent) -> None:
    """Put the files of an entry into S3, one after the other."""
    total = sum(file.stat().st_size for file in files)
    done = 0

    def moved(size: int) -> None:
        nonlocal done
        done += size
        on_event(BytesMoved(what=f"Storing {entry.destination}", done=done, total=total))

    for file in files:
        _store_file(clients, entry, file, moved)
    on_event(DataStored(destination=str(entry.destination), files=len(files), size=total))


def _store_file(clients: Clients, entry: DataEntry, file: Path, moved: Callable[[int], None]) -> None:
    uri = entry.uri_of(file)
    size = file.stat().st_size
    if size > _SMALL:
        clients.s3.upload_file(str(file), uri.bucket, uri.key, Callback=moved, Config=_TRANSFER)
        return
    with file.open("rb") as body:
        clients.s3.put_object(Bucket=uri.bucket, Key=uri.key, Body=body)
    moved(size)
