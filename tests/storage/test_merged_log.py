"""Streams of a group, as the dashboard asks for them: counted, by prefix, and as one log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from operator import is_
from pathlib import Path

import pytest

from emulator.contract import log_merge
from emulator.storage.database import FILE_NAME, Database
from emulator.storage.log_files import LogFiles, LogGroup
from emulator.storage.merged_log import MergedLog
from tests.builders import SCOPE

GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[LogFiles]:
    database = Database(tmp_path / FILE_NAME)
    opened = LogFiles(tmp_path / "logs", database, time.time)
    yield opened
    opened.close()
    database.close()


def merged(logs: LogFiles, prefix: str = "") -> MergedLog:
    found = logs.streams_by_name(SCOPE, GROUP, prefix=prefix, after=None, descending=False, limit=50)
    return logs.merged(SCOPE, found)


def whole(log: MergedLog) -> list[str]:
    return [line.event.message for line in log.lines({}, log_merge.ends(log.indexes))]


def test_groups_tell_how_many_streams_they_have_and_how_new_they_are(logs: LogFiles) -> None:
    logs.create_group(SCOPE, f"{GROUP}2")
    logs.write(SCOPE, GROUP, "a", [(5, "one")])
    logs.write(SCOPE, GROUP, "b", [(9, "two"), (7, "three")])
    logs.create_stream(SCOPE, GROUP, "c")
    full, empty = logs.groups(SCOPE)
    assert full == LogGroup(GROUP, full.created, 14, 3, 9)
    assert empty == LogGroup(f"{GROUP}2", empty.created, 0, 0, None)


def test_streams_of_a_prefix_are_listed_by_their_newest_event(logs: LogFiles) -> None:
    for name, moment in (("job/1", 1), ("job/2", 3), ("other/1", 2), ("job", 9)):
        logs.write(SCOPE, GROUP, name, [(moment, "text")])
    for after, expected in ((None, ["job/2", "job/1"]), ((3, "job/2"), ["job/1"])):
        found = logs.streams_by_last_event(SCOPE, GROUP, after=after, descending=True, limit=9, prefix="job/")
        assert [one.name for one in found] == expected


def test_streams_are_one_log(logs: LogFiles) -> None:
    logs.write(SCOPE, GROUP, "a", [(1, "first"), (3, "third")])
    logs.write(SCOPE, GROUP, "b", [(2, "second"), (3, "fourth")])
    logs.create_stream(SCOPE, GROUP, "c")
    with merged(logs) as log:
        assert whole(log) == ["first", "second", "third", "fourth"]
        logs.write(SCOPE, GROUP, "a", [(4, "later")])
        assert whole(log) == ["first", "second", "third", "fourth"]
    with merged(logs, "a") as log:
        assert whole(log) == ["first", "third", "later"]


def test_a_search_finds_what_came_since_the_last_one(logs: LogFiles) -> None:
    logs.write(SCOPE, GROUP, "a", [(5, "an Error"), (6, "none")])

    def found(text: str = "error") -> list[str]:
        with merged(logs) as log:
            return [
                line.event.message
                for stream, index in log.matching(text).items()
                for number in index.numbers
                for line in log.lines({stream: number}, {stream: number + 1})
            ]

    assert found() == found() == ["an Error"]
    logs.write(SCOPE, GROUP, "a", [(1, "older ERROR")])
    assert found() == ["older ERROR", "an Error"]
    logs.delete_stream(SCOPE, GROUP, "a")
    logs.write(SCOPE, GROUP, "a", [(1, "one"), (2, "two"), (3, "an error anew")])
    assert found() == ["an error anew"]
    for number in range(100):
        assert found(f"nothing {number}") == []
    assert found() == ["an error anew"]


def test_what_was_found_in_the_streams_of_one_view_is_kept(logs: LogFiles) -> None:
    for number in range(40):
        logs.write(SCOPE, GROUP, f"job/algo-{number}-1", [(number, "an error")])

    def found(text: str) -> list[Sequence[int]]:
        with merged(logs, "job/") as log:
            return [index.numbers for index in log.matching(text).values()]

    first = found("error")
    assert len(first) == 40
    for number in range(20):  # the first search is asked for between others, so it is never the oldest one
        found(f"nothing {number}")
        assert all(map(is_, found("error"), first))
