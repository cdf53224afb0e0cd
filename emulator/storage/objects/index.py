"""The index: an SQLite database that says which objects there are and which files their bytes lie in.

What is acknowledged survives SIGKILL, not power failure. A commit appends to the write-ahead log, and
what a killed process has written is the kernel's and stays; so nothing is synced before an answer, neither
here (`synchronous = NORMAL`: at checkpoints only) nor in the segment files. After a power failure the
index is whole, but the newest objects may be missing or cut short.
"""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import UsageError
from .model import StoreFullError

SCHEMA_VERSION = 1

# Keys are bytes, so that their order is the order of their UTF-8 whatever SQLite thinks of text. Ids of
# versions grow and are never used again: they are the age of a version and its identity.
# `segments` and `parts` are JSON and come last: rows of listings are read without them.
_SCHEMA = """
CREATE TABLE buckets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL,
    key BLOB NOT NULL,
    version_id TEXT NOT NULL,
    is_latest INTEGER NOT NULL,
    is_delete_marker INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    last_modified REAL NOT NULL,
    attributes TEXT NOT NULL,
    segments TEXT NOT NULL,
    parts TEXT NOT NULL
);
CREATE UNIQUE INDEX versions_by_id ON versions (bucket, key, version_id);
CREATE INDEX versions_by_age ON versions (bucket, key, id DESC);
CREATE INDEX listed_versions ON versions (bucket, key) WHERE is_latest = 1 AND is_delete_marker = 0;
CREATE TABLE segments (
    name TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    uses INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    bucket INTEGER NOT NULL,
    key BLOB NOT NULL,
    initiated REAL NOT NULL,
    attributes TEXT NOT NULL
);
CREATE INDEX uploads_by_key ON uploads (bucket, key, initiated);
CREATE TABLE parts (
    upload TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    attributes TEXT NOT NULL,
    segment TEXT,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""

# EFBIG: a file may not grow as far. Over quota or past a limit, SQLite only tells that it could not write.
_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FULL_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})


# How far the log may be ahead of the database, in pages of 4 KiB: bringing them together is what waits for the disk.
_PAGES_AHEAD = 4000


class Index:
    """Connections to the database: one that writes, under a lock, and as many that read as are needed."""

    def __init__(self, path: Path) -> None:
        """Open the database, or make it.

        Raises:
            UsageError: it is a newer emulator's, or no database.
        """
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        self._lock = threading.Lock()
        try:
            self._writer = self._connect()
            self._migrate()
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"The index of the object store, {path}, cannot be used: {error}.\n"
                "Restore it from a backup, or start with another state directory: --state-dir DIR"
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read with; between BEGIN and the end it sees one moment of the index."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.rollback()
            self._idle.append(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection that writes. All that is done becomes visible at the end, or nothing does.

        Raises:
            StoreFullError: the disk is full.
        """
        with full_disk_refuses(), self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.rollback()
                raise

    def close(self) -> None:
        """Close all connections; nobody may use one any more."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        # Threads take turns with a connection, so that a server's short-lived threads leave none behind.
        connection = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_AHEAD}")
        return connection

    def _migrate(self) -> None:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version == SCHEMA_VERSION:
            return
        if version != 0:
            self._writer.close()
            raise UsageError(
                f"The object store in {self._path.parent} has format {version}; this emulator knows format "
                f"{SCHEMA_VERSION}.\nUse the emulator that wrote it, or another state directory: --state-dir DIR"
            )
        self._writer.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")


@contextmanager
def full_disk_refuses() -> Iterator[None]:
    """Turn the errors of a full disk into one.

    Raises:
        StoreFullError: there was one.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL_ERRNOS:
            raise StoreFullError("The disk of the object store is full") from error
        raise
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) in _FULL_CODES:
            raise StoreFullError("The disk of the object store is full") from error
        raise
