"""The state's own database: one SQLite file, which one emulator at a time has open.

It is written ahead (WAL) and synced at checkpoints only: what was committed survives the end of this
process at any moment, SIGKILL included. After a power cut the last moments may be missing; the file is
whole all the same.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from ..errors import UsageError
from . import schema

FILE_NAME: Final = "state.sqlite"

Parameters = Sequence[Any] | Mapping[str, Any]

# Entries are never changed once they are released: a change of the schema is a new entry.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # AUTOINCREMENT: a number is never given twice, not even after a deletion or a reset. `ended` is
        # null until the job's end. Large columns come last, where a search does not have to read them.
        """CREATE TABLE training_jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            account TEXT NOT NULL, region TEXT NOT NULL, name_key TEXT NOT NULL,
            status TEXT NOT NULL, created REAL NOT NULL, modified REAL NOT NULL, ended REAL, plan TEXT,
            name TEXT NOT NULL, arn TEXT NOT NULL,
            tags TEXT NOT NULL, facts TEXT NOT NULL, request TEXT NOT NULL,
            UNIQUE (account, region, name_key)
        )""",
        "CREATE INDEX training_jobs_by_creation"
        " ON training_jobs (account, region, created, number, name_key, modified, plan)",
        "CREATE INDEX training_jobs_by_status"
        " ON training_jobs (account, region, status, number, name_key, created, modified, plan)",
        "CREATE INDEX training_jobs_by_end ON training_jobs (ended)",
        """CREATE TABLE log_groups (
            account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
            PRIMARY KEY (account, region, name)
        )""",
        # Times are epoch milliseconds. While `open` is 1 the stream is being written, and its figures
        # may be behind its files.
        """CREATE TABLE log_streams (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account TEXT NOT NULL, region TEXT NOT NULL, group_name TEXT NOT NULL, name TEXT NOT NULL,
            created INTEGER NOT NULL, first_event INTEGER, last_event INTEGER, last_ingested INTEGER,
            bytes INTEGER NOT NULL DEFAULT 0, open INTEGER NOT NULL DEFAULT 0,
            UNIQUE (account, region, group_name, name)
        )""",
        "CREATE INDEX log_streams_by_event ON log_streams (account, region, group_name, last_event)",
        "CREATE INDEX log_streams_open ON log_streams (id) WHERE open = 1",
    ),
    (
        # Containers outlive a killed emulator, and go on with the credentials they have.
        """CREATE TABLE role_credentials (
            job TEXT PRIMARY KEY,
            id TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, role_arn TEXT NOT NULL,
            session TEXT NOT NULL, access_key_id TEXT NOT NULL, secret_access_key TEXT NOT NULL, token TEXT NOT NULL
        )""",
    ),
    (
        # The jobs of all kinds. An index for each order of a list has all that a list filters by.
        """CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, name_key TEXT NOT NULL,
            status TEXT NOT NULL, created REAL NOT NULL, modified REAL NOT NULL, ended REAL, plan TEXT,
            name TEXT NOT NULL, arn TEXT NOT NULL UNIQUE,
            tags TEXT NOT NULL, facts TEXT NOT NULL, request TEXT NOT NULL
        )""",
        """INSERT INTO jobs SELECT
            number, account, region, 'TrainingJob', name_key, status, created, modified, ended, plan,
            name, arn, tags, facts, request
            FROM training_jobs""",
        # Numbers go on behind the highest that was ever given, also if that job was deleted.
        "DELETE FROM sqlite_sequence WHERE name = 'jobs'",
        "UPDATE sqlite_sequence SET name = 'jobs' WHERE name = 'training_jobs'",
        "DROP TABLE training_jobs",
        "CREATE INDEX jobs_by_name ON jobs (account, region, kind, name_key, number, status, created, modified, plan)",
        "CREATE INDEX jobs_by_creation"
        " ON jobs (account, region, kind, created, number, name_key, status, modified, plan)",
        "CREATE INDEX jobs_by_status"
        " ON jobs (account, region, kind, status, number, name_key, created, modified, plan)",
        "CREATE INDEX jobs_by_end ON jobs (ended)",
    ),
    (
        # Experiments, trials, trial components and lineage artifacts. `experiment` is the ARN of a trial's
        # experiment, `source` an ARN in lower case or an artifact's URI, `type` an artifact's type.
        """CREATE TABLE entities (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, name_key TEXT NOT NULL,
            created REAL NOT NULL, modified REAL NOT NULL, experiment TEXT, source TEXT, type TEXT,
            name TEXT NOT NULL, arn TEXT NOT NULL UNIQUE, tags TEXT NOT NULL, document TEXT NOT NULL
        )""",
        "CREATE INDEX entities_by_name ON entities (account, region, kind, name_key, number, created, source, type)",
        "CREATE INDEX entities_by_creation"
        " ON entities (account, region, kind, created, number, name_key, source, type)",
        "CREATE INDEX entities_by_experiment ON entities (experiment) WHERE experiment IS NOT NULL",
        "CREATE INDEX entities_by_source ON entities (source) WHERE source IS NOT NULL",
        """CREATE TABLE trial_members (
            trial INTEGER NOT NULL, component INTEGER NOT NULL, PRIMARY KEY (trial, component)
        ) WITHOUT ROWID""",
        "CREATE INDEX trial_members_by_component ON trial_members (component, trial)",
        """CREATE TABLE associations (
            account TEXT NOT NULL, region TEXT NOT NULL, source TEXT NOT NULL, destination TEXT NOT NULL,
            created REAL NOT NULL, source_name TEXT NOT NULL, destination_name TEXT NOT NULL,
            source_type TEXT NOT NULL, destination_type TEXT NOT NULL, type TEXT,
            PRIMARY KEY (source, destination)
        ) WITHOUT ROWID""",
        "CREATE INDEX associations_by_destination ON associations (destination)",
        # A summary is brought up to date in the transaction of its values. The points of a series are numbered.
        """CREATE TABLE metric_series (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            component INTEGER NOT NULL, name TEXT NOT NULL, source_arn TEXT NOT NULL,
            count INTEGER NOT NULL, smallest REAL NOT NULL, largest REAL NOT NULL,
            mean REAL NOT NULL, squares REAL NOT NULL, last REAL NOT NULL, last_at REAL NOT NULL,
            UNIQUE (component, source_arn, name)
        )""",
        """CREATE TABLE metric_points (
            series INTEGER NOT NULL, number INTEGER NOT NULL, step INTEGER, at REAL NOT NULL, value REAL NOT NULL,
            PRIMARY KEY (series, number)
        ) WITHOUT ROWID""",
    ),
)
SCHEMA_VERSION: Final = len(MIGRATIONS)


class Database:
    """One connection for all threads, one of which has it at a time."""

    def __init__(self, path: Path) -> None:
        """Open the database, make it if it is not there, bring an older one up to date.

        Raises:
            UsageError: a newer version of this program wrote it, or it is no database of ours.
        """
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self.transaction() as connection:
                schema.migrate(connection, MIGRATIONS, path)
        except BaseException as error:
            self._connection.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise schema.unusable(path, str(error)) from error
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Let the caller read and write with nobody in between; an exception undoes it all."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, parameters: Parameters = ()) -> list[Any]:
        """Return all rows of a SELECT."""
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def shrink(self) -> None:
        """Give the space of deleted rows back to the disk; where it has no room for the copy, they are used again."""
        with self._lock, suppress(sqlite3.OperationalError):
            self._connection.execute("VACUUM")

    def close(self) -> None:
        """Close the file; one file is all that stays of it."""
        with self._lock:
            self._connection.close()


def require_state(folder: Path) -> None:
    """Make sure that a directory is a state directory, so that no other one is ever cleaned or saved.

    Raises:
        UsageError: it is not.
    """
    if not schema.version_of(folder / FILE_NAME):
        raise UsageError(f"{folder} is not a state directory of sagemaker-emulator. Name one with --state-dir DIR.")
