"""The object store on disk: the segments hold the bytes but few, the index those and says what all are."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import listing, records
from .index import INDEX_FILE, Index
from .model import (
    NULL_VERSION,
    BucketNotEmptyError,
    Hasher,
    Listing,
    NoSuchPartError,
    NoSuchUploadError,
    ObjectStore,
    ObjectVersion,
    Part,
    Precondition,
    Reader,
    Upload,
    Verification,
    VersionGoneError,
    Versioning,
)
from .publishing import Body, Publisher, md5_of, new_version, now, write_body
from .readers import ContentReader, SegmentReader, stretches
from .records import Stored
from .reserve import Reserve, makes_room
from .segments import Segments


class DiskObjectStore:
    """Implements the store in a folder. One process at a time may have it open (the state directory's lock)."""

    def __init__(self, root: Path) -> None:
        """Open the folder, or make it. Files that a killed process left are removed in the background.

        Raises:
            UsageError: the folder is of another format.
        """
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._index = Index(root / INDEX_FILE)
        self._segments = Segments(root)
        self.reserve = Reserve(root, self._index)
        self._publisher = Publisher(self._index, self._segments)
        self._closing = threading.Event()
        self._sweeper = threading.Thread(target=self._tidy, name="object-store-sweep", daemon=True)
        self._sweeper.start()

    def close(self) -> None:
        """Close the index. Nothing may be using the store any more."""
        self._closing.set()
        self._sweeper.join()
        self._index.close()

    def sweep(self) -> int:
        """Remove the files that no row points to, and return how many there were."""
        removed = 0
        for names in self._segments.strays():
            if self._closing.is_set():
                break
            if names:
                with self._index.reading() as connection:
                    strays = set(names) - records.known_segments(connection, names)
                self._segments.remove(strays)
                removed += len(strays)
        return removed

    def create_bucket(self, bucket: str) -> None:
        if self.has_bucket(bucket):  # nothing is written then, not even on a full disk: every start comes here
            return
        with self._publisher.change() as change:
            change.connection.execute("INSERT INTO buckets (name) VALUES (?) ON CONFLICT DO NOTHING", (bucket,))

    @makes_room
    def delete_bucket(self, bucket: str) -> None:
        with self._publisher.change() as change:
            connection = change.connection
            number = records.bucket_id(connection, bucket)
            if connection.execute("SELECT 1 FROM versions WHERE bucket = ? LIMIT 1", (number,)).fetchone():
                raise BucketNotEmptyError(bucket)
            for upload in records.uploads_of(connection, bucket, ""):
                change.remove_upload(upload.upload_id)
            connection.execute("DELETE FROM buckets WHERE id = ?", (number,))

    @makes_room
    def clear(self) -> None:
        with self._publisher.change() as change:
            change.remove_everything()
        self._index.shrink()

    def has_bucket(self, bucket: str) -> bool:
        with self._index.reading() as connection:
            return connection.execute("SELECT 1 FROM buckets WHERE name = ?", (bucket,)).fetchone() is not None

    def buckets(self) -> list[str]:
        with self._index.reading() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM buckets ORDER BY name")]

    def put(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        attributes: Mapping[str, Any],
        versioning: Versioning = Versioning.OFF,
        hashers: Mapping[str, Hasher] | None = None,
        verify: Verification | None = None,
        precondition: Precondition | None = None,
    ) -> ObjectVersion:
        with self._publisher.draft() as draft:
            etag, found = write_body(draft, body, hashers, verify)
            version = new_version(
                bucket, key, size=draft.size, etag=etag, attributes={**attributes, **found}, versioning=versioning
            )
            return self._publisher.publish(version, draft, precondition)

    def put_file(
        self,
        bucket: str,
        key: str,
        source: Path,
        *,
        attributes: Mapping[str, Any],
        versioning: Versioning = Versioning.OFF,
        consume: bool = False,
    ) -> ObjectVersion:
        with self._publisher.draft() as draft:
            draft.take(source, move=consume)
            etag = md5_of(draft.chunks())
            version = new_version(bucket, key, size=draft.size, etag=etag, attributes=attributes, versioning=versioning)
            return self._publisher.publish(version, draft, None)

    def get(self, bucket: str, key: str, version_id: str | None = None) -> ObjectVersion | None:
        with self._index.reading() as connection:
            return records.find_version(connection, bucket, key, version_id)

    def read(self, version: ObjectVersion, start: int = 0, end: int | None = None) -> Reader:
        stored = self._stored(version)
        if not stored.segments:
            return ContentReader(stored.content[start:end])
        wanted = stretches(stored.segments, start, version.size if end is None else end)
        try:
            return SegmentReader(self._segments, wanted)
        except VersionGoneError:
            self._stored(version)  # gone indeed, or else:
            raise _lost(version.bucket, version.key) from None

    def segments(self, version: ObjectVersion) -> list[tuple[Path, int]]:
        return [(self._segments.path(name), size) for name, size in self._stored(version).segments]

    def export(self, bucket: str, key: str, destination: Path) -> int | None:
        missing = None
        while True:
            with self._index.reading() as connection:
                found = records.latest_stored(connection, bucket, key)
            if found is None:
                return None
            if found == missing:
                raise _lost(bucket, key)
            try:
                return self._segments.copy_to(destination, found.segments, found.content)
            except VersionGoneError:  # it was replaced at this moment
                missing = found

    def sizes(self, bucket: str, prefix: str = "") -> list[tuple[str, int]]:
        with self._index.reading() as connection:
            return listing.sizes(connection, bucket, prefix)

    def totals(self, bucket: str, most: int) -> tuple[int, int]:
        with self._index.reading() as connection:
            return listing.totals(connection, bucket, most)

    def part_range(self, version: ObjectVersion, number: int) -> tuple[int, int] | None:
        if not version.parts:
            return (0, version.size) if number == 1 else None
        start = 0
        for part in version.parts:
            if part.number == number:
                return start, start + part.size
            start += part.size
        return None

    def copy(
        self,
        source: ObjectVersion,
        bucket: str,
        key: str,
        *,
        attributes: Mapping[str, Any],
        versioning: Versioning = Versioning.OFF,
        precondition: Precondition | None = None,
    ) -> ObjectVersion:
        etag = source.etag
        if source.parts:
            with self.read(source) as reader:
                etag = md5_of(reader)
        version = new_version(bucket, key, size=source.size, etag=etag, attributes=attributes, versioning=versioning)
        with self._publisher.change() as change:
            stored = records.stored_of(change.connection, source)
            if stored is None:
                raise VersionGoneError(source.key)
            records.share_segments(change.connection, stored.segments)
            return change.add(version, stored, precondition)

    @makes_room
    def delete(
        self,
        bucket: str,
        key: str,
        *,
        versioning: Versioning = Versioning.OFF,
        precondition: Precondition | None = None,
    ) -> ObjectVersion | None:
        with self._publisher.change() as change:
            records.bucket_id(change.connection, bucket)
            if versioning is not Versioning.OFF:
                marker = new_version(
                    bucket, key, size=0, etag="", attributes={}, versioning=versioning, is_delete_marker=True
                )
                return change.add(marker, Stored(), precondition)
            current = records.find_version(change.connection, bucket, key)
            if precondition is not None:
                precondition(current)
            if current is not None and current.version_id != NULL_VERSION:
                current = records.find_version(change.connection, bucket, key, NULL_VERSION)
            if current is not None:
                change.remove(current)
            return None

    @makes_room
    def delete_version(
        self, bucket: str, key: str, version_id: str, *, precondition: Precondition | None = None
    ) -> ObjectVersion | None:
        with self._publisher.change() as change:
            version = records.find_version(change.connection, bucket, key, version_id)
            if precondition is not None:
                precondition(version)
            if version is not None:
                change.remove(version)
            return version

    def set_attributes(
        self, bucket: str, key: str, version_id: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> ObjectVersion | None:
        with self._index.writing() as connection:
            version = records.find_version(connection, bucket, key, version_id)
            if version is None:
                return None
            changed = records.document(change(version.attributes))
            connection.execute("UPDATE versions SET attributes = ? WHERE id = ?", (changed, version.serial))
            return records.find_version(connection, bucket, key, version_id)

    def list_objects(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing:
        with self._index.reading() as connection:
            connection.execute("BEGIN")
            return listing.list_objects(
                connection, bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit
            )

    def list_versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after_key: str = "",
        after_version: str = "",
        limit: int = 1000,
    ) -> Listing:
        with self._index.reading() as connection:
            connection.execute("BEGIN")
            return listing.list_versions(
                connection, bucket, prefix=prefix, delimiter=delimiter, after=(after_key, after_version), limit=limit
            )

    def create_upload(self, bucket: str, key: str, attributes: Mapping[str, Any]) -> Upload:
        upload = Upload(
            upload_id=os.urandom(32).hex(), bucket=bucket, key=key, initiated=now(), attributes=dict(attributes)
        )
        with self._index.writing() as connection:
            connection.execute(
                "INSERT INTO uploads (id, bucket, key, initiated, attributes) VALUES (?, ?, ?, ?, ?)",
                (
                    upload.upload_id,
                    records.bucket_id(connection, bucket),
                    key.encode(),
                    upload.initiated,
                    records.document(attributes),
                ),
            )
        return upload

    def get_upload(self, upload_id: str) -> Upload | None:
        with self._index.reading() as connection:
            return records.find_upload(connection, upload_id)

    def put_part(
        self,
        upload: Upload,
        number: int,
        body: Body,
        *,
        hashers: Mapping[str, Hasher] | None = None,
        verify: Verification | None = None,
    ) -> Part:
        with self._publisher.draft() as draft:
            etag, attributes = write_body(draft, body, hashers, verify)
            part = Part(number=number, size=draft.size, etag=etag, attributes=attributes)
            return self._publisher.publish_part(upload, part, draft)

    def copy_part(self, upload: Upload, number: int, source: ObjectVersion, start: int, end: int) -> Part:
        with self._publisher.draft() as draft:
            with self.read(source, start, end) as reader:
                draft.take_from(reader)
            part = Part(number=number, size=draft.size, etag=md5_of(draft.chunks()))
            return self._publisher.publish_part(upload, part, draft)

    def list_parts(self, upload: Upload) -> list[Part]:
        with self._index.reading() as connection:
            return [part for part, _ in records.parts_of(connection, upload.upload_id)]

    def list_uploads(self, bucket: str, prefix: str = "") -> list[Upload]:
        with self._index.reading() as connection:
            return records.uploads_of(connection, bucket, prefix)

    def complete_upload(
        self,
        upload: Upload,
        parts: list[Part],
        *,
        etag: str,
        attributes: Mapping[str, Any],
        versioning: Versioning = Versioning.OFF,
        precondition: Precondition | None = None,
    ) -> ObjectVersion:
        with self._publisher.change() as change:
            if records.find_upload(change.connection, upload.upload_id) is None:
                raise NoSuchUploadError(upload.upload_id)
            present = {one.number: (one, name) for one, name in records.parts_of(change.connection, upload.upload_id)}
            chosen = []
            for part in parts:
                found, name = present.pop(part.number, (None, None))
                if found is None or (found.etag, found.size) != (part.etag, part.size):
                    raise NoSuchPartError(part.number)
                chosen.append((found, name))
            segments = [(name, found.size) for found, name in chosen if name is not None]
            version = new_version(
                upload.bucket,
                upload.key,
                size=sum(found.size for found, _ in chosen),
                etag=etag,
                attributes=attributes,
                versioning=versioning,
                parts=tuple(found for found, _ in chosen),
            )
            published = change.add(version, Stored(segments), precondition)
            change.remove_upload(upload.upload_id, keep=(name for name, _ in segments))
            return published

    @makes_room
    def abort_upload(self, upload: Upload) -> None:
        with self._publisher.change() as change:
            change.remove_upload(upload.upload_id)

    def _tidy(self) -> None:
        self._index.shrink()
        self.sweep()

    def _stored(self, version: ObjectVersion) -> Stored:
        with self._index.reading() as connection:
            stored = records.stored_of(connection, version)
        if stored is None:
            raise VersionGoneError(version.key)
        return stored


def _lost(bucket: str, key: str) -> OSError:
    return OSError(errno.EIO, f"The object store has lost the bytes of s3://{bucket}/{key}")


_: type[ObjectStore] = DiskObjectStore
