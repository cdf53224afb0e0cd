"""Lineage associations in the state's database."""

from __future__ import annotations

from ...contract.arns import Scope
from ...contract.experiments.associations import Association, AssociationQuery
from ...experiments.ports import AssociationStore
from ..database import Database

_COLUMNS = "source, destination, created, source_name, destination_name, source_type, destination_type, type"


class SqliteAssociationStore:
    """All associations by their two ends."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, scope: Scope, association: Association) -> bool:
        """Add an association; False: these two have one already."""
        one = association
        values = (
            scope.account,
            scope.region,
            one.source,
            one.destination,
            one.created,
            one.source_name,
            one.destination_name,
            one.source_type,
            one.destination_type,
            one.association_type,
        )
        insert = f"INSERT OR IGNORE INTO associations (account, region, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
        with self._database.transaction() as connection:
            return bool(connection.execute(insert, values).rowcount)

    def delete(self, source: str, destination: str) -> bool:
        """Forget an association; False: there is none."""
        statement = "DELETE FROM associations WHERE source = ? AND destination = ?"
        with self._database.transaction() as connection:
            return bool(connection.execute(statement, (source, destination)).rowcount)

    def all(self, scope: Scope, query: AssociationQuery) -> list[Association]:
        """Return the associations of a source and a destination, where the query names them."""
        wanted = {"source": query.source, "destination": query.destination}
        named = {column: arn for column, arn in wanted.items() if arn is not None}
        where = " AND ".join(["account = ? AND region = ?", *(f"{column} = ?" for column in named)])
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM associations WHERE {where}",  # noqa: S608 - texts of this file
            [scope.account, scope.region, *named.values()],
        )
        return [
            Association(
                source=source,
                destination=destination,
                created=created,
                source_name=source_name,
                destination_name=destination_name,
                source_type=source_type,
                destination_type=destination_type,
                association_type=association_type,
            )
            for (
                source,
                destination,
                created,
                source_name,
                destination_name,
                source_type,
                destination_type,
                association_type,
            ) in rows
        ]


_: type[AssociationStore] = SqliteAssociationStore
