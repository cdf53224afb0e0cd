"""The objects in S3 that a job reads, and those that it has made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from ..contract.arns import S3Uri
from ..contract.job import InputData
from ..contract.kinds import PROCESSING, JobKind
from ..contract.s3_data import MANIFEST_FILE, SourceObject, file_layout, manifest_objects, prefix_objects
from .clients import Clients, code_and_message

NOTHING_THERE: Final = ("NoSuchKey", "NoSuchBucket", "404")


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """An object, its size in bytes, when it was stored, and the path that it has below its folder."""

    uri: S3Uri
    size: int
    stored: datetime
    path: str


def inputs_of(clients: Clients, data: InputData) -> list[StoredObject]:
    """Return the objects of one channel or processing input as they are now, under the paths containers get them at.

    Raises:
        ClientError: the bucket or the manifest is gone.
        DataDownloadError: they have no place on a disk, or the manifest cannot be read.
    """
    source = data.source
    known: dict[S3Uri, StoredObject | None]
    if data.s3_data_type == MANIFEST_FILE:
        with clients.s3.get_object(Bucket=source.bucket, Key=source.key)["Body"] as body:
            listed: Sequence[SourceObject] = manifest_objects(source, body.read().decode(errors="replace"))
        known = {one.source: _found(clients, one.source) for one in listed if not one.name.endswith("/")}
    else:
        known = {one.uri: one for one in _below(clients, source)}
        listed = prefix_objects(source, [uri.key for uri in known])
    staged = [(str(one.path), known[one.source]) for one in file_layout(listed).files]
    return [
        StoredObject(uri=found.uri, size=found.size, stored=found.stored, path=path)
        for path, found in staged
        if found is not None
    ]


def results_of(
    clients: Clients, kind: JobKind, description: Mapping[str, Any]
) -> Iterator[tuple[str, list[StoredObject]]]:
    """Yield what a job has made: the folder of each output in a bundle, and its objects, none if there are none."""
    if kind is not PROCESSING:
        model = S3Uri.parse(description["ModelArtifacts"]["S3ModelArtifacts"])
        output = S3Uri(bucket=model.bucket, key=f"{model.key.rpartition('/')[0]}/output.tar.gz")
        there = (_found(clients, uri) for uri in (model, output))
        yield "outputs", [one for one in there if one is not None]
        return
    since = description["CreationTime"].replace(microsecond=0)  # S3 tells full seconds
    for output_entry in description.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        if "S3Output" in output_entry:
            uri = S3Uri.parse(output_entry["S3Output"]["S3Uri"])
            prefix = S3Uri(bucket=uri.bucket, key=f"{uri.key.rstrip('/')}/" if uri.key else "")
            found = [one for one in _made(clients, prefix) if one.stored >= since]
            yield f"outputs/{output_entry['OutputName']}", found


def _made(clients: Clients, prefix: S3Uri) -> list[StoredObject]:
    try:
        return [one for one in _below(clients, prefix) if not one.uri.key.endswith("/")]
    except ClientError as error:
        if code_and_message(error)[0] not in NOTHING_THERE:
            raise
        return []


def _below(clients: Clients, prefix: S3Uri) -> Iterator[StoredObject]:
    """Yield the objects whose keys begin with a prefix."""
    for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=prefix.bucket, Prefix=prefix.key):
        for one in page.get("Contents", ()):
            yield StoredObject(
                uri=S3Uri(bucket=prefix.bucket, key=one["Key"]),
                size=one["Size"],
                stored=one["LastModified"],
                path=one["Key"].removeprefix(prefix.key),
            )


def _found(clients: Clients, uri: S3Uri) -> StoredObject | None:
    try:
        head = clients.s3.head_object(Bucket=uri.bucket, Key=uri.key)
    except ClientError as error:
        if code_and_message(error)[0] in NOTHING_THERE:
            return None
        raise
    name = uri.key.rpartition("/")[2]
    return StoredObject(uri=uri, size=head["ContentLength"], stored=head["LastModified"], path=name)
