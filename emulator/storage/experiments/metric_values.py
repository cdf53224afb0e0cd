"""Metric values in the state's database: a row a value, and a row a metric that has the summary of its values."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from ...contract.experiments.curves import LEAST, Curve, stretch_count
from ...contract.experiments.entities import Entity
from ...contract.experiments.metric_summary import MetricPoint, MetricSummary
from ...experiments.ports import MetricValueStore
from ..database import Database

_SUMMARY: Final = "name, source_arn, count, smallest, largest, mean, squares, last, last_at"
_FIND: Final = f"SELECT id, {_SUMMARY} FROM metric_series WHERE component = ? AND source_arn = ? AND name = ?"  # noqa: S608
_INSERT: Final = f"INSERT INTO metric_series (component, {_SUMMARY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_UPDATE: Final = """UPDATE metric_series
    SET count = ?, smallest = ?, largest = ?, mean = ?, squares = ?, last = ?, last_at = ? WHERE id = ?"""
_POINTS_AT_ONCE: Final = 10_000
# Of several sources of one name: what clients have put, else the newest job. `summaries` has it last.
_FIRST_CHOICE: Final = "ORDER BY source_arn = '' DESC, id DESC LIMIT 1"
# With one min() or max(), the other columns are those of the row that has it.
_EXTREMES: Final = """SELECT number, step, at, value FROM (
    SELECT number, step, at, value, min(value) FROM metric_points
        WHERE series = :series AND number < :count GROUP BY number * :stretches / :count
    UNION ALL SELECT number, step, at, value, max(value) FROM metric_points
        WHERE series = :series AND number < :count GROUP BY number * :stretches / :count
    UNION ALL SELECT number, step, at, value, value FROM metric_points
        WHERE series = :series AND number IN (0, :count - 1)
    ) GROUP BY number ORDER BY number"""
_ALL_POINTS: Final = "SELECT number, step, at, value FROM metric_points WHERE series = :series AND number < :count"


class SqliteMetricValueStore:
    """Values by component, source and name, numbered in the order in which they came."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, component: Entity, source_arn: str, points: Sequence[tuple[str, MetricPoint]]) -> None:
        """Add values by the names of their metrics, all or none of them; nothing if the component is gone."""
        by_name: dict[str, list[MetricPoint]] = defaultdict(list)
        for name, point in points:
            by_name[name].append(point)
        with self._database.transaction() as connection:
            if connection.execute("SELECT 1 FROM entities WHERE number = ?", (component.number,)).fetchone() is None:
                return
            for name, values in by_name.items():
                row = connection.execute(_FIND, (component.number, source_arn, name)).fetchone()
                known = _summary(row[1:]) if row is not None else MetricSummary(name=name, source_arn=source_arn)
                grown = known.with_points(values)
                if row is None:
                    series = connection.execute(
                        _INSERT, (component.number, name, source_arn, *_figures(grown))
                    ).lastrowid
                else:
                    series = row[0]
                    connection.execute(_UPDATE, (*_figures(grown), series))
                connection.executemany(
                    "INSERT INTO metric_points VALUES (?, ?, ?, ?, ?)",
                    (
                        (series, number, point.step, point.at, point.value)
                        for number, point in enumerate(values, start=known.count)
                    ),
                )

    def summaries(self, components: Collection[Entity]) -> Mapping[str, Sequence[MetricSummary]]:
        """Return what is known of the metrics of components, by the components' ARNs."""
        arns = {component.number: component.arn for component in components}
        found: dict[str, list[MetricSummary]] = {arn: [] for arn in arns.values()}
        columns = ", ".join(f"s.{column}" for column in _SUMMARY.split(", "))
        rows = self._database.rows(
            f"""SELECT s.component, {columns} FROM json_each(?) n JOIN metric_series s ON s.component = n.value
                ORDER BY s.source_arn = '', s.id""",  # noqa: S608
            (json.dumps(list(arns)),),
        )
        for component, *figures in rows:
            found[arns[component]].append(_summary(figures))
        return found

    def points(self, component: Entity, name: str) -> Iterator[MetricPoint]:
        """Yield the values of a metric in the order in which they came."""
        series = self._database.rows(
            f"SELECT id FROM metric_series WHERE component = ? AND name = ? {_FIRST_CHOICE}",  # noqa: S608
            (component.number, name),
        )
        after, more = -1, bool(series)
        while more:
            rows = self._database.rows(
                "SELECT number, step, at, value FROM metric_points WHERE series = ? AND number > ?"
                " ORDER BY number LIMIT ?",
                (series[0][0], after, _POINTS_AT_ONCE),
            )
            for _, step, at, value in rows:
                yield MetricPoint(at=at, value=value, step=step)
            more = len(rows) == _POINTS_AT_ONCE
            after = rows[-1][0] if rows else after

    def curve(self, component: Entity, name: str, most: int) -> Curve | None:
        """Return what `contract.experiments.curves` keeps of the values that `points` yields; None: there are none.

        SQL chooses, so that of a long series only what is kept is read into this process.
        """
        rows = self._database.rows(
            f"SELECT id, {_SUMMARY} FROM metric_series WHERE component = ? AND name = ? {_FIRST_CHOICE}",  # noqa: S608
            (component.number, name),
        )
        if not rows:
            return None
        summary = _summary(rows[0][1:])
        wanted = {"series": rows[0][0], "count": summary.count, "stretches": stretch_count(most)}
        is_short = summary.count <= max(most, LEAST)
        found = self._database.rows(f"{_ALL_POINTS} ORDER BY number" if is_short else _EXTREMES, wanted)
        return Curve(
            summary=summary,
            numbers=[number for number, *_ in found],
            points=[MetricPoint(at=at, value=value, step=step) for _, step, at, value in found],
        )

    def forget(self, component: Entity, source_arn: str) -> None:
        """Forget what was put for a source."""
        series = "SELECT id FROM metric_series WHERE component = ? AND source_arn = ?"
        values = (component.number, source_arn)
        with self._database.transaction() as connection:
            connection.execute(f"DELETE FROM metric_points WHERE series IN ({series})", values)  # noqa: S608
            connection.execute("DELETE FROM metric_series WHERE component = ? AND source_arn = ?", values)


def _figures(summary: MetricSummary) -> tuple[Any, ...]:
    one = summary
    return one.count, one.smallest, one.largest, one.mean, one.squares, one.last, one.last_at


def _summary(row: Sequence[Any]) -> MetricSummary:
    name, source_arn, count, smallest, largest, mean, squares, last, last_at = row
    return MetricSummary(
        name=name,
        source_arn=source_arn,
        count=count,
        smallest=smallest,
        largest=largest,
        mean=mean,
        squares=squares,
        last=last,
        last_at=last_at,
    )


_: type[MetricValueStore] = SqliteMetricValueStore
