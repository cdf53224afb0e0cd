"""The state's database: which files it accepts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from emulator.errors import UsageError
from emulator.storage import database
from emulator.storage.database import FILE_NAME, SCHEMA_VERSION, Database, require_state
from emulator.storage.schema import version_of


def changed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_a_new_database_has_the_newest_schema_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    assert version_of(path) == 0
    for _ in range(2):
        Database(path).close()
        assert version_of(path) == SCHEMA_VERSION
    assert [one.name for one in tmp_path.iterdir()] == [FILE_NAME]


def test_a_newer_schema_is_refused_naming_both_versions(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    Database(path).close()
    changed(path, f"UPDATE schema_version SET version = {SCHEMA_VERSION + 1}")
    with pytest.raises(UsageError, match=rf"version {SCHEMA_VERSION + 1}, .* up to {SCHEMA_VERSION}\..*--state-dir"):
        Database(path)


def test_an_older_schema_is_brought_up_to_date_and_keeps_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / FILE_NAME
    Database(path).close()
    changed(path, "INSERT INTO log_groups VALUES ('123456789012', 'us-east-1', 'kept', 5)")
    newer = (*database.MIGRATIONS, ("ALTER TABLE log_groups ADD COLUMN colour TEXT DEFAULT 'red'",))
    monkeypatch.setattr(database, "MIGRATIONS", newer)
    migrated = Database(path)
    assert migrated.rows("SELECT name, colour FROM log_groups") == [("kept", "red")]
    migrated.close()
    assert version_of(path) == len(newer)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / FILE_NAME
    Database(path).close()
    newer = (*database.MIGRATIONS, ("DROP TABLE log_groups", "no SQL"))
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", newer)
        with pytest.raises(UsageError):
            Database(path)
    again = Database(path)
    assert again.rows("SELECT * FROM log_groups") == []
    again.close()


def test_a_file_that_is_no_database_of_ours_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"something else" * 1000)
    for read in (Database, version_of):
        with pytest.raises(UsageError, match="cannot be used as a database of sagemaker-emulator"):
            read(path)
    assert path.read_bytes() == b"something else" * 1000
    path.unlink()
    changed(path, "CREATE TABLE theirs (a)")
    with pytest.raises(UsageError, match="no schema version"):
        Database(path)


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    opened = Database(tmp_path / FILE_NAME)
    insert = "INSERT INTO log_groups VALUES ('1', 'r', 'g', 5)"

    def half_done() -> None:
        with opened.transaction() as connection:
            connection.execute(insert)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half_done()
    assert opened.rows("SELECT * FROM log_groups") == []
    with opened.transaction() as connection:
        connection.execute(insert)
    assert len(opened.rows("SELECT * FROM log_groups")) == 1
    opened.close()


def test_only_a_state_directory_is_one(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with pytest.raises(UsageError, match="not a state directory"):
        require_state(tmp_path)
    Database(tmp_path / FILE_NAME).close()
    require_state(tmp_path)
