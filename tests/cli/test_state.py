"""`clean` and `state`: a state directory whose emulator does not run."""

from __future__ import annotations

import json
import sqlite3
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.cli import commands
from emulator.contract import life
from emulator.contract.kinds import PROCESSING, TRAINING, JobKind
from emulator.contract.outcome import Ended, settle
from emulator.errors import UsageError
from emulator.storage.database import FILE_NAME, SCHEMA_VERSION, Database
from emulator.storage.job_records import SqliteJobStore
from emulator.storage.log_files import LogFiles
from emulator.storage.objects.model import Versioning
from emulator.storage.objects.store import DiskObjectStore
from emulator.storage.state_dir import StateDirectory
from tests.builders import SCOPE, job_record, processing_record

GROUP = "/aws/sagemaker/TrainingJobs"
RECORDS = {TRAINING: job_record, PROCESSING: processing_record}
NOW = time.time()
HOUR = 3600.0
DAY = 24 * HOUR


class State:
    """A state directory that an emulator made and left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        StateDirectory(folder).close()

    def job(self, name: str, *, ended: float | None, log: str = "a line", kind: JobKind = TRAINING) -> None:
        """Add a job that ended so many seconds ago, or has not, and its log of then."""
        at = NOW - (ended or 0)
        facts = life.created(kind, at)
        if ended is not None:
            facts = life.ended(kind, facts, settle(Ended.BY_ITSELF, (), ""), at)
        self._with(at, lambda jobs, _: jobs.create(RECORDS[kind](name, facts=facts)))
        self.log(f"{name}/algo-1-1", ago=ended or 0, text=log, group=kind.log_group)

    def log(self, stream: str, *, ago: float, text: str = "a line", group: str = GROUP) -> None:
        at = NOW - ago
        self._with(at, lambda _, logs: logs.write(SCOPE, group, stream, [(int(at * 1000), text)]))

    def names(self, kind: JobKind = TRAINING) -> tuple[list[str], list[str]]:
        """Return the jobs of a kind, and the streams of their group."""
        found: list[tuple[list[str], list[str]]] = []

        def look(jobs: SqliteJobStore, logs: LogFiles) -> None:
            records = [one for one in (*jobs.unfinished(), *jobs.ended_before(NOW * 2)) if one.kind is kind]
            streams = logs.streams_by_name(SCOPE, kind.log_group, prefix="", after=None, descending=False, limit=50)
            found.append((sorted(record.name for record in records), [stream.name for stream in streams]))

        self._with(NOW, look)
        return found[0]

    def _with(self, now: float, do: Callable[[SqliteJobStore, LogFiles], object]) -> None:
        database = Database(self.folder / FILE_NAME)
        logs = LogFiles(self.folder / "logs", database, lambda: now)
        do(SqliteJobStore(database), logs)
        logs.close()
        database.close()

    def run(self, *arguments: str) -> str:
        done = CliRunner().invoke(commands, [*arguments, "--state-dir", str(self.folder)], catch_exceptions=True)
        if isinstance(done.exception, Exception):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output


def at(folder: Path) -> State:
    """Return a directory as it is."""
    state = State.__new__(State)
    state.folder = folder
    return state


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_cleaning_lists_first_and_takes_only_what_is_old(state: State) -> None:
    state.job("Old", ended=40 * DAY)
    state.job("new", ended=HOUR)
    state.job("running", ended=None)
    state.log("new/algo-1-0", ago=50 * DAY)  # an old part of the log of a job that stays
    state.log("deleted/algo-1-1", ago=50 * DAY)
    state.log("mine", ago=50 * DAY, group="/aws/sagemaker/studio")
    leftover = state.folder / "work/3-job/algo-1"
    leftover.mkdir(parents=True)
    (leftover / "data").write_bytes(b"x" * 5000)
    before = state.names()
    listed = state.run("clean")
    assert state.names() == before
    lines = [line.split() for line in listed.splitlines()]
    assert [(line[0], line[-1].rpartition("/aws")[-1]) for line in lines[:-1]] == [
        ("job", "arn:aws:sagemaker:us-east-1:123456789012:training-job/old"),
        ("log", "/sagemaker/TrainingJobs:Old/algo-1-1"),
        ("log", "/sagemaker/TrainingJobs:deleted/algo-1-1"),
        ("log", "/sagemaker/studio:mine"),
        ("leftover", "work/3-job"),
    ]
    assert "4.9 KiB" in listed
    assert "would be removed" in listed
    assert "Removed 5 things" in state.run("clean", "--yes")
    assert state.names() == (["new", "running"], ["new/algo-1-0", "new/algo-1-1", "running/algo-1-1"])
    assert not list((state.folder / "work").iterdir())
    assert "0 things" in state.run("clean")
    assert "Removed 3 things" in state.run("clean", "--older-than", "0s", "--yes")
    assert state.names()[0] == ["running"]


def test_a_log_goes_with_the_job_of_its_own_kind(state: State) -> None:
    state.job("Same", ended=40 * DAY)
    state.job("Same", ended=HOUR, kind=PROCESSING)
    state.log("Same/algo-1-0", ago=50 * DAY, group=PROCESSING.log_group)
    state.job("old", ended=40 * DAY, kind=PROCESSING)
    state.job("waiting", ended=None, kind=PROCESSING)
    state.log("deleted/algo-1-1", ago=50 * DAY, group=PROCESSING.log_group)
    listed = [line.split() for line in state.run("clean", "--yes").splitlines()]
    assert sorted((line[0], line[-1]) for line in listed[:-1]) == [
        ("job", "arn:aws:sagemaker:us-east-1:123456789012:processing-job/old"),
        ("job", "arn:aws:sagemaker:us-east-1:123456789012:training-job/same"),
        ("log", "/aws/sagemaker/ProcessingJobs:deleted/algo-1-1"),
        ("log", "/aws/sagemaker/ProcessingJobs:old/algo-1-1"),
        ("log", "/aws/sagemaker/TrainingJobs:Same/algo-1-1"),
    ]
    assert state.names() == ([], [])
    assert state.names(PROCESSING) == (
        ["Same", "waiting"],
        ["Same/algo-1-0", "Same/algo-1-1", "waiting/algo-1-1"],
    )


def test_a_state_in_use_or_no_state_at_all_is_refused_and_left_alone(state: State, tmp_path: Path) -> None:
    state.job("old", ended=40 * DAY)
    held = StateDirectory(state.folder)
    for command in (["clean", "--yes"], ["state", "save", str(tmp_path / "saved.tar")]):
        with pytest.raises(UsageError, match="Another emulator uses"):
            state.run(*command)
    held.close()
    assert state.names()[0] == ["old"]
    project = tmp_path / "project"
    (project / "work").mkdir(parents=True)
    (project / "work/precious").touch()
    for command in (["clean", "--yes"], ["state", "save", str(tmp_path / "saved.tar")]):
        with pytest.raises(UsageError, match="not a state directory"):
            at(project).run(*command)
    assert list(content(project)) == ["work/precious"]


@pytest.mark.parametrize("age", ["30", "d", "-1d", "1y", "1.5h"])
def test_what_is_no_span_of_time(state: State, age: str) -> None:
    done = CliRunner().invoke(commands, ["clean", "--state-dir", str(state.folder), f"--older-than={age}"])
    assert done.exit_code == 2
    assert "no span of time" in done.output


def test_sizes(state: State) -> None:
    state.job("job", ended=1.0, log="x" * 3 * 1024**2)
    printed = state.run("state", "size")
    assert "3.0 MiB  logs" in printed
    assert FILE_NAME in printed
    assert printed.count("\n") == len([*state.folder.iterdir()]) + 1


def test_sizes_of_objects_by_bucket_while_the_store_is_open(state: State) -> None:
    store = DiskObjectStore(state.folder / "objects")
    for bucket in ("empty", "full"):
        store.create_bucket(bucket)
    for body in (b"x" * 2048, b"x" * 1024):
        store.put("full", "key", [body], attributes={}, versioning=Versioning.ENABLED)
    store.delete("full", "key", versioning=Versioning.ENABLED)
    store.put_part(store.create_upload("full", "parts", {}), 1, [b"x" * 4096])
    lines = [" ".join(line.split()) for line in state.run("state", "size").splitlines()]
    assert lines[-2:] == [
        "0 B s3://empty (objects: 0)",
        "7.0 KiB s3://full (objects: 2, uploads in progress: 1)",
    ]
    store.close()


def test_a_newer_object_store_is_refused_and_nothing_is_removed(state: State) -> None:
    state.job("old", ended=40 * 24 * HOUR)
    DiskObjectStore(state.folder / "objects").close()
    with closing(sqlite3.connect(state.folder / "objects/index.sqlite")) as connection, connection:
        connection.execute("UPDATE schema_version SET version = 99")
    for command in (["clean", "--yes"], ["state", "size"]):
        with pytest.raises(UsageError, match="schema version 99"):
            state.run(*command)
    assert state.names()[0] == ["old"]


def listed(printed: str) -> set[tuple[str, str]]:
    """Return kind and name of what `clean` found."""
    words = [line.split() for line in printed.splitlines()[:-1]]
    return {(line[0], line[-1]) for line in words}


def test_cleaning_takes_old_uploads_and_what_was_half_written(state: State) -> None:
    store = DiskObjectStore(state.folder / "objects")
    store.create_bucket("b")
    upload = store.create_upload("b", "some/parts", {})
    store.put_part(upload, 1, [b"x" * 3000])
    store.put("b", "kept", [b"kept"], attributes={})
    store.close()
    state.job("running", ended=None)
    leftovers = [
        state.folder / name
        for name in ("objects/tmp/half", "buckets/b.new", "logs/123456789012/us-east-1/group/stream~1.tmp")
    ]
    stray = state.folder / "objects/segments/00/00000000000000000000000000000000"
    for path in (*leftovers, stray):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    expected = {("leftover", str(path.relative_to(state.folder))) for path in leftovers}
    assert listed(state.run("clean")) == expected
    assert listed(state.run("clean", "--older-than", "0s")) == expected | {("upload", "s3://b/some/parts")}
    state.run("clean", "--older-than", "0s", "--yes")
    assert not any(path.exists() for path in (*leftovers, stray))
    store = DiskObjectStore(state.folder / "objects")
    assert store.list_uploads("b") == []
    assert store.sizes("b") == [("kept", 4)]
    assert not any(path.is_file() for path in (state.folder / "objects/segments").rglob("*"))  # it is in the index
    store.close()


@pytest.mark.parametrize("name", ["saved.tar", "saved.tar.gz", "saved.tgz"])
def test_a_saved_state_loads_elsewhere_with_everything(state: State, tmp_path: Path, name: str) -> None:
    state.job("job", ended=1.0)
    (state.folder / "objects/empty").mkdir(parents=True)
    (state.folder / "objects/segment").write_bytes(b"\0" * 100_000)
    (state.folder / "work/leftover").mkdir(parents=True)
    file = tmp_path / name
    assert str(file) in state.run("state", "save", str(file))
    with tarfile.open(file, "r:gz" if name.endswith("gz") else "r:") as tar:
        assert not any(member.name.startswith(("work", "lock")) for member in tar)
    with pytest.raises(UsageError, match="exists"):
        state.run("state", "save", str(file))
    other = at(tmp_path / "elsewhere/new")
    other.run("state", "load", str(file))
    expected = {one: data for one, data in content(state.folder).items() if one not in ("lock", "identity")}
    assert content(other.folder) == expected
    assert (other.folder / "objects/empty").is_dir()
    assert other.names() == state.names()
    with pytest.raises(UsageError, match="not empty"):
        other.run("state", "load", str(file))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["elsewhere", name, "state"])


def test_a_state_of_an_emulator_that_was_killed_is_saved_with_what_it_wrote_last(state: State, tmp_path: Path) -> None:
    state.job("job", ended=1.0)
    held = closing(sqlite3.connect(state.folder / FILE_NAME))
    with held as connection:  # what a killed process leaves: a write-ahead log that is not yet in the database
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE jobs SET name = 'Job'")
        connection.commit()
        assert (state.folder / f"{FILE_NAME}-wal").stat().st_size > 0
        state.run("state", "save", str(tmp_path / "saved.tar"))
    other = at(tmp_path / "new")
    other.run("state", "load", str(tmp_path / "saved.tar"))
    assert other.names()[0] == ["Job"]


def hostile(*members: tuple[str, bytes | None], **versions: int) -> bytes:
    """Return a tar that looks like a saved state."""
    manifest = {"written_by": "sagemaker-emulator 9.9", "schema_version": SCHEMA_VERSION, **versions}
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, data in (("sagemaker-emulator-state.json", json.dumps(manifest).encode()), *members):
            member = tarfile.TarInfo(name)
            if data is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc"
            else:
                member.size = len(data)
            tar.addfile(member, BytesIO(data or b""))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (b"no tar", "cannot be loaded"),
        (b"", "cannot be loaded"),
        (hostile()[:1000], "cannot be loaded|not written"),
        (hostile(("../escape", b"x")), "no state has"),
        (hostile(("/tmp/escape", b"x")), "no state has"),
        (hostile(("logs", None), ("logs/escape", b"x")), "no state has"),
        (hostile().replace(b'"schema_version"', b'"schema_VERSION"'), "not written"),
        (hostile().replace(b"{", b"["), "not written"),
        (hostile((FILE_NAME, b"no database" * 100)), "cannot be used as a database"),
        (hostile(("objects/index.sqlite", b"no database" * 100)), "cannot be used as a database"),
        (hostile(schema_version=SCHEMA_VERSION + 1), r"state\.sqlite has schema version .* newer program"),
        (hostile(object_store_version=99), r"objects/index\.sqlite has schema version 99; .* newer program"),
        (hostile(("a", b"x"), ("a", b"x")), "cannot be loaded"),
    ],
)
def test_what_is_no_saved_state_is_refused_and_leaves_nothing(tmp_path: Path, saved: bytes, message: str) -> None:
    file = tmp_path / "saved.tar"
    file.write_bytes(saved)
    other = at(tmp_path / "new")
    with pytest.raises(UsageError, match=message):
        other.run("state", "load", str(file))
    assert list(tmp_path.iterdir()) == [file]
