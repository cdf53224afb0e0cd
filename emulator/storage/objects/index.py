"""The index: an SQLite database that says which objects there are and which files their bytes lie in.

The bytes of small objects are in the index itself: such an object is one transaction and no file.

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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ..schema import migrate, unusable
from .model import StoreFullError

OBJECTS_FOLDER: Final = "objects"
INDEX_FILE: Final = "index.sqlite"

# Keys are bytes, so that their order is the order of their UTF-8 whatever SQLite thinks of text. Ids of
# versions grow and are never used again: they are the age of a version and its identity.
# `segments` and `parts` are JSON and come last: rows of listings are read without them.
# Entries are never changed once they are released: a change of the schema is a new entry.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE buckets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE
        )""",
        """CREATE TABLE versions (
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
        )""",
        "CREATE UNIQUE INDEX versions_by_id ON versions (bucket, key, version_id)",
        "CREATE INDEX versions_by_age ON versions (bucket, key, id DESC)",
        "CREATE INDEX listed_versions ON versions (bucket, key) WHERE is_latest = 1 AND is_delete_marker = 0",
        """CREATE TABLE segments (
            name TEXT PRIMARY KEY,
            size INTEGER NOT NULL,
            uses INTEGER NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE uploads (
            id TEXT PRIMARY KEY,
            bucket INTEGER NOT NULL,
            key BLOB NOT NULL,
            initiated REAL NOT NULL,
            attributes TEXT NOT NULL
        )""",
        "CREATE INDEX uploads_by_key ON uploads (bucket, key, initiated)",
        """CREATE TABLE parts (
            upload TEXT NOT NULL,
            number INTEGER NOT NULL,
            size INTEGER NOT NULL,
            etag TEXT NOT NULL,
            attributes TEXT NOT NULL,
            segment TEXT,
            PRIMARY KEY (upload, number)
        ) WITHOUT ROWID""",
    ),
    # Of small objects, which have no segments. A table of its own: what only looks at versions never meets them.
    ("CREATE TABLE contents (version INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",),
)

# EFBIG: a file may not grow as far. Over quota or past a limit, SQLite only tells that it could not write.
_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FULL_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})

LONGEST_JOURNAL: Final = 16 * 1024**2
"""How far the journal gets ahead of the database: bringing them together is what waits for the disk."""

_PAGE: Final = 4096
_WORTH_SHRINKING: Final = 16 * 1024**2


class Index:
    """Connections to the database: one that writes, under a lock, and as many that read as are needed."""

    def __init__(self, path: Path) -> None:
        """Open the database, or make it.

        Raises:
            UsageError: a newer version of this program wrote it, or it is no database of ours.
        """
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        self._lock = threading.Lock()
        try:
            self._writer = self._connect()
        except sqlite3.DatabaseError as error:
            raise unusable(path, str(error)) from error
        try:
            with self.writing() as connection:
                migrate(connection, MIGRATIONS, path)
        except BaseException as error:
            self._writer.close()
            if isinstance(error, sqlite3.DatabaseError | StoreFullError):
                raise unusable(path, str(error)) from error
            raise

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

    def empty_journal(self) -> None:
        """Bring what the journal has into the database and give its room back to the disk, if that is possible."""
        with self._lock, suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def shrink(self) -> None:
        """Give the room of what was removed back to the disk, if it is much and more than all the rest takes."""
        with self._lock, suppress(sqlite3.Error):
            free, pages = (
                self._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count")
            )
            if free * _PAGE > _WORTH_SHRINKING and free > pages // 2:
                self._writer.execute("VACUUM")
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close all connections; nobody may use one any more."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    def _connect(self) -> sqlite3.Connection:
        # Threads take turns with a connection, so that a server's short-lived threads leave none behind.
        connection = sqlite3.connect(self._path, timeout=60, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = OFF")  # else what is removed is overwritten, page by page
            connection.execute(f"PRAGMA wal_autocheckpoint = {LONGEST_JOURNAL // _PAGE}")
        except BaseException:
            connection.close()
            raise
        return connection


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
