"""What a store holds, looked at from outside: by the size report, and by what takes old things out of a state."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..schema import known_version, unusable
from . import records
from .index import INDEX_FILE, MIGRATIONS
from .model import Upload


@dataclass(frozen=True, kw_only=True)
class BucketUsage:
    """What a bucket holds: its versions, old ones included, and the uploads in progress.

    The bytes of an object and its copies are counted for each, though they lie on the disk once.
    """

    bucket: str
    versions: int
    uploads: int
    size: int


def by_bucket(folder: Path) -> list[BucketUsage]:
    """Return what each bucket of a store holds, by name; a running emulator may have the store open.

    Raises:
        UsageError: the store is a newer emulator's, or no store.
    """
    query = """SELECT name,
            (SELECT count(*) FROM versions WHERE bucket = buckets.id AND is_delete_marker = 0),
            (SELECT count(*) FROM uploads WHERE bucket = buckets.id),
            (SELECT coalesce(sum(size), 0) FROM versions WHERE bucket = buckets.id)
            + (SELECT coalesce(sum(parts.size), 0) FROM uploads JOIN parts ON upload = id WHERE bucket = buckets.id)
        FROM buckets ORDER BY name"""
    with _reading(folder) as connection:
        rows = connection.execute(query).fetchall() if connection is not None else []
    return [
        BucketUsage(bucket=name, versions=versions, uploads=uploads, size=size)
        for name, versions, uploads, size in rows
    ]


def uploads_before(folder: Path, moment: float) -> list[tuple[Upload, int]]:
    """Return the uploads that were begun before a moment and never completed, and how many bytes each has.

    Raises:
        UsageError: the store is a newer emulator's, or no store.
    """
    query = """SELECT uploads.id, name, key, initiated, attributes,
            (SELECT coalesce(sum(size), 0) FROM parts WHERE upload = uploads.id)
        FROM uploads JOIN buckets ON buckets.id = bucket WHERE initiated < ? ORDER BY name, key, initiated"""
    with _reading(folder) as connection:
        rows = connection.execute(query, (moment,)).fetchall() if connection is not None else []
    return [(records.upload_of(row[:5]), row[5]) for row in rows]


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection | None]:
    index = folder / INDEX_FILE
    if not index.exists():
        yield None
        return
    with closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        try:
            found = known_version(connection, MIGRATIONS, index)
        except sqlite3.DatabaseError as error:
            raise unusable(index, str(error)) from error
        yield connection if found else None
