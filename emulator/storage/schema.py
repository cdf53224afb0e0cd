"""Which version of our schema an SQLite file has: a newer one is refused, an older one is brought up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from ..errors import UsageError

# What SQLite calls it when its journal, or the memory that it shares, does not fit on the disk.
_OF_A_FULL_DISK: Final = ("disk I/O error", "database or disk is full", "unable to open database file")

Migrations = Sequence[Sequence[str]]
"""The statements that each version adds to the one before; its number is its place, counted from 1."""


def migrate(connection: sqlite3.Connection, migrations: Migrations, path: Path) -> None:
    """Bring a database up to date, inside the caller's transaction; a new file gets all of the schema.

    Raises:
        UsageError: a newer version of this program wrote it, or it is no database of ours.
    """
    for statements in migrations[known_version(connection, migrations, path) :]:
        for statement in statements:
            connection.execute(statement)
    newest = len(migrations)
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    if connection.execute("SELECT version FROM schema_version").fetchall() != [(newest,)]:
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version VALUES (?)", (newest,))


def known_version(connection: sqlite3.Connection, migrations: Migrations, path: Path) -> int:
    """Return the schema version of a database that this program can read; 0 if there is nothing in it.

    Raises:
        UsageError: a newer version of this program wrote it, or it is no database of ours.
    """
    found, newest = version_in(connection, path), len(migrations)
    if found > newest:
        raise UsageError(
            f"{path} has schema version {found}, as a newer sagemaker-emulator wrote it; this one knows versions up to "
            f"{newest}. Use the newer program, or give this one a directory of its own: --state-dir DIR"
        )
    return found


def version_of(path: Path) -> int:
    """Return the schema version of a database that nobody has open; 0 if there is none.

    Raises:
        UsageError: it is no database of ours.
    """
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path)) as connection:
            return version_in(connection, path)
    except sqlite3.DatabaseError as error:
        raise unusable(path, str(error)) from error


def version_in(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version of a database; 0 if there is nothing in it.

    Raises:
        UsageError: it is no database of ours.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    if "schema_version" in tables:
        (version,) = connection.execute("SELECT version FROM schema_version").fetchone()
    else:  # the first object stores had theirs in the file's header
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not version:
        raise unusable(path, "it has no schema version")
    return int(version)


def unusable(path: Path, why: str) -> UsageError:
    """Return the error of a file that is no database of ours, or cannot be used as one."""
    if why in _OF_A_FULL_DISK and not os.statvfs(path.parent).f_bavail:
        return UsageError(f"{path} cannot be opened: no space is left on its disk. Free some, and try again.")
    return UsageError(
        f"{path} cannot be used as a database of sagemaker-emulator: {why}. Restore it from a backup, move it away, "
        "or choose another directory: --state-dir DIR"
    )
