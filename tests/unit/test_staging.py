"""/opt/ml of a host laid out on a disk: training.md 1.1, 1.2 and 3."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.contract import paths
from emulator.contract.arns import S3Uri, Scope
from emulator.contract.outcome import DataDownloadError
from emulator.contract.training_job import TrainingJob
from emulator.jobs.ports import ObjectMissingError, ObjectStore, StoredObject
from emulator.jobs.staging import HostTree, PlannedInput, lay_out, plan_input, stage
from tests.builders import (
    SCOPE,
    channel_request,
    outputs,
    processing_input,
    processing_job,
    processing_output,
    training_job,
)


class MemoryObjects:
    """Objects of the account SCOPE, by their URI."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.contents = objects

    def objects(self, scope: Scope, prefix: S3Uri) -> list[StoredObject]:
        assert scope == SCOPE
        found = [(S3Uri.parse(uri), content) for uri, content in self.contents.items() if uri.startswith(str(prefix))]
        return sorted(
            (StoredObject(key=uri.key, size=len(content)) for uri, content in found), key=lambda one: one.key.encode()
        )

    def download(self, scope: Scope, source: S3Uri, destination: Path) -> int:
        if scope != SCOPE or str(source) not in self.contents:
            raise ObjectMissingError("NoSuchKey: The specified key does not exist.")
        with destination.open("xb") as target:
            return target.write(self.contents[str(source)])

    def upload(self, scope: Scope, source: Path, destination: S3Uri, *, consume: bool = False) -> None:
        assert scope == SCOPE
        self.contents[str(destination)] = source.read_bytes()
        if consume:
            source.unlink()


_: type[ObjectStore] = MemoryObjects


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def small_tree(root: Path) -> HostTree:
    job = training_job()
    return lay_out(root / "algo-1", job, job.hosts[0])


def planned(root: Path, objects: MemoryObjects, *uris: str, **resources: Any) -> tuple[TrainingJob, list[PlannedInput]]:
    """Return a job with these channels, named train, train2 ..., and what is in them."""
    names = ("train", *(f"train{number}" for number in range(2, len(uris) + 1)))
    channels = [channel_request(name, uri) for name, uri in zip(names, uris, strict=True)]
    job = training_job(InputDataConfig=channels, **resources)
    return job, [plan_input(objects, SCOPE, data, root) for data in job.input_data]


def staged(root: Path, objects: MemoryObjects, *uris: str) -> tuple[HostTree, list[PlannedInput]]:
    """Bring channels' objects to a new tree."""
    job, inputs = planned(root, objects, *uris)
    tree = lay_out(root / "algo-1", job, job.hosts[0])
    stage(objects, SCOPE, inputs, tree, lambda _: None)
    return tree, inputs


def files_below(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# The tree


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000])
def test_directories_have_their_modes_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        tree = small_tree(tmp_path)
    found = {path: mode(tree.on_disk(path)) for path in paths.DIRECTORY_MODES}
    assert found == paths.DIRECTORY_MODES


def test_what_a_container_writes_is_open_to_images_that_run_as_another_user(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    for path in ("/opt/ml/model", "/opt/ml/output", "/opt/ml/output/data", "/opt/ml/output/metrics/sagemaker"):
        assert mode(tree.on_disk(PurePosixPath(path))) == 0o777


def test_directories_at_the_start_of_the_container(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    assert sorted(str(path.relative_to(tree.root)) for path in tree.root.rglob("*") if path.is_dir()) == [
        "input",
        "input/config",
        "input/data",
        "model",
        "output",
        "output/data",
        "output/metrics",
        "output/metrics/sagemaker",
        "output/profiler",
    ]


def test_config_files_are_there_with_their_mode(tmp_path: Path) -> None:
    job = training_job(HyperParameters={"name": "Zoë"})
    with umask(0o077):
        tree = lay_out(tmp_path / "algo-1", job, job.hosts[0])
    hyperparameters = tree.root / "input/config/hyperparameters.json"
    assert hyperparameters.read_bytes() == '{"name":"Zoë"}'.encode()
    assert {mode(path) for path in (tree.root / "input/config").iterdir()} == {0o644}


def test_mounts_are_roots_of_the_platform_and_never_opt_ml_itself(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    assert {str(mount.target): mount.source for mount in tree.mounts(paths.PLATFORM_ROOTS)} == {
        "/opt/ml/input": tree.root / "input",
        "/opt/ml/model": tree.root / "model",
        "/opt/ml/output": tree.root / "output",
    }


def test_missing_parents_of_a_directory_are_made_and_others_keep_their_mode(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    tree.make_directory(paths.OUTPUT / "a/b", 0o700)
    assert mode(tree.root / "output/a/b") == 0o700
    assert mode(tree.root / "output/a") == 0o755
    assert mode(tree.root / "output") == 0o777


# A channel


def test_a_channel_is_its_files_and_a_manifest_beside_them(tmp_path: Path) -> None:
    objects = MemoryObjects({"s3://b/p/input/test": b"1", "s3://b/p/input/sub/test2": b"22", "s3://b/other": b""})
    with umask(0o077):
        tree, (train,) = staged(tmp_path, objects, "s3://b/p/input")
    assert train.size == 3
    assert files_below(tree.root / "input/data") == {
        "train/test": b"1",
        "train/sub/test2": b"22",
        "train-manifest": b"p/input\ns3://b/p/input/sub/test2\ns3://b/p/input/test\n",
    }
    assert mode(tree.root / "input/data/train") == mode(tree.root / "input/data/train/sub") == 0o755
    assert mode(tree.root / "input/data/train/test") == mode(tree.root / "input/data/train-manifest") == 0o644


def test_folder_markers_make_directories(tmp_path: Path) -> None:
    objects = MemoryObjects({"s3://b/p/": b"", "s3://b/p/empty/": b""})
    tree, _ = staged(tmp_path, objects, "s3://b/p")
    assert [str(path.relative_to(tree.root)) for path in (tree.root / "input/data/train").rglob("*")] == [
        "input/data/train/empty"
    ]


def test_every_object_copied_is_told_with_its_size(tmp_path: Path) -> None:
    objects = MemoryObjects({"s3://b/p/a": b"1", "s3://b/p/b": b"22"})
    sizes: list[int] = []
    job, inputs = planned(tmp_path, objects, "s3://b/p")
    stage(objects, SCOPE, inputs, lay_out(tmp_path / "algo-1", job, job.hosts[0]), sizes.append)
    assert sizes == [1, 2]


def test_what_the_listener_raises_ends_the_staging(tmp_path: Path) -> None:
    objects = MemoryObjects({"s3://b/p/a": b"1", "s3://b/p/b": b"2"})
    job, inputs = planned(tmp_path, objects, "s3://b/p")
    tree = lay_out(tmp_path / "algo-1", job, job.hosts[0])

    def stop(_: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        stage(objects, SCOPE, inputs, tree, stop)
    assert files_below(tree.root / "input/data/train") == {"a": b"1"}


def test_an_object_that_has_vanished_fails_the_job_by_name(tmp_path: Path) -> None:
    objects = MemoryObjects({"s3://b/p/a": b"1"})
    job, inputs = planned(tmp_path, objects, "s3://b/p")
    tree = lay_out(tmp_path / "algo-1", job, job.hosts[0])
    objects.contents.clear()
    with pytest.raises(DataDownloadError) as raised:
        stage(objects, SCOPE, inputs, tree, lambda _: None)
    assert raised.value.failure_reason == (
        "ClientError: Data download failed:Unable to download object s3://b/p/a "
        "(NoSuchKey: The specified key does not exist.)"
    )


def test_a_prefix_that_has_become_empty_fails_the_job(tmp_path: Path) -> None:
    with pytest.raises(DataDownloadError, match="s3://b/p"):
        planned(tmp_path, MemoryObjects({}), "s3://b/p")


def test_each_channel_has_a_directory_of_its_own(tmp_path: Path) -> None:
    objects = MemoryObjects({"s3://b/p/a": b"1"})
    tree, _ = staged(tmp_path, objects, "s3://b/p", "s3://b/p/a")
    data = files_below(tree.root / "input/data")
    assert {name for name in data if not name.endswith("-manifest")} == {"train/a", "train2/a"}


KEYS = st.lists(st.sampled_from(["a", "b", "..", "...", "é", "a b", "-", "x" * 255]), min_size=1, max_size=4).map(
    "/".join
)


@given(st.dictionaries(KEYS, st.binary(max_size=8), min_size=1, max_size=6), st.integers(0, 6))
@settings(deadline=None, max_examples=50)
def test_no_object_gets_out_of_its_channel(contents: dict[str, bytes], end: int) -> None:
    prefix = next(iter(contents))[:end]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        objects = MemoryObjects({f"s3://b/{key}": content for key, content in contents.items()})
        job, inputs = planned(root, objects, f"s3://b/{prefix}")
        tree = lay_out(root / "algo-1", job, job.hosts[0])
        before = files_below(tree.root)
        try:
            stage(objects, SCOPE, inputs, tree, lambda _: None)
        except DataDownloadError:
            assert not any("input/data/train/" in name for name in files_below(root))
            return
        added = {name: content for name, content in files_below(tree.root).items() if name not in before}
        assert added.pop("input/data/train-manifest")
        assert all(name.startswith("input/data/train/") for name in added)
        assert sorted(added.values()) == sorted(contents[one.source.key] for one in inputs[0].objects)
        assert files_below(root).keys() == {f"algo-1/{name}" for name in (*before, *added, "input/data/train-manifest")}


def test_sharded_data_goes_to_one_host_each_and_every_manifest_lists_all(tmp_path: Path) -> None:
    objects = MemoryObjects({f"s3://b/p/{name}": name.encode() for name in "abcde"})
    request = channel_request("train", "s3://b/p")
    request["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    job = training_job(
        InputDataConfig=[request, channel_request("all", "s3://b/p/a")],
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
    )
    inputs = [plan_input(objects, SCOPE, data, tmp_path) for data in job.input_data]
    assert [one.size for one in inputs] == [5, 2]
    trees = [lay_out(tmp_path / host.name, job, host) for host in job.hosts]
    for tree in trees:
        stage(objects, SCOPE, inputs, tree, lambda _: None)
    first, second = (files_below(tree.root / "input/data") for tree in trees)
    assert first.pop("train-manifest") == second.pop("train-manifest")
    assert first.pop("all-manifest") == second.pop("all-manifest")
    assert first == {"train/a": b"a", "train/c": b"c", "train/e": b"e", "all/a": b"a"}
    assert second == {"train/b": b"b", "train/d": b"d", "all/a": b"a"}


def test_a_manifest_file_is_read_and_names_the_objects(tmp_path: Path) -> None:
    manifest = b'[{"prefix": "s3://other/x/"}, "a", "deep/b"]'
    objects = MemoryObjects({"s3://b/m": manifest, "s3://other/x/a": b"1", "s3://other/x/deep/b": b"2"})
    inputs = [{"S3Input": {"S3Uri": "s3://b/m", "LocalPath": "/opt/ml/processing/in", "S3DataType": "ManifestFile"}}]
    job = processing_job(ProcessingInputs=[{"InputName": "in", **one} for one in inputs])
    planned_inputs = [plan_input(objects, SCOPE, data, tmp_path) for data in job.input_data]
    tree = lay_out(tmp_path / "algo-1", job, job.hosts[0])
    stage(objects, SCOPE, planned_inputs, tree, lambda _: None)
    assert files_below(tree.root / "processing") == {"in/a": b"1", "in/deep/b": b"2"}
    assert mode(tree.root / "processing/in") == 0o777
    assert {path.name for path in tmp_path.iterdir()} == {"algo-1"}


def test_an_object_in_the_place_of_an_output_fails_the_job_and_tells_no_path_of_this_machine(tmp_path: Path) -> None:
    objects = MemoryObjects({"s3://bucket/in/out": b"1"})
    job = processing_job(
        ProcessingInputs=[processing_input()],
        ProcessingOutputConfig=outputs(processing_output(local_path="/opt/ml/processing/in/out")),
    )
    inputs = [plan_input(objects, SCOPE, data, tmp_path) for data in job.input_data]
    tree = lay_out(tmp_path / "algo-1", job, job.hosts[0])
    with pytest.raises(DataDownloadError) as raised:
        stage(objects, SCOPE, inputs, tree, lambda _: None)
    assert "s3://bucket/in/out needs the path /opt/ml/processing/in/out, which is a" in raised.value.failure_reason
    assert str(tmp_path) not in raised.value.failure_reason
