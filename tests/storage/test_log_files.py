"""Logs on disk: what was written is there, once and in order, whatever happens."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.contract.arns import Scope
from emulator.contract.log_pages import EventQuery, IndexEntry, LogStream, Place, page_of, read_token
from emulator.errors import ServiceError
from emulator.storage.database import FILE_NAME, Database
from emulator.storage.log_files import LogFiles, file_name
from emulator.storage.log_stream import StreamReader, StreamWriter, data_file, index_file
from tests.builders import SCOPE
from tests.cpu_time import quickest
from tests.storage.object_stores import open_below

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "Job-A/algo-1-1692170805"
TEXTS = st.text(st.characters(codec=None), max_size=20)
EVENTS = st.lists(st.tuples(st.integers(0, 8), TEXTS), max_size=6).map(lambda batch: sorted(batch, key=lambda e: e[0]))


class Logs(LogFiles):
    """A store in a folder, which a test can close and open again."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / FILE_NAME)
        super().__init__(folder / "logs", self.database, time.time)

    def shut(self) -> None:
        self.close()
        self.database.close()

    def messages(self, stream: str = STREAM, scope: Scope = SCOPE, group: str = GROUP) -> list[str]:
        with self.reader(scope, self.stream(scope, group, stream)) as reader:
            return [event.message for event in reader.events(0, len(reader.index))]

    def names(self, **changes: object) -> list[str]:
        arguments = {"prefix": "", "after": None, "descending": False, "limit": 50, **changes}
        return [stream.name for stream in self.streams_by_name(SCOPE, GROUP, **arguments)]  # type: ignore[arg-type]

    def found(self, term: str = "", **changes: object) -> tuple[list[tuple[str, str]], str | None]:
        arguments = {
            "names": None,
            "prefix": "",
            "matches": lambda line: term in line,
            "start_time": 0,
            "end_time": None,
            "limit": 10_000,
            "token": None,
            **changes,
        }
        found, token = self.filter(SCOPE, GROUP, **arguments)  # type: ignore[arg-type]
        return [(one.stream.name, one.event.message) for one in found], token


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    opened = Logs(tmp_path)
    yield opened
    opened.shut()


def in_order(events: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return events as readers see them: by time, then as they were written."""
    return sorted(events, key=lambda event: event[0])


# One stream


@settings(max_examples=100, deadline=None)
@given(st.lists(EVENTS, max_size=5), st.data())
def test_whatever_was_written_is_read_once_and_in_order(
    batches: list[list[tuple[int, str]]], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        base, written = Path(folder) / "stream", list[tuple[int, str]]()
        for batch in batches:  # each time by a writer of its own, as after restarts
            writer = StreamWriter(base)
            writer.append(batch, 5)
            writer.close()
            written += batch
        expected = in_order(written)
        start, end = data.draw(st.integers(0, 9)), data.draw(st.none() | st.integers(0, 9))
        wanted = [one for one in expected if one[0] >= start and (end is None or one[0] < end)]
        for forward in (True, False):
            assert pages(base, start, end, forward, data) == wanted


def pages(base: Path, start: int, end: int | None, forward: bool, data: st.DataObject) -> list[tuple[int, str]]:
    """Follow the tokens in one direction until the token does not change."""
    read: list[tuple[int, str]] = []
    token: str | None = None
    while True:
        place = None if token is None else read_token(token)[1]
        limit = data.draw(st.integers(1, 4))
        query = EventQuery(start_time=start, end_time=end, limit=limit, forward=forward, place=place)
        with StreamReader(base) as reader:
            page, events = reader.page(query)
        assert len(events) <= limit
        part = [(event.timestamp, event.message) for event in events]
        read = [*read, *part] if forward else [*part, *read]
        following = page.forward_token if forward else page.backward_token
        assert bool(events) == (following != token) or token is None
        if not events:
            return read
        token = following


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.lists(TEXTS, max_size=4)), max_size=6), st.integers(1, 3))
def test_a_reader_that_follows_the_stream_gets_each_event_once(growth: list[tuple[int, list[str]]], limit: int) -> None:
    """As V2 and V3 of the SDK do: they keep the forward token while the job writes."""
    with TemporaryDirectory() as folder:
        base, now = Path(folder) / "stream", 0
        written, read = list[str](), list[str]()
        place: Place | None = None
        for later, messages in [*growth, (0, []), (0, [])]:
            now += later
            writer = StreamWriter(base)
            writer.append([(now, message) for message in messages], now)
            writer.close()
            written += messages
            while True:
                with StreamReader(base) as reader:
                    page, events = reader.page(EventQuery(forward=True, place=place, limit=limit))
                place = page.after
                read += [event.message for event in events]
                if not events:
                    break
        assert read == written


def test_a_page_has_at_most_ten_thousand_events_and_a_mebibyte() -> None:
    small = [IndexEntry(1, 1, number * 10, 9) for number in range(20_001)]
    assert [len(page_of(small, EventQuery(forward=forward)).entries) for forward in (True, False)] == [10_000, 10_000]
    large = [IndexEntry(1, 1, number * 300_001, 300_000) for number in range(7)]
    assert [one.offset for one in page_of(large, EventQuery(forward=True)).entries] == [0, 300_001, 600_002]
    assert [one.offset for one in page_of(large, EventQuery()).entries] == [1_200_004, 1_500_005, 1_800_006]
    huge = [IndexEntry(1, 1, 0, 2 * 1024**2)]
    assert len(page_of(huge, EventQuery(forward=True)).entries) == 1


@pytest.mark.parametrize("token", ["", "x", "f/", "f/1", "f/" + "0" * 55, "g/" + "0" * 56, "f/" + "٣" * 56])
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(ServiceError, match="InvalidParameterException: The specified nextToken is invalid"):
        read_token(token)


def whole(base: Path) -> list[str]:
    with StreamReader(base) as reader:
        return [event.message for event in reader.events(0, len(reader.index))]


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=4), st.integers(0, 200), st.integers(0, 60))
def test_a_stream_that_was_cut_off_anywhere_in_its_last_batch_is_whole(
    batches: list[list[tuple[int, str]]], lost_data: int, lost_index: int
) -> None:
    """The message is written before its record: what a kill leaves is data without a record, or half a record."""
    *earlier, last = batches
    with TemporaryDirectory() as folder:
        base = Path(folder) / "stream"
        writer = StreamWriter(base)
        for batch in earlier:
            writer.append(batch, 5)
        acknowledged = in_order([event for batch in earlier for event in batch])
        data, index = data_file(base).stat().st_size, index_file(base).stat().st_size
        if not earlier or not last or last[0][0] < max((event[0] for event in acknowledged), default=0):
            last = [(9, message) for _, message in last]  # later than all: appended, not brought to its place
        writer.append(last, 5)
        writer.close()
        _cut(index_file(base), index, lost_index)
        if index_file(base).stat().st_size == index:  # no record of the batch: any part of its data may be missing
            _cut(data_file(base), data, lost_data)
        before = whole(base)
        StreamWriter(base).close()
        assert whole(base) == before
        assert before == [message for _, message in [*acknowledged, *last]][: len(before)]
        assert len(before) >= len(acknowledged)
        again = StreamWriter(base)
        again.append([(10, "after")], 5)
        again.close()
        assert whole(base) == [*before, "after"]
        size = sum(len(message.encode(errors="surrogatepass")) + 1 for message in [*before, "after"])
        assert data_file(base).stat().st_size == size


def _cut(path: Path, least: int, lost: int) -> None:
    os.truncate(path, max(least, path.stat().st_size - lost))


def test_a_full_disk_leaves_the_stream_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "stream"
    writer = StreamWriter(base)
    writer.append([(1, "one")], 5)
    real, room = os.write, [5]

    def write(file: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(file, data[: room[0]])
        room[0] -= written
        return written

    for free in (0, 3, 10, 40):
        room[0] = free
        with monkeypatch.context() as patch:
            patch.setattr("emulator.storage.log_stream.os.write", write)
            with pytest.raises(OSError, match="No space"):
                writer.append([(2, "lost, as the disk"), (3, "is full")], 5)
    writer.append([(4, "two")], 5)
    writer.close()
    assert whole(base) == ["one", "two"]
    assert data_file(base).read_bytes() == b"one\ntwo\n"


# The store


def test_streams_are_plain_text_below_the_state_directory(tmp_path: Path, logs: Logs) -> None:
    logs.write(SCOPE, GROUP, STREAM, [(1, "one"), (2, "zwölf")])
    (file,) = tmp_path.glob("logs/123456789012/us-east-1/%2Faws%2Fsagemaker%2FTrainingJobs/*.log")
    assert file.name == "Job-A%2Falgo-1-1692170805~1.log"
    assert file.read_text(encoding="utf-8") == "one\nzwölf\n"


@given(st.text(st.characters(codec="utf-8"), max_size=512) | st.sampled_from(["..", ".", "../x", "a/../../b", "\0"]))
def test_no_name_leaves_its_folder(name: str) -> None:
    escaped = file_name(name)
    assert (Path("/state") / escaped).resolve() == Path("/state") / escaped
    assert len(escaped) <= 200
    assert escaped not in ("", ".", "..")


@pytest.mark.parametrize("name", ["..", "../../../../escape", "a" * 512, "ä" * 512, "A" * 511 + "b", "A" * 511 + "B"])
def test_hostile_and_long_names_are_streams_like_others(tmp_path: Path, logs: Logs, name: str) -> None:
    before = set(tmp_path.parent.iterdir())
    hostile = Scope(account="..", region="..")
    for scope in (SCOPE, hostile):
        logs.write(scope, f"/aws/sagemaker/{'g' * 400}", name, [(1, name)])
        assert logs.messages(name, scope, f"/aws/sagemaker/{'g' * 400}") == [name]
    assert set(tmp_path.parent.iterdir()) == before


def test_all_is_there_after_a_restart_in_order_or_not(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    logs.write(SCOPE, GROUP, STREAM, [(5, "b"), (5, "c")])
    logs.write(SCOPE, GROUP, STREAM, [(3, "a"), (5, "d")])
    logs.write(SCOPE, GROUP, "other", [(1, "x")])
    before = (logs.groups(SCOPE), logs.stream(SCOPE, GROUP, STREAM), logs.names())
    logs.shut()
    logs = Logs(tmp_path)
    assert (logs.groups(SCOPE), logs.stream(SCOPE, GROUP, STREAM), logs.names()) == before
    assert logs.messages() == ["a", "b", "c", "d"]
    logs.write(SCOPE, GROUP, STREAM, [(6, "e")])
    assert logs.messages() == ["a", "b", "c", "d", "e"]
    found = logs.stream(SCOPE, GROUP, STREAM)
    assert (found.first_event, found.last_event, found.size) == (3, 6, 10)
    logs.shut()


def test_more_streams_than_may_be_open_at_once(tmp_path: Path, logs: Logs) -> None:
    names = [f"job-{number:03}/algo-1" for number in range(150)]
    for _ in range(2):
        for number, name in enumerate(names):
            logs.write(SCOPE, GROUP, name, [(number, name)])
    assert all(logs.messages(name) == [name, name] for name in names)
    assert logs.found("job-149") == ([(names[-1], names[-1])] * 2, None)
    assert open_below(tmp_path) < 150


def test_streams_are_listed_by_name_prefix_and_page(logs: Logs) -> None:
    for name in ("b", "a/2", "a/1", "a", "a/10", "a\U0010ffff"):
        logs.write(SCOPE, GROUP, name, [(1, "x")])
    assert logs.names() == ["a", "a/1", "a/10", "a/2", "a\U0010ffff", "b"]
    assert logs.names(prefix="a/") == ["a/1", "a/10", "a/2"]
    assert logs.names(prefix="a/", after="a/1", limit=1) == ["a/10"]
    assert logs.names(after="a/10", descending=True) == ["a/1", "a"]


def test_streams_are_listed_by_their_newest_event(logs: Logs) -> None:
    for name, at in (("new", 9), ("old", 1), ("same", 9)):
        logs.write(SCOPE, GROUP, name, [(at, "x")])
    logs.create_stream(SCOPE, GROUP, "empty")

    def names(after: tuple[int, str] | None, descending: bool) -> list[str]:
        found = logs.streams_by_last_event(SCOPE, GROUP, after=after, descending=descending, limit=3)
        return [stream.name for stream in found]

    assert names(None, False) == ["empty", "old", "new"]
    assert names((9, "new"), False) == ["same"]
    assert names(None, True) == ["same", "new", "old"]


def test_what_is_not_there_is_not_found_and_what_is_there_is_not_made_twice(logs: Logs) -> None:
    missing: list[Callable[[], object]] = [
        lambda: logs.stream(SCOPE, GROUP, STREAM),
        lambda: logs.create_stream(SCOPE, GROUP, STREAM),
        lambda: logs.delete_group(SCOPE, GROUP),
        lambda: logs.delete_stream(SCOPE, GROUP, STREAM),
    ]
    for call in missing:
        with pytest.raises(ServiceError, match="ResourceNotFoundException: The specified log group"):
            call()
    logs.create_group(SCOPE, GROUP)
    with pytest.raises(ServiceError, match="ResourceNotFoundException: The specified log stream"):
        logs.stream(SCOPE, GROUP, STREAM)
    with pytest.raises(ServiceError, match="ResourceAlreadyExistsException: The specified log group"):
        logs.create_group(SCOPE, GROUP)
    logs.create_stream(SCOPE, GROUP, STREAM)
    with pytest.raises(ServiceError, match="ResourceAlreadyExistsException: The specified log stream"):
        logs.create_stream(SCOPE, GROUP, STREAM)
    assert logs.messages() == []


def test_a_deleted_stream_leaves_no_files_and_its_name_begins_anew(tmp_path: Path, logs: Logs) -> None:
    logs.write(SCOPE, GROUP, STREAM, [(1, "old")])
    logs.delete_stream(SCOPE, GROUP, STREAM)
    logs.write(SCOPE, GROUP, STREAM, [(1, "new")])
    assert logs.messages() == ["new"]
    logs.delete_group(SCOPE, GROUP)
    assert logs.groups(SCOPE) == []
    assert not [path for path in (tmp_path / "logs").rglob("*") if path.is_file()]
    logs.write(SCOPE, GROUP, STREAM, [(1, "newer")])
    logs.clear()
    assert logs.groups(SCOPE) == []
    assert not (tmp_path / "logs").exists()


# FilterLogEvents


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), EVENTS), max_size=5),
    st.integers(0, 8),
    st.none() | st.integers(0, 8),
    st.integers(1, 4),
    st.integers(2, 5),
)
def test_a_search_finds_each_matching_event_once_in_order(
    writes: list[tuple[str, list[tuple[int, str]]]], start: int, end: int | None, limit: int, most: int
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("emulator.storage.log_search.MOST_LOOKED_AT", most)
        logs, numbers, written = Logs(Path(folder)), dict[str, int](), list[tuple[int, int, int, str]]()
        for stream, batch in writes:
            logs.write(SCOPE, GROUP, stream, batch)
            number = numbers.setdefault(stream, len(numbers))
            written += [(at, number, len(written) + one, text) for one, (at, text) in enumerate(batch)]
        names = {number: name for name, number in numbers.items()}
        expected = [
            (names[number], text)
            for at, number, _, text in sorted(written)
            if at >= start and (end is None or at <= end) and "a" not in text
        ]
        read: list[tuple[str, str]] = []
        token = None
        for _ in range(len(written) + 2):
            if not writes:
                break
            found, token = logs.found(
                matches=lambda line: "a" not in line, start_time=start, end_time=end, limit=limit, token=token
            )
            read += found
            if token is None:
                break
        assert token is None
        assert read == expected
        logs.shut()


def test_a_search_in_named_streams_or_a_prefix(logs: Logs) -> None:
    for name in ("a/1", "a/2", "b/1"):
        logs.write(SCOPE, GROUP, name, [(1, name)])
    assert logs.found(prefix="a/")[0] == [("a/1", "a/1"), ("a/2", "a/2")]
    assert logs.found(names=["b/1", "a/2"])[0] == [("a/2", "a/2"), ("b/1", "b/1")]
    with pytest.raises(ServiceError, match="log stream does not exist"):
        logs.found(names=["a/1", "c"])
    with pytest.raises(ServiceError, match="nextToken"):
        logs.found(token="x")


def test_many_may_write_and_read_at_the_same_time(logs: Logs) -> None:
    done = threading.Event()
    problems: list[str] = []

    def read() -> None:
        while not done.is_set():
            for stream in logs.names():
                messages = logs.messages(stream)
                if messages != [f"{stream} {number}" for number in range(len(messages))]:
                    problems.append(stream)

    def write(stream: str) -> None:
        for number in range(300):
            logs.write(SCOPE, GROUP, stream, [(number, f"{stream} {number}")])

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(f"host-{number}",)) for number in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert problems == []
    assert all(len(logs.messages(f"host-{number}")) == 300 for number in range(4))


def test_a_million_lines_are_read_by_page_at_once(tmp_path: Path, logs: Logs) -> None:
    for thousand in range(1000):
        batch = [
            (10**12 + thousand * 1000 + number, f"line {thousand * 1000 + number} of a long log: loss=0.123456789")
            for number in range(1000)
        ]
        logs.write(SCOPE, GROUP, STREAM, batch)
    assert quickest(lambda: Logs(tmp_path).shut()) < 0.5
    again = Logs(tmp_path)
    stream = again.stream(SCOPE, GROUP, STREAM)
    queries = [
        EventQuery(limit=100),
        EventQuery(limit=100, start_time=10**12 + 500_000, forward=True),
        EventQuery(limit=100, end_time=10**12 + 900_000),
    ]
    for query in queries:
        assert quickest(partial(page, again, stream, query)) < 0.02
    assert quickest(partial(page, again, stream, EventQuery(forward=True))) < 0.2
    with again.reader(SCOPE, stream) as reader:
        _, events = reader.page(queries[1])
    assert events[0].message.startswith("line 500000 ")
    again.shut()


def page(logs: Logs, stream: LogStream, query: EventQuery) -> None:
    with logs.reader(SCOPE, stream) as reader:
        reader.page(query)
