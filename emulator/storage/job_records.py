"""Job records in the state's database: the documents as JSON, and the columns that a list is found by."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from ..contract import requests, status
from ..contract.arns import Scope
from ..contract.listing import JobQuery, training_plan
from ..contract.record import JobRecord
from ..jobs.ports import JobStore
from .database import Database

_SORT_COLUMNS: Final = {"Name": "name_key", "CreationTime": "created", "Status": "status"}
_COLUMNS: Final = "number, account, region, name, arn, tags, facts, request"

_SELECT_ONE: Final = f"SELECT {_COLUMNS} FROM jobs WHERE arn = ?"  # noqa: S608 - texts of this file, as below
_INSERT: Final = """INSERT INTO jobs
    (account, region, kind, name_key, name, arn, request, status, created, modified, ended, plan, tags, facts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE: Final = """UPDATE jobs
    SET status = ?, created = ?, modified = ?, ended = ?, plan = ?, tags = ?, facts = ? WHERE number = ?"""


class SqliteJobStore:
    """All records in one table, by ARN. A job's name and request never change after its creation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, record: JobRecord) -> JobRecord:
        """Add a record under a name that must be free among the jobs of its kind, account and region."""
        values = (*_unchangeable(record), *_changeable(record))
        try:
            with self._database.transaction() as connection:
                number = connection.execute(_INSERT, values).lastrowid
        except sqlite3.IntegrityError as error:
            raise requests.name_taken(record.arn) from error
        assert number is not None
        return replace(record, number=number)

    def get(self, arn: str) -> JobRecord | None:
        """Return a job; None: there is none."""
        rows = self._database.rows(_SELECT_ONE, (arn,))
        return _record(rows[0]) if rows else None

    def update(self, arn: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord | None:
        """Replace a record by `change(record)` with nobody in between; None when it is gone."""
        with self._database.transaction() as connection:
            row = connection.execute(_SELECT_ONE, (arn,)).fetchone()
            if row is None:
                return None
            record = _record(row)
            changed = change(record)
            if changed != record:
                connection.execute(_UPDATE, (*_changeable(changed), record.number))
            return changed

    def first(self, scope: Scope, query: JobQuery) -> list[JobRecord]:
        """Return the first `query.size + 1` jobs that a query wants, in any order.

        The inner SELECT reads indexes only; documents are read for the jobs of the page alone.
        """
        conditions = list(_conditions(scope, query))
        where = " AND ".join(condition for condition, _ in conditions)
        column = _SORT_COLUMNS[query.sort_by]
        order = "DESC" if query.descending else "ASC"
        numbers = f"SELECT number FROM jobs WHERE {where} ORDER BY {column} {order}, number {order} LIMIT ?"  # noqa: S608 - column names of ours
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM jobs WHERE number IN ({numbers})",  # noqa: S608
            [*(value for _, values in conditions for value in values), query.size + 1],
        )
        return [_record(row) for row in rows]

    def unfinished(self) -> list[JobRecord]:
        """Return the jobs of every kind, account and region that have not ended, in the order of their creation."""
        return self._records("ended IS NULL")

    def ended_before(self, moment: float) -> list[JobRecord]:
        """Return the jobs of every kind, account and region that ended before a moment, oldest first."""
        return self._records("ended < ?", moment)

    def scopes(self) -> dict[Scope, float]:
        """Return every account and region that has jobs, with the time when its newest one was created."""
        rows = self._database.rows("SELECT account, region, max(created) FROM jobs GROUP BY account, region")
        return {Scope(account=account, region=region): newest for account, region, newest in rows}

    def delete(self, record: JobRecord) -> None:
        """Forget a job; another one that has its name meanwhile stays."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE number = ?", (record.number,))

    def clear(self) -> None:
        """Forget every job; their numbers are not given again."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM jobs")

    def _records(self, condition: str, *values: object) -> list[JobRecord]:
        query = f"SELECT {_COLUMNS} FROM jobs WHERE {condition} ORDER BY number"  # noqa: S608
        return [_record(row) for row in self._database.rows(query, values)]


def _conditions(scope: Scope, query: JobQuery) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield `JobQuery.wants` as conditions of SQL; a test compares the two."""
    yield "account = ? AND region = ? AND kind = ?", (scope.account, scope.region, query.kind.noun)
    if query.name_contains:
        yield "instr(name_key, ?)", (query.name_contains,)
    if query.name_or_image_contains:
        image = f"lower(coalesce(json_extract(request, '$.{'.'.join(query.kind.image_members)}'), ''))"
        wanted = query.name_or_image_contains
        yield f"(instr(name_key, ?) OR instr({image}, ?))", (wanted, wanted)
    if query.status is not None:
        yield "status = ?", (query.status,)
    for condition, moment in (
        ("created > ?", query.created_after),
        ("created < ?", query.created_before),
        ("modified > ?", query.modified_after),
        ("modified < ?", query.modified_before),
    ):
        if moment is not None:
            yield condition, (float(moment),)
    if query.training_plan is not None:
        yield "plan = ?", (query.training_plan,)
    if query.warm_pool is not None:
        yield "0", ()
    if query.after is not None:
        sign = "<" if query.descending else ">"
        yield f"({_SORT_COLUMNS[query.sort_by]}, number) {sign} (?, ?)", query.after


def _unchangeable(record: JobRecord) -> tuple[Any, ...]:
    return (
        record.scope.account,
        record.scope.region,
        record.kind.noun,
        record.name.lower(),
        record.name,
        record.arn,
        json.dumps(record.request),
    )


def _changeable(record: JobRecord) -> tuple[Any, ...]:
    facts = record.facts
    return (
        status.status_of(facts),
        facts["CreationTime"],
        facts["LastModifiedTime"],
        facts["LastModifiedTime"] if status.is_terminal(facts) else None,
        training_plan(record),
        json.dumps(record.tags),
        json.dumps(facts),
    )


def _record(row: tuple[Any, ...]) -> JobRecord:
    number, account, region, name, arn, tags, facts, request = row
    return JobRecord(
        scope=Scope(account=account, region=region),
        name=name,
        arn=arn,
        request=json.loads(request),
        facts=json.loads(facts),
        tags=json.loads(tags),
        number=number,
    )


_: type[JobStore] = SqliteJobStore
