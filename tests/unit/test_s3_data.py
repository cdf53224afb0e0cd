"""Which S3 objects become which files: the table of training.md 3.2, and what no key may do."""

from __future__ import annotations

import json
import string
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.contract.arns import S3Uri
from emulator.contract.job import hosts
from emulator.contract.outcome import DataDownloadError
from emulator.contract.s3_data import (
    FileLayout,
    SourceObject,
    file_layout,
    joined_layout,
    manifest_objects,
    prefix_objects,
    relative_key,
    shard,
)
from tests.builders import instance_group

GOOD_SEGMENTS = ("a", "b", "train", "train-2.csv", "...", " ", "-rf", "é", "x" * 255, "é" * 127)
BAD_SEGMENTS = ("", ".", "..", "x" * 256, "é" * 128, "a\0b")


def prefixes_with_keys(segments: tuple[str, ...]) -> st.SearchStrategy[tuple[str, list[str]]]:
    """A key prefix, which may end anywhere, and different keys that start with it, folder markers among them."""
    key = st.builds(
        lambda names, marker: "/".join(names) + marker,
        st.lists(st.sampled_from(segments), min_size=1, max_size=4),
        st.sampled_from(["", "", "/"]),
    )

    def with_prefix(keys: list[str]) -> st.SearchStrategy[tuple[str, list[str]]]:
        ends = st.integers(0, len(keys[0]))
        return ends.map(lambda end: (keys[0][:end], [one for one in keys if one.startswith(keys[0][:end])]))

    return st.lists(key.filter(bool), min_size=1, max_size=8, unique=True).flatmap(with_prefix)


def layout(prefix: str, *keys: str) -> FileLayout:
    return file_layout(prefix_objects(S3Uri(bucket="b", key=prefix), keys))


def paths_of(found: FileLayout) -> dict[str, str]:
    return {staged.source.key: str(staged.path) for staged in found.files}


def is_refused(prefix: str, *keys: str) -> bool:
    try:
        layout(prefix, *keys)
    except DataDownloadError:
        return True
    return False


# 3.2: key to path


@pytest.mark.parametrize(
    ("prefix", "key", "path"),
    [
        ("p/input", "p/input/test", "test"),
        ("jpara/training", "jpara/training/en-ja/train.en", "en-ja/train.en"),
        ("x/output/model.tar.gz", "x/output/model.tar.gz", "model.tar.gz"),
        ("data/train", "data/train-data.csv", "train-data.csv"),
        ("train", "train-data.csv", "train-data.csv"),
        ("model.tar.gz", "model.tar.gz", "model.tar.gz"),
        ("p/input/", "p/input/a/b", "a/b"),
        ("", "p/input/test", "p/input/test"),
        ("data/train", "data/train-2/part/0.csv", "train-2/part/0.csv"),
        ("data/train", "data/train/train", "train"),
    ],
)
def test_the_path_of_a_key(prefix: str, key: str, path: str) -> None:
    assert relative_key(prefix, key) == path
    assert paths_of(layout(prefix, key)) == {key: path}


def test_a_prefix_can_match_a_folder_and_the_names_beside_it() -> None:
    assert paths_of(layout("d/train", "d/train-2.csv", "d/train/1.csv")) == {
        "d/train-2.csv": "train-2.csv",
        "d/train/1.csv": "1.csv",
    }


def test_a_key_that_ends_in_a_slash_makes_a_directory_and_no_file() -> None:
    found = layout("p/", "p/", "p/empty/", "p/full/", "p/full/file", "p/deep/er/")
    assert paths_of(found) == {"p/full/file": "full/file"}
    assert [str(path) for path in found.directories] == ["deep", "deep/er", "empty", "full"]


def test_directories_come_before_what_is_in_them() -> None:
    found = layout("", "z/y/x/file", "a/file")
    assert [str(path) for path in found.directories] == ["a", "z", "z/y", "z/y/x"]


def test_a_double_slash_fails_the_job_in_the_words_of_the_service() -> None:
    with pytest.raises(DataDownloadError) as raised:
        layout("p", "p/a//b")
    assert raised.value.failure_reason == (
        "ClientError: Data download failed:Failed to download data. "
        "S3 key: s3://b/p/a//b has an illegal char sub-sequence '//' in it"
    )


@pytest.mark.parametrize("key", ["p/../../etc/passwd", "p/..", "p/./a", "p/a/../b", f"p/{'x' * 256}", "p/a\0b"])
def test_a_key_without_a_place_on_a_disk_is_refused_by_name(key: str) -> None:
    with pytest.raises(DataDownloadError, match="S3 key: s3://b/p/") as raised:
        layout("p", key)
    assert "Rename the object." in str(raised.value)


@pytest.mark.parametrize(
    ("prefix", "first", "second"),
    [
        ("", "a", "a/b"),  # a file and a directory
        ("", "a", "a/"),  # a file and a folder marker
        ("d/train", "d/train", "d/train/train"),  # two files
        ("d/train", "d/train-1", "d/train/train-1"),
    ],
)
def test_two_keys_that_need_one_path_are_refused_by_name(prefix: str, first: str, second: str) -> None:
    for keys in ((first, second), (second, first)):
        with pytest.raises(DataDownloadError, match="both need the path") as raised:
            layout(prefix, *keys)
        assert f"s3://b/{first} " in str(raised.value)
        assert f"s3://b/{second} " in str(raised.value)


@given(prefixes_with_keys(GOOD_SEGMENTS + BAD_SEGMENTS))
@example(("", ["/etc/passwd"]))
@example(("/", ["/etc/passwd", "/../etc"]))
@example(("p/.", ["p/..", "p/../x"]))
def test_no_file_leaves_its_directory_and_no_two_share_a_path(drawn: tuple[str, list[str]]) -> None:
    prefix, keys = drawn
    try:
        found = layout(prefix, *keys)
    except DataDownloadError:
        return
    files = [staged.path for staged in found.files]
    for path in (*files, *found.directories):
        assert path.parts
        assert not path.is_absolute()
        assert not {".", ".."} & set(path.parts)
    assert len(set(files)) == len(files)
    assert not set(files) & set(found.directories)
    assert {parent for path in files for parent in path.parents} <= {PurePosixPath(), *found.directories}


@given(prefixes_with_keys(GOOD_SEGMENTS))
def test_every_key_is_placed_unless_two_need_one_path(drawn: tuple[str, list[str]]) -> None:
    prefix, keys = drawn
    assert not any(is_refused(prefix, key) for key in keys)
    if any(is_refused(prefix, *pair) for pair in combinations(keys, 2)):
        assert is_refused(prefix, *keys)
        return
    found = layout(prefix, *keys)
    files = {key: relative_key(prefix, key) for key in keys if not key.endswith("/")}
    markers = {relative_key(prefix, key).rstrip("/") for key in keys if key.endswith("/")}
    assert paths_of(found) == files
    assert markers - {""} <= {str(path) for path in found.directories}


@given(st.text(string.ascii_lowercase + "/", max_size=6), st.text(string.ascii_lowercase + "/-", max_size=6))
def test_a_path_is_the_end_of_its_key_and_keeps_whole_names(prefix: str, rest: str) -> None:
    key = prefix + rest
    path = relative_key(prefix, key)
    assert key.endswith(path)
    kept_from = len(key) - len(path)
    assert kept_from == 0 or key[kept_from - 1] == "/"


def test_many_objects_are_laid_out() -> None:
    keys = [f"p/{folder}/{name}" for folder in range(20) for name in range(500)]
    found = layout("p", *keys)
    assert Counter(str(staged.path.parent) for staged in found.files) == {str(folder): 500 for folder in range(20)}


# 3.3: manifests

MANIFEST = S3Uri(bucket="b", key="m.json")


def listed(*document: object) -> dict[str, str]:
    return {str(one.source): one.name for one in manifest_objects(MANIFEST, json.dumps(document))}


def test_a_manifest_is_a_prefix_and_what_is_put_behind_it() -> None:
    assert listed({"prefix": "s3://data/p/"}, "a.csv", "d/b.csv") == {
        "s3://data/p/a.csv": "a.csv",
        "s3://data/p/d/b.csv": "d/b.csv",
    }


def test_a_manifest_puts_nothing_between_prefix_and_name() -> None:
    assert listed({"prefix": "s3://data/p"}, "-1", "/a") == {"s3://data/p-1": "-1", "s3://data/p/a": "a"}


def test_an_object_listed_twice_counts_once() -> None:
    assert listed({"prefix": "s3://data/"}, "a", "b", "a") == {"s3://data/a": "a", "s3://data/b": "b"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b",
        "{}",
        "[]",
        '["a"]',
        '[{"prefix": ""}, "a"]',
        '[{"prefix": "p/"}, "a"]',
        '[{"prefix": "s3:///p"}, "a"]',
        '[{"prefix": 5}, "a"]',
        '[{"prefix": "s3://b/"}]',
        '[{"prefix": "s3://b/"}, 5]',
        '[{"prefix": "s3://b/"}, ""]',
        '[{"prefix": "s3://b/"}, "\\ud800"]',
        "[" * 100_000,
    ],
)
def test_what_is_no_manifest_fails_the_job_and_names_the_file(text: str) -> None:
    with pytest.raises(DataDownloadError, match=r"The manifest file s3://b/m.json cannot be read: "):
        manifest_objects(MANIFEST, text)


@pytest.mark.parametrize("name", ["../a", "a/../b", "a//b"])
def test_a_name_in_a_manifest_cannot_leave_the_directory(name: str) -> None:
    found = manifest_objects(MANIFEST, json.dumps([{"prefix": "s3://data/p/"}, name]))
    with pytest.raises(DataDownloadError, match="S3 key: s3://data/p/"):
        file_layout(found)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.just("prefix"), inner)
    ).map(json.dumps)
    | st.text()
)
def test_any_text_is_a_manifest_or_fails_the_job(text: str) -> None:
    try:
        manifest_objects(MANIFEST, text)
    except DataDownloadError:
        return


# 3.4: which host gets what


def names_by_host(objects: Sequence[str], distribution: str, count: int) -> list[tuple[str, ...]]:
    cluster = hosts({"InstanceType": "t", "InstanceCount": count})
    return [shard(objects, distribution, host, cluster) for host in cluster]


def test_sharded_objects_go_round_robin_in_the_order_of_their_keys() -> None:
    keys = sorted(f"state_algo-1_{number}" for number in range(1, 11))
    first, second = names_by_host(keys, "ShardedByS3Key", 2)
    assert first == tuple(f"state_algo-1_{number}" for number in (1, 2, 4, 6, 8))
    assert second == tuple(f"state_algo-1_{number}" for number in (10, 3, 5, 7, 9))


def test_a_host_may_get_nothing() -> None:
    assert names_by_host(["a"], "ShardedByS3Key", 3) == [("a",), (), ()]


def test_replicated_objects_go_to_every_receiver_and_to_nobody_else() -> None:
    cluster = hosts({"InstanceGroups": [instance_group("a", "t", 1), instance_group("b", "t", 2)]})
    assert [shard("xyz", "FullyReplicated", host, cluster[1:]) for host in cluster] == [
        (),
        ("x", "y", "z"),
        ("x", "y", "z"),
    ]
    assert [shard("xyz", "ShardedByS3Key", host, cluster[1:]) for host in cluster] == [(), ("x", "z"), ("y",)]


def test_hosts_are_dealt_to_by_number_not_by_name() -> None:
    dealt = names_by_host([f"{number:02}" for number in range(12)], "ShardedByS3Key", 12)
    assert dealt == [(f"{number:02}",) for number in range(12)]


@given(st.lists(st.text(), unique=True), st.integers(1, 12))
def test_every_object_goes_to_exactly_one_host(objects: list[str], count: int) -> None:
    dealt = names_by_host(objects, "ShardedByS3Key", count)
    assert sorted(one for share in dealt for one in share) == sorted(objects)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


# Several inputs on one disk

IN = PurePosixPath("/opt/ml/processing/input")


def joined(*inputs: tuple[PurePosixPath, list[str]]) -> FileLayout:
    return joined_layout(
        (root, file_layout(SourceObject(source=S3Uri(bucket=f"b{number}", key=name), name=name) for name in names))
        for number, (root, names) in enumerate(inputs)
    )


def files_of(found: FileLayout) -> dict[str, str]:
    return {str(staged.path): str(staged.source) for staged in found.files}


def test_an_input_may_lie_in_another_one() -> None:
    found = joined((IN, ["a.csv", "code/lib/x.py", "d/"]), (IN / "code", ["run.py", "lib/y.py"]))
    assert files_of(found) == {
        f"{IN}/a.csv": "s3://b0/a.csv",
        f"{IN}/code/lib/x.py": "s3://b0/code/lib/x.py",
        f"{IN}/code/run.py": "s3://b1/run.py",
        f"{IN}/code/lib/y.py": "s3://b1/lib/y.py",
    }
    assert [str(path) for path in found.directories] == [f"{IN}/code/lib", f"{IN}/d"]


def test_the_later_input_wins_a_path() -> None:
    inner, outer = (IN / "code", ["x.py"]), (IN, ["code/x.py"])
    assert files_of(joined(inner, outer)) == {f"{IN}/code/x.py": "s3://b1/code/x.py"}
    assert files_of(joined(outer, inner)) == {f"{IN}/code/x.py": "s3://b1/x.py"}


@pytest.mark.parametrize("inner", [IN / "a", IN / "a/b"])
def test_an_object_in_the_place_of_another_inputs_directory(inner: PurePosixPath) -> None:
    for inputs in (((IN, ["a"]), (inner, ["x"])), ((inner, []), (IN, ["a"]))):
        with pytest.raises(
            DataDownloadError, match=f"needs the path {IN}/a, which is a directory of another input or output"
        ):
            joined(*inputs)


def test_an_object_in_the_place_of_another_inputs_sub_directory() -> None:
    with pytest.raises(DataDownloadError, match="is a directory of another input"):
        joined((IN, ["a/b/c"]), (IN / "a", ["b"]))


@pytest.mark.parametrize("directory", [IN / "a", IN / "a/b"])
def test_an_object_in_the_place_of_a_directory_of_the_job(directory: PurePosixPath) -> None:
    layout = file_layout([SourceObject(source=S3Uri(bucket="b", key="k/a"), name="a")])
    with pytest.raises(DataDownloadError, match=f"s3://b/k/a needs the path {IN}/a, which is a directory of another"):
        joined_layout([(IN, layout)], [directory])


def test_directories_of_the_job_are_made_before() -> None:
    layout = file_layout([SourceObject(source=S3Uri(bucket="b", key="k"), name="out/a/k")])
    assert joined_layout([(IN, layout)], [IN / "out"]).directories == (IN / "out/a",)
