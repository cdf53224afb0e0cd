"""The state's database: which files it accepts, and what it makes of older ones."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from emulator.contract import life, status
from emulator.contract.arns import Scope
from emulator.contract.kinds import PROCESSING, TRAINING
from emulator.contract.listing import JobQuery, training_plan
from emulator.contract.outcome import Ended, settle
from emulator.contract.record import JobRecord
from emulator.contract.status import status_of
from emulator.errors import ResourceInUseError, UsageError
from emulator.storage import database
from emulator.storage.database import FILE_NAME, SCHEMA_VERSION, Database, require_state
from emulator.storage.job_records import SqliteJobStore
from emulator.storage.schema import version_of
from tests.builders import SCOPE, job_record, processing_record


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


# Versions that were released, with rows in them


def of_version(path: Path, version: int) -> None:
    """Make a database as the program of that schema version did."""
    statements = [statement for entry in database.MIGRATIONS[:version] for statement in entry]
    changed(
        path, *statements, "CREATE TABLE schema_version (version INTEGER NOT NULL)",
        f"INSERT INTO schema_version VALUES ({version})",
    )  # fmt: skip


def insert_job(path: Path, record: JobRecord, *, ended: float | None = None) -> None:
    """Store a training job as versions 1 and 2 did."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO training_jobs"
            " (account, region, name_key, name, arn, request, status, created, modified, ended, plan, tags, facts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.scope.account, record.scope.region, record.name.lower(), record.name, record.arn,
                json.dumps(record.request), status_of(record.facts), record.facts["CreationTime"],
                record.facts["LastModifiedTime"], ended, training_plan(record), json.dumps(record.tags),
                json.dumps(record.facts),
            ),
        )  # fmt: skip


@pytest.mark.parametrize("version", [1, 2])
def test_training_jobs_of_an_older_version_are_there_and_their_numbers_go_on(tmp_path: Path, version: int) -> None:
    path = tmp_path / FILE_NAME
    of_version(path, version)
    plan = {"TrainingPlanArn": "plan-a"}
    running = job_record("Running", number=1, tags={"a": "é"}, ResourceConfig=plan)
    facts = life.ended(TRAINING, status.created(1000.0), settle(Ended.STOP_REQUESTED, (), ""), 2000.0)
    stopped = job_record("Stopped", number=2, scope=Scope(account="210987654321", region="cn-north-1"), facts=facts)
    insert_job(path, running)
    insert_job(path, stopped, ended=2000.0)
    insert_job(path, job_record("deleted"))
    changed(path, "DELETE FROM training_jobs WHERE name = 'deleted'")
    opened = Database(path)
    store = SqliteJobStore(opened)
    assert (store.get(running.arn), store.get(stopped.arn)) == (running, stopped)
    assert (store.unfinished(), store.ended_before(2001.0)) == ([running], [stopped])
    assert store.first(SCOPE, JobQuery(training_plan="plan-a")) == [running]
    assert store.first(SCOPE, JobQuery(kind=PROCESSING)) == []
    assert store.create(processing_record("Running")).number == 4
    with pytest.raises(ResourceInUseError):
        store.create(job_record("running"))
    opened.close()
    assert version_of(path) == SCHEMA_VERSION


@pytest.mark.parametrize(("given", "next_number"), [(0, 1), (3, 4)])
def test_numbers_go_on_where_no_job_is_left(tmp_path: Path, given: int, next_number: int) -> None:
    path = tmp_path / FILE_NAME
    of_version(path, 2)
    for number in range(given):
        insert_job(path, job_record(f"job-{number}"))
    changed(path, "DELETE FROM training_jobs")
    opened = Database(path)
    assert SqliteJobStore(opened).create(job_record()).number == next_number
    opened.close()
