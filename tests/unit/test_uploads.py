"""What goes from containers to S3: processing.md 7.2, training.md 4.4."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.arns import S3Uri
from emulator.contract.outcome import ArtifactUploadError
from emulator.contract.uploads import EntryType, FileState, HostMerge, due, due_at_end, object_of

# Outputs


@pytest.mark.parametrize(
    ("uri", "path", "found"),
    [
        ("s3://b/out/train", "part-0.csv", "s3://b/out/train/part-0.csv"),
        ("s3://b/out/train/", "a/b/c.csv", "s3://b/out/train/a/b/c.csv"),
        ("s3://b", "x", "s3://b/x"),
        ("s3://b/", "ü x", "s3://b/ü x"),
    ],
)
def test_a_file_goes_behind_the_address_of_its_output(uri: str, path: str, found: str) -> None:
    assert str(object_of(S3Uri.parse(uri), path, EntryType.FILE)) == found


@pytest.mark.parametrize("entry_type", [one for one in EntryType if one is not EntryType.FILE])
def test_only_files_become_objects(entry_type: EntryType) -> None:
    assert object_of(S3Uri.parse("s3://b/out"), "x", entry_type) is None


@pytest.mark.parametrize("path", ["\udcff", "x/" * 512 + "x"])
def test_a_file_whose_path_can_be_no_key(path: str) -> None:
    with pytest.raises(ArtifactUploadError):
        object_of(S3Uri.parse("s3://b/out"), path, EntryType.FILE)


@given(st.text(st.characters(exclude_characters="\0/", codec="utf-8"), min_size=1, max_size=60))
def test_the_path_is_kept_to_the_letter(name: str) -> None:
    found = object_of(S3Uri.parse("s3://b/out/"), f"d/{name}", EntryType.FILE)
    assert found == S3Uri(bucket="b", key=f"out/d/{name}")


# Continuous


def state(number: int) -> FileState:
    return FileState(size=number, mtime_ns=number)


def test_a_file_is_uploaded_once_it_rests() -> None:
    assert due({}, {"a": state(1)}, {}) == ()
    assert due({"a": state(1)}, {"a": state(2)}, {}) == ()
    assert due({"a": state(2)}, {"a": state(2)}, {}) == ("a",)


def test_a_file_is_uploaded_again_only_when_it_has_changed() -> None:
    uploaded = {"a": state(2)}
    assert due({"a": state(2)}, {"a": state(2)}, uploaded) == ()
    assert due({"a": state(2)}, {"a": state(3)}, uploaded) == ()
    assert due({"a": state(3)}, {"a": state(3)}, uploaded) == ("a",)


def test_a_change_of_time_alone_is_a_change() -> None:
    rewritten = FileState(size=2, mtime_ns=3)
    assert due({"a": rewritten}, {"a": rewritten}, {"a": state(2)}) == ("a",)


def test_at_the_end_everything_is_uploaded_that_is_not_there_as_it_is() -> None:
    current = {"new": state(1), "changed": state(2), "same": state(3)}
    assert due_at_end(current, {"changed": state(1), "same": state(3), "deleted": state(4)}) == ("changed", "new")
    assert due_at_end(current, {}) == ("changed", "new", "same")


SNAPSHOTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2).map(state))


@given(st.lists(SNAPSHOTS, min_size=1))
def test_a_continuous_output_ends_as_an_output_at_the_end_of_the_job_would(looks: list[dict[str, FileState]]) -> None:
    stored: dict[str, FileState] = {}
    previous: dict[str, FileState] = {}
    for current in looks:
        for path in due(previous, current, stored):
            assert previous[path] == current[path] != stored.get(path)
            stored[path] = current[path]
        previous = current
    stored |= {path: looks[-1][path] for path in due_at_end(looks[-1], stored)}
    assert {path: found for path, found in stored.items() if path in looks[-1]} == looks[-1]


# Several hosts in one archive


def merged(*hosts: list[str]) -> list[tuple[int, str]]:
    """Return (host, entry) of the merged tree; entries that end in "/" are directories."""
    merge = HostMerge()
    return [
        (number, entry)
        for number in range(len(hosts), 0, -1)
        for entry in hosts[number - 1]
        if merge.takes(entry.rstrip("/"), is_directory=entry.endswith("/"))
    ]


def test_what_different_hosts_wrote_is_joined() -> None:
    assert merged(["algo-1/", "algo-1/model"], ["algo-2/", "algo-2/model"]) == [
        (2, "algo-2/"),
        (2, "algo-2/model"),
        (1, "algo-1/"),
        (1, "algo-1/model"),
    ]


def test_the_last_host_wins_a_path() -> None:
    assert merged(["d/", "d/x", "d/y"], ["d/", "d/x"]) == [(2, "d/"), (2, "d/x"), (1, "d/y")]


def test_the_last_host_decides_whether_a_path_is_a_directory() -> None:
    assert merged(["a/", "a/x", "b"], ["a"]) == [(2, "a"), (1, "b")]
    assert merged(["a", "b"], ["a/", "a/x"]) == [(2, "a/"), (2, "a/x"), (1, "b")]
    assert merged(["a"], ["a/x"]) == [(2, "a/x")]


TREES = st.lists(
    st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(lambda names: PurePosixPath(*names)), max_size=5
)


@given(st.lists(TREES, min_size=1, max_size=3))
def test_a_merged_tree_is_one_that_can_be(hosts: list[list[PurePosixPath]]) -> None:
    trees = [[str(path) for path in files if not any(path in one.parents for one in files)] for files in hosts]
    found = merged(*trees)
    files = {PurePosixPath(entry) for _, entry in found}
    assert len(files) == len(found)
    assert not any(above in files for path in files for above in path.parents)
    assert {entry for number, entry in found if number == len(trees)} == set(trees[-1])
