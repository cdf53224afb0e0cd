"""Experiments, trials, trial components and artifacts in the state's database: one table, documents as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ...contract.arns import Scope
from ...contract.experiments.entities import (
    ARTIFACT,
    ENTITY_KINDS,
    EXPERIMENT,
    TRIAL,
    TRIAL_COMPONENT,
    Entity,
    EntityKind,
    ExperimentSize,
)
from ...contract.experiments.listing import EntityQuery
from ...experiments.ports import EntityStore
from ..database import Database

_KINDS: Final = {kind.noun: kind for kind in ENTITY_KINDS}
_COLUMNS: Final = "number, account, region, kind, name, arn, created, modified, tags, document"
_QUALIFIED: Final = ", ".join(f"e.{column}" for column in _COLUMNS.split(", "))

_SELECT_ONE: Final = f"SELECT {_COLUMNS} FROM entities WHERE arn = ?"  # noqa: S608 - texts of this file, as below
_INSERT: Final = """INSERT OR IGNORE INTO entities
    (account, region, kind, name_key, name, arn, experiment, created, modified, source, type, tags, document)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE: Final = """UPDATE entities
    SET created = ?, modified = ?, source = ?, type = ?, tags = ?, document = ? WHERE number = ?"""
_COUNT_CHILDREN: Final = {
    EXPERIMENT: "SELECT count(*) FROM entities WHERE experiment = :arn",
    TRIAL: "SELECT count(*) FROM trial_members WHERE trial = :number",
    TRIAL_COMPONENT: "SELECT count(*) FROM trial_members WHERE component = :number",
    ARTIFACT: "SELECT (SELECT count(*) FROM associations WHERE source = :arn)"
    " + (SELECT count(*) FROM associations WHERE destination = :arn)",
}
_FORGET: Final = (
    "DELETE FROM associations WHERE source = :arn",
    "DELETE FROM associations WHERE destination = :arn",
    "DELETE FROM metric_points WHERE series IN (SELECT id FROM metric_series WHERE component = :number)",
    "DELETE FROM metric_series WHERE component = :number",
    "DELETE FROM entities WHERE number = :number",
)
# Columns that a needed property is found by, as SQL with one parameter.
_NEEDS: Final[Mapping[str, Mapping[str, str]]] = {
    EXPERIMENT.noun: {"ExperimentName": "name_key = lower(?)"},
    TRIAL.noun: {"TrialName": "name_key = lower(?)"},
    TRIAL_COMPONENT.noun: {
        "TrialComponentName": "name_key = lower(?)",
        "Source.SourceArn": "source = lower(?)",
        "Parents.TrialName": """number IN (SELECT m.component FROM trial_members m JOIN entities t
            ON t.number = m.trial AND t.name_key = lower(?))""",
        "Parents.ExperimentName": """number IN (SELECT m.component FROM trial_members m
            JOIN entities t ON t.number = m.trial JOIN entities x ON x.arn = t.experiment AND x.name_key = lower(?))""",
    },
}


class SqliteEntityStore:
    """All entities by ARN. An entity's name never changes after its creation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, entity: Entity) -> Entity | None:
        """Add an entity; None: its ARN is taken, or a trial's experiment is not there."""
        scope = entity.scope
        values = (
            scope.account,
            scope.region,
            entity.kind.noun,
            entity.name.lower(),
            entity.name,
            entity.arn,
            entity.experiment_arn,
            *_changeable(entity),
        )
        with self._database.transaction() as connection:
            above = entity.experiment_arn
            if above is not None and connection.execute(_SELECT_ONE, (above,)).fetchone() is None:
                return None
            done = connection.execute(_INSERT, values)
            return replace(entity, number=done.lastrowid) if done.rowcount and done.lastrowid is not None else None

    def get(self, arn: str) -> Entity | None:
        """Return an entity; None: there is none."""
        rows = self._database.rows(_SELECT_ONE, (arn,))
        return _entity(rows[0]) if rows else None

    def update(self, arn: str, change: Callable[[Entity], Entity]) -> Entity | None:
        """Replace an entity by `change(entity)` with nobody in between; None when it is gone."""
        with self._database.transaction() as connection:
            row = connection.execute(_SELECT_ONE, (arn,)).fetchone()
            if row is None:
                return None
            entity = _entity(row)
            changed = change(entity)
            if changed != entity:
                connection.execute(_UPDATE, (*_changeable(changed), entity.number))
            return changed

    def delete(self, entity: Entity) -> int:
        """Forget an entity and its metrics, unless others belong to it; return how many do."""
        named = {"arn": entity.arn, "number": entity.number}
        with self._database.transaction() as connection:
            (children,) = connection.execute(_COUNT_CHILDREN[entity.kind], named).fetchone()
            if not children:
                for statement in _FORGET:
                    connection.execute(statement, named)
            return int(children)

    def first(self, scope: Scope, query: EntityQuery) -> list[Entity]:
        """Return at least the first `query.size + 1` entities that a query wants, in any order.

        The inner SELECT reads indexes only; documents are read for the entities of the page alone.
        """
        conditions = list(_conditions(scope, query))
        where = " AND ".join(condition for condition, _ in conditions)
        column, order = ("name_key" if query.by_name else "created"), ("DESC" if query.descending else "ASC")
        numbers = f"SELECT number FROM entities WHERE {where} ORDER BY {column} {order}, number {order} LIMIT ?"  # noqa: S608
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM entities WHERE number IN ({numbers})",  # noqa: S608
            [*(value for _, values in conditions for value in values), query.size + 1],
        )
        return [_entity(row) for row in rows]

    def all(self, scope: Scope, kind: EntityKind, needs: Mapping[str, str]) -> list[Entity]:
        """Return all entities of a kind, but for some of which a property is not equal to what is needed."""
        known = _NEEDS.get(kind.noun, {})
        met = [(known[name], value) for name, value in needs.items() if name in known and value.isascii()]
        where = " AND ".join(["account = ? AND region = ? AND kind = ?", *(condition for condition, _ in met)])
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM entities WHERE {where} ORDER BY number",  # noqa: S608
            [scope.account, scope.region, kind.noun, *(value for _, value in met)],
        )
        return [_entity(row) for row in rows]

    def scopes(self) -> dict[Scope, float]:
        """Return every account and region that has entities, with the time when its newest one was created."""
        rows = self._database.rows("SELECT account, region, max(created) FROM entities GROUP BY account, region")
        return {Scope(account=account, region=region): newest for account, region, newest in rows}

    def sizes(self, scope: Scope) -> dict[str, ExperimentSize]:
        """Return how large each experiment is that has trials, by its ARN."""
        rows = self._database.rows(
            """SELECT t.experiment, count(DISTINCT t.number), count(DISTINCT m.component),
                max(max(t.modified), max(coalesce(c.modified, 0)))
                FROM entities t LEFT JOIN trial_members m ON m.trial = t.number
                LEFT JOIN entities c ON c.number = m.component
                WHERE t.account = ? AND t.region = ? AND t.kind = ? GROUP BY t.experiment""",
            (scope.account, scope.region, TRIAL.noun),
        )
        return {
            arn: ExperimentSize(trials=trials, components=components, modified=modified)
            for arn, trials, components, modified in rows
        }

    def unfinished_of_jobs(self) -> list[Entity]:
        """Return the trial components of jobs, of all accounts and regions, whose status is not an end."""
        rows = self._database.rows(
            f"""SELECT {_COLUMNS} FROM entities WHERE source LIKE 'arn:%' AND kind = ?
                AND json_extract(document, '$.Status.PrimaryStatus') IN ('InProgress', 'Stopping')
                AND json_extract(document, '$.Source.SourceType') LIKE 'SageMaker%'""",  # noqa: S608
            (TRIAL_COMPONENT.noun,),
        )
        return [_entity(row) for row in rows]

    def associate(self, trial: Entity, component: Entity) -> bool:
        """Put a component into a trial; again changes nothing. False: one of them is gone."""
        with self._database.transaction() as connection:
            there = "SELECT count(*) FROM entities WHERE number IN (?, ?)"
            if connection.execute(there, (trial.number, component.number)).fetchone() != (2,):
                return False
            connection.execute("INSERT OR IGNORE INTO trial_members VALUES (?, ?)", (trial.number, component.number))
            return True

    def disassociate(self, trial: Entity, component: Entity) -> bool:
        """Take a component out of a trial; False: it was not in it."""
        with self._database.transaction() as connection:
            done = connection.execute(
                "DELETE FROM trial_members WHERE trial = ? AND component = ?", (trial.number, component.number)
            )
            return bool(done.rowcount)

    def parents(self, components: Collection[Entity]) -> Mapping[str, Sequence[Entity]]:
        """Return the trials of components by the components' ARNs."""
        return self._joined(components, of="component", found="trial")

    def members(self, trials: Collection[Entity]) -> Mapping[str, Sequence[Entity]]:
        """Return the components of trials by the trials' ARNs."""
        return self._joined(trials, of="trial", found="component")

    def clear(self) -> None:
        """Forget everything; numbers are not given again."""
        with self._database.transaction() as connection:
            for table in ("trial_members", "associations", "metric_points", "metric_series", "entities"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608

    def _joined(self, entities: Collection[Entity], *, of: str, found: str) -> dict[str, list[Entity]]:
        joined: dict[str, list[Entity]] = {entity.arn: [] for entity in entities}
        arns = {entity.number: entity.arn for entity in entities}
        rows = self._database.rows(
            f"""SELECT m.{of}, m.{found} FROM trial_members m JOIN json_each(?) n ON n.value = m.{of}
                ORDER BY m.{found}""",  # noqa: S608
            (json.dumps(list(arns)),),
        )
        others = {number: _entity(row) for number, row in self._by_number({other for _, other in rows})}
        for number, other in rows:
            joined[arns[number]].append(others[other])
        return joined

    def _by_number(self, numbers: Collection[int]) -> Iterator[tuple[int, tuple[Any, ...]]]:
        query = f"SELECT {_QUALIFIED} FROM entities e JOIN json_each(?) n ON n.value = e.number"  # noqa: S608
        for row in self._database.rows(query, (json.dumps(list(numbers)),)):
            yield row[0], row


def _conditions(scope: Scope, query: EntityQuery) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield `EntityQuery.wants` and what entities belong to as conditions of SQL; a test compares them."""
    yield "account = ? AND region = ? AND kind = ?", (scope.account, scope.region, query.kind.noun)
    if query.created_after is not None:
        yield "created > ?", (float(query.created_after),)
    if query.created_before is not None:
        yield "created < ?", (float(query.created_before),)
    if query.source is not None:
        yield "source = ?", (query.source,)
    if query.artifact_type is not None:
        yield "type = ?", (query.artifact_type,)
    if query.experiment is not None and query.kind is TRIAL:
        yield "experiment = ?", (query.experiment,)
    elif query.experiment is not None:
        members = "SELECT m.component FROM trial_members m JOIN entities t ON t.number = m.trial AND t.experiment = ?"
        yield f"number IN ({members})", (query.experiment,)
    if query.trial is not None:
        members = "SELECT m.component FROM trial_members m JOIN entities t ON t.number = m.trial AND t.arn = ?"
        yield f"number IN ({members})", (query.trial,)
    if query.component is not None:
        trials = "SELECT m.trial FROM trial_members m JOIN entities c ON c.number = m.component AND c.arn = ?"
        yield f"number IN ({trials})", (query.component,)
    if query.after is not None:
        column, sign = ("name_key" if query.by_name else "created"), ("<" if query.descending else ">")
        yield f"({column}, number) {sign} (?, ?)", query.after


def _changeable(entity: Entity) -> tuple[Any, ...]:
    return (
        entity.created,
        entity.modified,
        entity.source,
        entity.document.get("ArtifactType"),
        json.dumps(entity.tags),
        json.dumps(entity.document),
    )


def _entity(row: tuple[Any, ...]) -> Entity:
    number, account, region, kind, name, arn, created, modified, tags, document = row
    return Entity(
        scope=Scope(account=account, region=region),
        kind=_KINDS[kind],
        name=name,
        arn=arn,
        created=created,
        modified=modified,
        document=json.loads(document),
        tags=json.loads(tags),
        number=number,
    )


_: type[EntityStore] = SqliteEntityStore
