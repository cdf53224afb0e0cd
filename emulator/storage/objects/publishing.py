"""How bytes and rows become visible together: write aside, move in place, then commit the row that names it.

Few bytes are committed with their row.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from . import records
from .index import Index, full_disk_refuses
from .model import (
    NULL_VERSION,
    Hasher,
    NoSuchUploadError,
    ObjectVersion,
    Part,
    Precondition,
    Upload,
    Verification,
    Versioning,
)
from .records import SegmentList, Stored
from .segments import CHUNK, Draft, Segments

Body = BinaryIO | Iterable[bytes]


@dataclass(frozen=True)
class Change:
    """A transaction, and the segments that nothing uses any more once it is committed."""

    connection: sqlite3.Connection
    unused: list[str] = field(default_factory=list)

    def add(self, version: ObjectVersion, stored: Stored, precondition: Precondition | None = None) -> ObjectVersion:
        """Add a version as the latest; a null version takes the place of the old one."""
        current = records.find_version(self.connection, version.bucket, version.key)
        if precondition is not None:
            precondition(current)
        if version.version_id == NULL_VERSION and current is not None:
            self.unused.extend(records.make_room(self.connection, current))
        return replace(version, serial=records.add_version(self.connection, version, stored))

    def remove(self, version: ObjectVersion) -> None:
        """Remove a version."""
        self.unused.extend(records.remove_version(self.connection, version))

    def remove_upload(self, upload_id: str, keep: Iterable[str] = ()) -> None:
        """Remove an upload and its parts."""
        self.unused.extend(records.remove_upload(self.connection, upload_id, keep))

    def remove_everything(self) -> None:
        """Remove all buckets with all that is in them."""
        self.unused.extend(records.remove_everything(self.connection))


class Publisher:
    """Changes the index and the segments together."""

    def __init__(self, index: Index, segments: Segments) -> None:
        self._index = index
        self._segments = segments

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A transaction. Files go after the rows that named them.

        Raises:
            StoreFullError: the disk is full; nothing was changed.
        """
        with self._index.writing() as connection:
            change = Change(connection)
            yield change
        self._segments.remove(change.unused)

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A new segment. It is kept if the index names it in the end.

        Raises:
            StoreFullError: the disk is full; nothing was changed.
        """
        draft = self._segments.draft()
        kept = False
        try:
            with full_disk_refuses():
                yield draft
            kept = True
        finally:
            # A commit that failed is none; should that not be certain, the sweep at the next start decides.
            self._segments.settle(draft, remove=not kept and not self._may_be_named(draft.name))

    def publish(self, version: ObjectVersion, draft: Draft, precondition: Precondition | None) -> ObjectVersion:
        """Make a draft, which is complete, the latest version."""
        content = draft.content
        if content is None:
            draft.publish()
        with self.change() as change:
            stored = Stored(content=content) if content is not None else Stored(_add_segments(change.connection, draft))
            return change.add(version, stored, precondition)

    def publish_part(self, upload: Upload, part: Part, draft: Draft) -> Part:
        """Make a draft, which is complete, a part of an upload; also a small one is a file.

        Raises:
            NoSuchUploadError: it was completed or aborted meanwhile.
        """
        draft.publish()
        with self.change() as change:
            if records.find_upload(change.connection, upload.upload_id) is None:
                raise NoSuchUploadError(upload.upload_id)
            segments = _add_segments(change.connection, draft)
            name = segments[0][0] if segments else None
            change.unused.extend(records.set_part(change.connection, upload.upload_id, part, name))
        return part

    def _may_be_named(self, name: str) -> bool:
        try:
            with self._index.reading() as connection:
                return bool(records.known_segments(connection, [name]))
        except sqlite3.Error:
            return True


def write_body(
    draft: Draft, body: Body, hashers: Mapping[str, Hasher] | None, verify: Verification | None
) -> tuple[str, dict[str, Any]]:
    """Stream a body to a draft; return its MD5 in hex and the attributes that the verification adds."""
    hashers = hashers or {}
    md5 = hashlib.md5(usedforsecurity=False)
    for chunk in _chunks(body):
        draft.write(chunk)
        md5.update(chunk)
        for hasher in hashers.values():
            hasher.update(chunk)
    etag = md5.hexdigest()
    if verify is None:
        return etag, {}
    return etag, dict(verify(etag, draft.size, {name: hasher.digest() for name, hasher in hashers.items()}) or {})


def md5_of(chunks: Iterable[bytes]) -> str:
    """Return the MD5 in hex."""
    md5 = hashlib.md5(usedforsecurity=False)
    for chunk in chunks:
        md5.update(chunk)
    return md5.hexdigest()


def new_version(
    bucket: str,
    key: str,
    *,
    size: int,
    etag: str,
    attributes: Mapping[str, Any],
    versioning: Versioning,
    parts: tuple[Part, ...] = (),
    is_delete_marker: bool = False,
) -> ObjectVersion:
    """Return the version that is being made now."""
    return ObjectVersion(
        bucket=bucket,
        key=key,
        version_id=os.urandom(16).hex() if versioning is Versioning.ENABLED else NULL_VERSION,
        is_latest=True,
        is_delete_marker=is_delete_marker,
        size=size,
        etag=etag,
        last_modified=now(),
        attributes=dict(attributes),
        parts=parts,
    )


def now() -> float:
    """Return epoch seconds, in milliseconds as S3 has them."""
    return round(time.time(), 3)


def _add_segments(connection: sqlite3.Connection, draft: Draft) -> SegmentList:
    if not draft.size:
        return []
    records.add_segment(connection, draft.name, draft.size)
    return [(draft.name, draft.size)]


def _chunks(body: Body) -> Iterable[bytes]:
    if not hasattr(body, "read"):
        return body
    return iter(lambda: body.read(CHUNK), b"")
