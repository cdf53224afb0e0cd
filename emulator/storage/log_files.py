"""CloudWatch Logs for `/aws/sagemaker/*`: streams as files, and a catalog of them in the state's database.

`<state-dir>/logs/ACCOUNT/REGION/GROUP/STREAM~ID.log` is the plain text of a stream, one event a line, with the
slashes of its name as %2F. The number makes it unlike any other, also where the disk does not tell case, or a
name is too long for it. The catalog's row comes before the files: a stream without files is empty.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from ..contract import log_groups
from ..contract.arns import Scope
from ..contract.log_pages import LogStream
from ..jobs.ports import LogStore
from .database import Database
from .log_search import Found, Search, SearchPlace, search
from .log_stream import Figures, StreamReader, StreamWriter, data_file, index_file
from .merged_log import LastSearches, MergedLog

LOGS_FOLDER: Final = "logs"
_MOST_OPEN: Final = 64
_LONGEST_NAME_SHOWN: Final = 160
# A name has at most 512 characters, so no name that starts with P comes after P and 512 of these.
_LAST_SUFFIX: Final = "\U0010ffff" * 512

_GROUP: Final = "account = ? AND region = ? AND group_name = ?"
_STREAM_COLUMNS: Final = "id, group_name, name, created, first_event, last_event, last_ingested, bytes"


class LogGroup(NamedTuple):
    """A group; times in epoch milliseconds (of the newest event None if there is none), its size in bytes."""

    name: str
    created: int
    size: int
    streams: int
    last_event: int | None


@dataclass
class _OpenStream:
    """A stream that is being written, and what the catalog knows of it."""

    number: int
    writer: StreamWriter
    settled: Figures | None = None


class LogFiles:
    """All groups below /aws/sagemaker/, of every account and region."""

    def __init__(self, folder: Path, database: Database, now: Callable[[], float]) -> None:
        """Open the store, and make whole what a killed emulator was writing. `now` returns epoch seconds."""
        self._folder = folder
        self._database = database
        self._seconds = now
        self._lock = threading.RLock()
        self._open: OrderedDict[tuple[Scope, str, str], _OpenStream] = OrderedDict()
        self._searches = LastSearches()
        query = "SELECT account, region, group_name, name, id FROM log_streams WHERE open = 1"
        for account, region, group, name, number in database.rows(query):
            writer = StreamWriter(self._base(Scope(account=account, region=region), group, name, number))
            writer.close()
            self._settle([(number, writer.figures)], still_open=False)

    # Writing

    def write(self, scope: Scope, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Append events; the group and stream are made on first use."""
        with self._lock:
            writer = self._writer(scope, group, stream)
            writer.append(sorted(events, key=lambda event: event[0]), self._now())

    def create_group(self, scope: Scope, group: str) -> None:
        """Make a group.

        Raises:
            ServiceError: it exists.
        """
        with self._lock, self._database.transaction() as connection:
            if not _insert_group(connection, scope, group, self._now()):
                raise log_groups.group_exists()

    def create_stream(self, scope: Scope, group: str, stream: str) -> None:
        """Make an empty stream.

        Raises:
            ServiceError: the group does not exist, or the stream does.
        """
        self.require_group(scope, group)
        with self._lock, self._database.transaction() as connection:
            if not _insert_stream(connection, scope, group, stream, self._now()):
                raise log_groups.stream_exists()

    def delete_group(self, scope: Scope, group: str) -> None:
        """Delete a group with its streams.

        Raises:
            ServiceError: it does not exist.
        """
        with self._lock:
            self.require_group(scope, group)
            for stream in self._streams(_GROUP, (scope.account, scope.region, group)):
                self._remove_files(scope, stream)
            with self._database.transaction() as connection:
                values = (scope.account, scope.region, group)
                connection.execute(f"DELETE FROM log_streams WHERE {_GROUP}", values)  # noqa: S608
                connection.execute("DELETE FROM log_groups WHERE account = ? AND region = ? AND name = ?", values)

    def delete_stream(self, scope: Scope, group: str, stream: str) -> None:
        """Delete a stream.

        Raises:
            ServiceError: the group or the stream does not exist.
        """
        with self._lock:
            found = self.stream(scope, group, stream)
            self._remove_files(scope, found)
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM log_streams WHERE id = ?", (found.id,))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM log_streams")
                connection.execute("DELETE FROM log_groups")

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for key in list(self._open):
                self._close(key)

    # Reading

    def require_group(self, scope: Scope, group: str) -> None:
        """Make sure that a group exists.

        Raises:
            ServiceError: it does not.
        """
        query = "SELECT 1 FROM log_groups WHERE account = ? AND region = ? AND name = ?"
        if not self._database.rows(query, (scope.account, scope.region, group)):
            raise log_groups.no_such_group()

    def groups(self, scope: Scope) -> list[LogGroup]:
        """Return the groups of an account and region by name."""
        self._settle_open()
        query = """SELECT own.name, own.created, coalesce(sum(bytes), 0), count(streams.id), max(last_event)
            FROM log_groups AS own LEFT JOIN log_streams AS streams
                ON streams.account = own.account AND streams.region = own.region AND group_name = own.name
            WHERE own.account = ? AND own.region = ? GROUP BY own.name, own.created ORDER BY own.name"""
        return [LogGroup._make(row) for row in self._database.rows(query, (scope.account, scope.region))]

    def stream(self, scope: Scope, group: str, stream: str) -> LogStream:
        """Return one stream.

        Raises:
            ServiceError: the group or the stream does not exist.
        """
        self.require_group(scope, group)
        found = self._streams(f"{_GROUP} AND name = ?", (scope.account, scope.region, group, stream))
        if not found:
            raise log_groups.no_such_stream()
        return found[0]

    def streams_by_name(
        self, scope: Scope, group: str, *, prefix: str, after: str | None, descending: bool, limit: int
    ) -> list[LogStream]:
        """Return the first streams with a prefix that come after a name, in order of their names."""
        condition = f"{_GROUP} AND name BETWEEN ? AND ?"
        values: list[Any] = [scope.account, scope.region, group, prefix, prefix + _LAST_SUFFIX]
        if after is not None:
            condition += f" AND name {'<' if descending else '>'} ?"
            values.append(after)
        order = "DESC" if descending else "ASC"
        return self._streams(f"{condition} ORDER BY name {order} LIMIT ?", [*values, limit])

    def streams_by_last_event(
        self,
        scope: Scope,
        group: str,
        *,
        after: Sequence[Any] | None,
        descending: bool,
        limit: int,
        prefix: str = "",
    ) -> list[LogStream]:
        """Return the first streams after a place, in order of their newest events; empty ones count as time 0."""
        time = "coalesce(last_event, 0)"
        condition, values = _GROUP, [scope.account, scope.region, group]
        if prefix:
            condition += " AND name BETWEEN ? AND ?"
            values += [prefix, prefix + _LAST_SUFFIX]
        if after is not None:
            condition += f" AND ({time}, name) {'<' if descending else '>'} (?, ?)"
        order = "DESC" if descending else "ASC"
        return self._streams(
            f"{condition} ORDER BY {time} {order}, name {order} LIMIT ?", [*values, *(after or ()), limit]
        )

    def _streams_within(
        self, scope: Scope, group: str, start_time: int, end_time: int | None, prefix: str
    ) -> list[LogStream]:
        """Return the streams with a prefix that may have events in a span of time, both ends included."""
        condition = f"{_GROUP} AND name BETWEEN ? AND ? AND last_event >= ? AND first_event <= ?"
        names = (prefix, prefix + _LAST_SUFFIX)
        times = (start_time, 2**63 - 1 if end_time is None else end_time)
        return self._streams(condition, [scope.account, scope.region, group, *names, *times])

    def older_than(self, moment: int) -> list[tuple[Scope, LogStream]]:
        """Return the streams of every account and region to which nothing was added since a time."""
        self._settle_open()
        query = f"""SELECT account, region, {_STREAM_COLUMNS} FROM log_streams
            WHERE max(created, coalesce(last_ingested, 0)) < ? ORDER BY id"""  # noqa: S608
        return [
            (Scope(account=account, region=region), LogStream._make(columns))
            for account, region, *columns in self._database.rows(query, (moment,))
        ]

    def reader(self, scope: Scope, stream: LogStream) -> StreamReader:
        """Open a stream for reading."""
        return StreamReader(self._base(scope, stream.group, stream.name, stream.id))

    def merged(self, scope: Scope, streams: Iterable[LogStream]) -> MergedLog:
        """Open several streams for reading, as one log."""
        return MergedLog(streams, lambda stream: self.reader(scope, stream), self._searches)

    def events(self, scope: Scope, group: str, stream: str) -> Iterator[tuple[int, str]]:
        """Yield what a stream has, in order of time; nothing if there is no such stream."""
        for found in self._streams(f"{_GROUP} AND name = ?", (scope.account, scope.region, group, stream)):
            with self.reader(scope, found) as reader:
                yield from ((event.timestamp, event.message) for event in reader.events(0, len(reader.index)))

    def filter(
        self,
        scope: Scope,
        group: str,
        *,
        names: Sequence[str] | None,
        prefix: str,
        matches: Callable[[str], bool],
        start_time: int,
        end_time: int | None,
        limit: int,
        token: str | None,
    ) -> tuple[list[Found], str | None]:
        """Return matching events of the streams with these names, or with a prefix, and the token that leads on.

        Raises:
            ServiceError: the group or a named stream does not exist, or the token is not one of ours.
        """
        self.require_group(scope, group)
        for name in names or ():
            self.stream(scope, group, name)
        streams = self._streams_within(scope, group, start_time, end_time, prefix)
        wanted = Search(
            matches=matches,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            place=SearchPlace() if token is None else SearchPlace.of_token(token),
        )
        chosen = [stream for stream in streams if names is None or stream.name in names]
        found, rest = search(chosen, lambda stream: self.reader(scope, stream), wanted)
        return found, None if rest is None else rest.token

    def disk_usage(self, scope: Scope, stream: LogStream) -> int:
        """Return the bytes of a stream's files."""
        base = self._base(scope, stream.group, stream.name, stream.id)
        return sum(path.stat().st_size for path in (data_file(base), index_file(base)) if path.exists())

    def _streams(self, condition: str, values: Sequence[Any]) -> list[LogStream]:
        self._settle_open()
        query = f"SELECT {_STREAM_COLUMNS} FROM log_streams WHERE {condition}"  # noqa: S608 - texts of this file
        return [LogStream._make(row) for row in self._database.rows(query, values)]

    # The files that are open

    def _writer(self, scope: Scope, group: str, stream: str) -> StreamWriter:
        key = (scope, group, stream)
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key].writer
        if len(self._open) >= _MOST_OPEN:
            self._close(next(iter(self._open)))
        with self._database.transaction() as connection:
            _insert_group(connection, scope, group, self._now())
            _insert_stream(connection, scope, group, stream, self._now())
            values = (scope.account, scope.region, group, stream)
            connection.execute(f"UPDATE log_streams SET open = 1 WHERE {_GROUP} AND name = ?", values)  # noqa: S608
            select = f"SELECT id FROM log_streams WHERE {_GROUP} AND name = ?"  # noqa: S608
            (number,) = connection.execute(select, values).fetchone()
        writer = StreamWriter(self._base(scope, group, stream, number))
        self._open[key] = _OpenStream(number, writer)
        return writer

    def _close(self, key: tuple[Scope, str, str]) -> None:
        if key in self._open:
            one = self._open.pop(key)
            one.writer.close()
            self._settle([(one.number, one.writer.figures)], still_open=False)

    def _remove_files(self, scope: Scope, stream: LogStream) -> None:
        self._close((scope, stream.group, stream.name))
        base = self._base(scope, stream.group, stream.name, stream.id)
        for path in (index_file(base), data_file(base)):  # the index first: without it nothing is read
            path.unlink(missing_ok=True)
        with suppress(OSError):  # other streams are there
            base.parent.rmdir()

    def _settle_open(self) -> None:
        with self._lock:
            changed = [one for one in self._open.values() if one.settled != one.writer.figures]
            self._settle([(one.number, one.writer.figures) for one in changed], still_open=True)
            for one in changed:
                one.settled = one.writer.figures

    def _settle(self, figures: Sequence[tuple[int, Figures]], *, still_open: bool) -> None:
        """Bring the catalog up to date with what is in the files."""
        if figures:
            with self._database.transaction() as connection:
                connection.executemany(
                    "UPDATE log_streams SET first_event = ?, last_event = ?, last_ingested = ?, bytes = ?, open = ?"
                    " WHERE id = ?",
                    [(*known, int(still_open), number) for number, known in figures],
                )

    def _base(self, scope: Scope, group: str, stream: str, number: int) -> Path:
        folder = self._folder / file_name(scope.account) / file_name(scope.region) / file_name(group)
        return folder / f"{file_name(stream)}~{number}"

    def _now(self) -> int:
        return int(self._seconds() * 1000)


def file_name(name: str) -> str:
    """Return the name of a file for any name: readable, one component of a path that is no `.` or `..`."""
    escaped = quote(name, safe="")[:_LONGEST_NAME_SHOWN]
    return f"%2E{escaped[1:]}" if escaped.startswith(".") else escaped or "~"


def _insert_group(connection: sqlite3.Connection, scope: Scope, group: str, now: int) -> bool:
    statement = "INSERT OR IGNORE INTO log_groups (account, region, name, created) VALUES (?, ?, ?, ?)"
    return connection.execute(statement, (scope.account, scope.region, group, now)).rowcount > 0


def _insert_stream(connection: sqlite3.Connection, scope: Scope, group: str, stream: str, now: int) -> bool:
    statement = "INSERT OR IGNORE INTO log_streams (account, region, group_name, name, created) VALUES (?, ?, ?, ?, ?)"
    return connection.execute(statement, (scope.account, scope.region, group, stream, now)).rowcount > 0


_: type[LogStore] = LogFiles
