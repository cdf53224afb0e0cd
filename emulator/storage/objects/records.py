"""Versions, uploads and parts as rows of the index, and the segments they use.

Functions that write are called inside `Index.writing()`. They return or collect the names of segments that
nothing uses any more; their files are removed after the commit.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .model import NULL_VERSION, NoSuchBucketError, ObjectVersion, Part, Upload

SegmentList = Sequence[tuple[str, int]]
"""(name, size) of the segments whose concatenation are the bytes."""


@dataclass(frozen=True)
class Stored:
    """Where the bytes of a version are: in segments, or here if they are few."""

    segments: SegmentList = ()
    content: bytes = b""


COLUMNS = "id, key, version_id, is_latest, is_delete_marker, size, etag, last_modified, attributes"


def bucket_id(connection: sqlite3.Connection, bucket: str) -> int:
    """Return the number of a bucket.

    Raises:
        NoSuchBucketError: there is none of the name.
    """
    row = connection.execute("SELECT id FROM buckets WHERE name = ?", (bucket,)).fetchone()
    if row is None:
        raise NoSuchBucketError(bucket)
    return int(row[0])


def version_of(bucket: str, row: tuple[Any, ...]) -> ObjectVersion:
    """Return a row of COLUMNS, and `parts` where that was asked for too, as a version."""
    return ObjectVersion(
        bucket=bucket,
        serial=row[0],
        key=row[1].decode(),
        version_id=row[2],
        is_latest=bool(row[3]),
        is_delete_marker=bool(row[4]),
        size=row[5],
        etag=row[6],
        last_modified=row[7],
        attributes=json.loads(row[8]),
        parts=_parts(row[9]) if len(row) > 9 else (),
    )


def find_version(
    connection: sqlite3.Connection, bucket: str, key: str, version_id: str | None = None
) -> ObjectVersion | None:
    """Return a version; without an id the latest."""
    where = "FROM versions INDEXED BY {} WHERE bucket = (SELECT id FROM buckets WHERE name = ?) AND key = ?"
    if version_id is None:
        query = where.format("versions_by_age") + " ORDER BY id DESC LIMIT 1"
        values: tuple[object, ...] = (bucket, key.encode())
    else:
        query = where.format("versions_by_id") + " AND version_id = ?"
        values = (bucket, key.encode(), version_id)
    row = connection.execute(f"SELECT {COLUMNS}, parts {query}", values).fetchone()
    return None if row is None else version_of(bucket, row)


def latest_stored(connection: sqlite3.Connection, bucket: str, key: str) -> Stored | None:
    """Return where the bytes of the latest version are, None if there is none or it is a delete marker."""
    row = connection.execute(
        "SELECT segments, bytes, is_delete_marker FROM versions INDEXED BY versions_by_age"
        " LEFT JOIN contents ON version = id"
        " WHERE bucket = (SELECT id FROM buckets WHERE name = ?) AND key = ? ORDER BY id DESC LIMIT 1",
        (bucket, key.encode()),
    ).fetchone()
    return None if row is None or row[2] else _stored(row)


def stored_of(connection: sqlite3.Connection, version: ObjectVersion) -> Stored | None:
    """Return where the bytes of a version are, None if it is gone."""
    row = connection.execute(
        "SELECT segments, bytes FROM versions LEFT JOIN contents ON version = id WHERE id = ?", (version.serial,)
    ).fetchone()
    return None if row is None else _stored(row)


def add_version(connection: sqlite3.Connection, version: ObjectVersion, stored: Stored) -> int:
    """Add a version as the latest of its key and return its serial; its segments are counted already.

    Raises:
        NoSuchBucketError: the bucket is not there.
    """
    key = version.key.encode()
    if version.version_id != NULL_VERSION:
        _set_latest(connection, bucket_id(connection, version.bucket), key, latest=False)
    cursor = connection.execute(
        "INSERT INTO versions (bucket, key, version_id, is_latest, is_delete_marker, size, etag, last_modified,"
        " attributes, segments, parts) SELECT id, ?, ?, 1, ?, ?, ?, ?, ?, ?, ? FROM buckets WHERE name = ?",
        (
            key,
            version.version_id,
            version.is_delete_marker,
            version.size,
            version.etag,
            version.last_modified,
            document(version.attributes),
            json.dumps(stored.segments) if stored.segments else "[]",
            json.dumps([(part.number, part.size, part.etag, part.attributes) for part in version.parts])
            if version.parts
            else "[]",
            version.bucket,
        ),
    )
    if not cursor.rowcount:
        raise NoSuchBucketError(version.bucket)
    serial = cursor.lastrowid
    assert serial is not None
    if stored.content:
        connection.execute("INSERT INTO contents (version, bytes) VALUES (?, ?)", (serial, stored.content))
    return serial


def make_room(connection: sqlite3.Connection, current: ObjectVersion) -> list[str]:
    """Prepare for a new null version: remove the old one, and the current version is no longer the latest."""
    old: ObjectVersion | None = current
    if current.version_id != NULL_VERSION:
        _set_latest(connection, bucket_id(connection, current.bucket), current.key.encode(), latest=False)
        old = find_version(connection, current.bucket, current.key, NULL_VERSION)
    return [] if old is None else remove_version(connection, old, promote=False)


def remove_version(connection: sqlite3.Connection, version: ObjectVersion, *, promote: bool = True) -> list[str]:
    """Remove a version; the newest of the others becomes the latest."""
    row = connection.execute("SELECT segments FROM versions WHERE id = ?", (version.serial,)).fetchone()
    if row is None:
        return []
    connection.execute("DELETE FROM versions WHERE id = ?", (version.serial,))
    connection.execute("DELETE FROM contents WHERE version = ?", (version.serial,))
    if promote and version.is_latest:
        _set_latest(connection, bucket_id(connection, version.bucket), version.key.encode(), latest=True)
    return drop_segments(connection, (name for name, _ in _segments(row[0])))


def add_segment(connection: sqlite3.Connection, name: str, size: int) -> None:
    """Add a segment that is used once."""
    connection.execute("INSERT INTO segments (name, size, uses) VALUES (?, ?, 1)", (name, size))


def share_segments(connection: sqlite3.Connection, segments: SegmentList) -> None:
    """Count one more use of each."""
    connection.executemany("UPDATE segments SET uses = uses + 1 WHERE name = ?", ((name,) for name, _ in segments))


def drop_segments(connection: sqlite3.Connection, names: Iterable[str]) -> list[str]:
    """Count one use less of each, and return those that have none any more."""
    unused = []
    for name in names:
        if connection.execute("DELETE FROM segments WHERE name = ? AND uses = 1", (name,)).rowcount:
            unused.append(name)
        else:
            connection.execute("UPDATE segments SET uses = uses - 1 WHERE name = ?", (name,))
    return unused


def known_segments(connection: sqlite3.Connection, names: Iterable[str]) -> set[str]:
    """Return those of the names that the index has."""
    select = "SELECT name FROM segments WHERE name IN (SELECT value FROM json_each(?))"
    return {name for (name,) in connection.execute(select, (json.dumps(list(names)),))}


def find_upload(connection: sqlite3.Connection, upload_id: str) -> Upload | None:
    """Return an upload in progress."""
    row = connection.execute(
        "SELECT u.id, b.name, u.key, u.initiated, u.attributes FROM uploads u JOIN buckets b ON b.id = u.bucket"
        " WHERE u.id = ?",
        (upload_id,),
    ).fetchone()
    return None if row is None else upload_of(row)


def uploads_of(connection: sqlite3.Connection, bucket: str, prefix: str) -> list[Upload]:
    """Return the uploads in progress of a bucket, by key, then by start."""
    rows = connection.execute(
        "SELECT id, ?, key, initiated, attributes FROM uploads WHERE bucket = ? AND substr(key, 1, ?) = ?"
        " ORDER BY key, initiated, id",
        (bucket, bucket_id(connection, bucket), len(prefix.encode()), prefix.encode()),
    )
    return [upload_of(row) for row in rows]


def upload_of(row: tuple[Any, ...]) -> Upload:
    """Return (id, bucket name, key, initiated, attributes) as an upload."""
    return Upload(upload_id=row[0], bucket=row[1], key=row[2].decode(), initiated=row[3], attributes=json.loads(row[4]))


def parts_of(connection: sqlite3.Connection, upload_id: str) -> list[tuple[Part, str | None]]:
    """Return the parts of an upload by number, each with its segment (an empty part has none)."""
    rows = connection.execute(
        "SELECT number, size, etag, attributes, segment FROM parts WHERE upload = ? ORDER BY number", (upload_id,)
    )
    return [
        (Part(number=number, size=size, etag=etag, attributes=json.loads(attributes)), segment)
        for number, size, etag, attributes, segment in rows
    ]


def set_part(connection: sqlite3.Connection, upload_id: str, part: Part, segment: str | None) -> list[str]:
    """Add a part, or replace the one of the same number."""
    old = connection.execute(
        "SELECT segment FROM parts WHERE upload = ? AND number = ?", (upload_id, part.number)
    ).fetchall()
    connection.execute(
        "INSERT OR REPLACE INTO parts (upload, number, size, etag, attributes, segment) VALUES (?, ?, ?, ?, ?, ?)",
        (upload_id, part.number, part.size, part.etag, document(part.attributes), segment),
    )
    return drop_segments(connection, (name for (name,) in old if name is not None))


def remove_upload(connection: sqlite3.Connection, upload_id: str, keep: Iterable[str] = ()) -> list[str]:
    """Remove an upload with its parts; an object has taken the segments to keep."""
    connection.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))
    rows = connection.execute("SELECT segment FROM parts WHERE upload = ?", (upload_id,)).fetchall()
    connection.execute("DELETE FROM parts WHERE upload = ?", (upload_id,))
    kept = set(keep)
    return drop_segments(connection, [name for (name,) in rows if name is not None and name not in kept])


def remove_everything(connection: sqlite3.Connection) -> list[str]:
    """Remove all buckets, versions and uploads; their numbers go on."""
    unused = [name for (name,) in connection.execute("SELECT name FROM segments")]
    for table in ("parts", "uploads", "versions", "contents", "segments", "buckets"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this file
    return unused


def document(attributes: Mapping[str, Any]) -> str:
    """Return attributes as the text that is stored."""
    return json.dumps(dict(attributes), ensure_ascii=False, separators=(",", ":"))


def _set_latest(connection: sqlite3.Connection, bucket: int, key: bytes, *, latest: bool) -> None:
    connection.execute(
        "UPDATE versions SET is_latest = ? WHERE id = (SELECT id FROM versions INDEXED BY versions_by_age"
        " WHERE bucket = ? AND key = ? ORDER BY id DESC LIMIT 1)",
        (latest, bucket, key),
    )


def _stored(row: tuple[Any, ...]) -> Stored:
    return Stored(_segments(row[0]), row[1] or b"")


def _segments(text: str) -> SegmentList:
    return () if text == "[]" else [(name, size) for name, size in json.loads(text)]


def _parts(text: str) -> tuple[Part, ...]:
    if text == "[]":
        return ()
    return tuple(
        Part(number=number, size=size, etag=etag, attributes=attributes)
        for number, size, etag, attributes in json.loads(text)
    )
