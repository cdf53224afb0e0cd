"""Credentials of roles: one set a job, for as long as it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.storage.credentials import RoleCredentials
from emulator.storage.database import Database
from tests.builders import SCOPE

JOB = ("1-job", SCOPE, "arn:aws:iam::123456789012:role/service-role/Role", "Job")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "state.sqlite")
    yield database
    database.close()


def test_a_job_has_one_set_until_it_is_revoked(database: Database) -> None:
    credentials = RoleCredentials(database)
    issued = credentials.issue(*JOB)
    assert credentials.issue(*JOB) == issued
    found = credentials.fetch(issued)
    assert found is not None
    assert credentials.of_access_key(found.access_key_id) == found
    assert found.caller_arn == "arn:aws:sts::123456789012:assumed-role/Role/Job"
    credentials.revoke("1-job")
    assert credentials.fetch(issued) is None
    assert credentials.of_access_key(found.access_key_id) is None
    assert credentials.issue(*JOB) != issued


def test_they_are_the_same_after_a_restart(database: Database) -> None:
    before = RoleCredentials(database)
    kept, revoked = before.issue(*JOB), before.issue("2-other", *JOB[1:])
    before.revoke("2-other")
    after = RoleCredentials(database)
    assert after.fetch(kept) == before.fetch(kept) is not None
    assert after.fetch(revoked) is None
    assert after.issue(*JOB) == kept


def test_those_of_jobs_that_are_over_do_not_stay(database: Database) -> None:
    credentials = RoleCredentials(database)
    kept, other = credentials.issue(*JOB), credentials.issue("2-other", *JOB[1:])
    credentials.revoke_others(["1-job", "3-never"])
    assert credentials.fetch(kept) is not None
    assert credentials.fetch(other) is None
