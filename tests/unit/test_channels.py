"""Which S3 objects become which files: the table of training.md 3.2, and what no key may do."""

from __future__ import annotations

import string
from collections import Counter
from itertools import combinations
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.contract.arns import S3Uri
from emulator.contract.channels import Channel, ChannelLayout, file_layout, manifest_text, relative_key
from emulator.contract.outcome import DataDownloadError
from tests.builders import channel, channel_request

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


def layout(prefix: str, *keys: str) -> ChannelLayout:
    return file_layout(S3Uri(bucket="b", key=prefix), keys)


def paths_of(found: ChannelLayout) -> dict[str, str]:
    return {staged.key: str(staged.path) for staged in found.files}


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
def test_no_file_leaves_its_channel_and_no_two_share_a_path(drawn: tuple[str, list[str]]) -> None:
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


# The channel


def test_a_channel_takes_the_mode_of_the_algorithm_unless_it_has_its_own() -> None:
    assert Channel.parse(channel_request(), "FastFile").input_mode == "FastFile"
    assert Channel.parse(channel_request(InputMode="File"), "FastFile").input_mode == "File"


def test_defaults_of_a_channel() -> None:
    parsed = Channel.parse(channel_request("train", "s3://b/p"), "File")
    assert parsed == Channel(name="train", source=S3Uri(bucket="b", key="p"))
    assert (parsed.distribution, parsed.compression, parsed.record_wrapper) == ("FullyReplicated", "None", "None")
    assert parsed.content_type is None


def test_a_channel_is_a_directory_with_a_manifest_beside_it() -> None:
    assert str(channel(name="train").container_path) == "/opt/ml/input/data/train"
    assert str(channel(name="train").manifest_path) == "/opt/ml/input/data/train-manifest"


def test_the_manifest_has_the_prefix_and_every_object() -> None:
    text = manifest_text(S3Uri.parse("s3://bkt/tests/Task1/input/"), ["tests/Task1/input/test", "tests/Task1/input/t2"])
    assert text == "tests/Task1/input\ns3://bkt/tests/Task1/input/test\ns3://bkt/tests/Task1/input/t2\n"
