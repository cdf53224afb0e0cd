"""Listings in UTF-8 order of keys, by seeking: the keys below a common prefix are never looked at.

Keys here are bytes. No UTF-8 has the byte 0xff, so it ends every range, and the least key after a key is
that key and a zero byte.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from .model import Listing, ObjectVersion
from .records import COLUMNS, bucket_id, version_of

Row = tuple[Any, ...]
Rows = Callable[[bytes], Iterator[Row]]

_LISTED = (
    f"SELECT {COLUMNS} FROM versions INDEXED BY listed_versions"  # noqa: S608
    " WHERE bucket = ? AND key >= ? AND key < ? AND is_latest = 1 AND is_delete_marker = 0 ORDER BY key"
)
_SIZES = _LISTED.replace(COLUMNS, "key, size")
_TOTALS = (
    "SELECT count(*), coalesce(sum(size), 0) FROM (SELECT size FROM versions INDEXED BY listed_versions"
    " WHERE bucket = ? AND is_latest = 1 AND is_delete_marker = 0 LIMIT ?)"
)
_ALL = (
    f"SELECT {COLUMNS} FROM versions INDEXED BY versions_by_age"  # noqa: S608
    " WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key, id DESC"
)
_OLDER = (
    f"SELECT {COLUMNS} FROM versions INDEXED BY versions_by_age"  # noqa: S608
    " WHERE bucket = ? AND key = ? AND id < ? ORDER BY id DESC"
)


def list_objects(
    connection: sqlite3.Connection, bucket: str, *, prefix: str, delimiter: str, after: str, limit: int
) -> Listing:
    """Return a page of the latest versions that are no delete markers."""
    number, end = bucket_id(connection, bucket), _end_of(prefix.encode())

    def rows(start: bytes) -> Iterator[Row]:
        return connection.execute(_LISTED, (number, start, end))

    start = _start(prefix.encode(), delimiter.encode(), after.encode())
    return _page(bucket, _entries(rows, prefix.encode(), delimiter.encode(), start), limit)


def sizes(connection: sqlite3.Connection, bucket: str, prefix: str) -> list[tuple[str, int]]:
    """Return key and size of the latest versions that are no delete markers."""
    number, start = bucket_id(connection, bucket), prefix.encode()
    rows = connection.execute(_SIZES, (number, start, _end_of(start)))
    return [(key.decode(), size) for key, size in rows]


def totals(connection: sqlite3.Connection, bucket: str, most: int) -> tuple[int, int]:
    """Return number and size of the latest versions that are no delete markers, or of so many of them."""
    count, size = connection.execute(_TOTALS, (bucket_id(connection, bucket), most)).fetchone()
    return count, size


def list_versions(
    connection: sqlite3.Connection,
    bucket: str,
    *,
    prefix: str,
    delimiter: str,
    after: tuple[str, str],
    limit: int,
) -> Listing:
    """Return a page of all versions; `after` is a key and a version id, each may be empty."""
    number, end = bucket_id(connection, bucket), _end_of(prefix.encode())
    key = after[0].encode()
    start = _start(prefix.encode(), delimiter.encode(), key)
    older: Iterator[Row] = iter(())
    if after[1] and start == key + b"\0" and key.startswith(prefix.encode()):
        marker = connection.execute(
            "SELECT id FROM versions INDEXED BY versions_by_id WHERE bucket = ? AND key = ? AND version_id = ?",
            (number, key, after[1]),
        ).fetchone()
        older = connection.execute(_OLDER, (number, key, 2**62 if marker is None else marker[0]))

    def rows(start: bytes) -> Iterator[Row]:
        return connection.execute(_ALL, (number, start, end))

    entries = chain(older, _entries(rows, prefix.encode(), delimiter.encode(), start))
    return _page(bucket, entries, limit)


def _entries(rows: Rows, prefix: bytes, delimiter: bytes, start: bytes) -> Iterator[Row | bytes]:
    """Yield rows and common prefixes (as bytes) in order, from a key on."""
    while True:
        for row in rows(start):
            common = _common_prefix(row[1], prefix, delimiter)
            if common is None:
                yield row
            else:
                yield common
                start = _end_of(common)
                break
        else:
            return


def _page(bucket: str, entries: Iterator[Row | bytes], limit: int) -> Listing:
    objects: list[ObjectVersion] = []
    prefixes: list[str] = []
    last: Row | bytes | None = None
    is_truncated = False
    for entry in entries:
        if len(objects) + len(prefixes) >= limit:
            is_truncated = limit > 0
            break
        last = entry
        if isinstance(entry, bytes):
            prefixes.append(entry.decode())
        else:
            objects.append(version_of(bucket, entry))
    marker = version = None
    if is_truncated and last is not None:
        marker = (last if isinstance(last, bytes) else last[1]).decode()
        version = None if isinstance(last, bytes) else last[2]
    return Listing(
        objects=tuple(objects),
        prefixes=tuple(prefixes),
        is_truncated=is_truncated,
        next_marker=marker,
        next_version=version,
    )


def _start(prefix: bytes, delimiter: bytes, after: bytes) -> bytes:
    """Return the least key that a page may begin with."""
    if after < prefix or not after:
        return prefix
    common = _common_prefix(after, prefix, delimiter)
    return after + b"\0" if common is None else _end_of(common)


def _common_prefix(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """Return what a key is rolled up to, if it is."""
    if not delimiter or not key.startswith(prefix):
        return None
    found = key.find(delimiter, len(prefix))
    return None if found < 0 else key[: found + len(delimiter)]


def _end_of(prefix: bytes) -> bytes:
    """Return the least bytes that are greater than every key with the prefix."""
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else b"\xff"
