"""The platform's own access: what staging and uploading need, for one account at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.contract.arns import S3Uri, Scope
from emulator.jobs.ports import ObjectMissingError, StoredObject
from emulator.storage.objects.model import Versioning
from emulator.storage.objects.segments import SMALL
from emulator.storage.objects.store import DiskObjectStore
from emulator.storage.platform_objects import PlatformObjects

OURS, THEIRS = Scope(account="111111111111"), Scope(account="222222222222")
SIZES = [0, 10, 70_000, 3 * 1024**2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DiskObjectStore]:
    store = DiskObjectStore(tmp_path / "objects")
    for bucket in ("ours", "ours-versioned", "theirs"):
        store.create_bucket(bucket)
    yield store
    assert store.sweep() == 0
    store.close()


@pytest.fixture
def objects(store: DiskObjectStore) -> PlatformObjects:
    def owns(scope: Scope, bucket: str) -> bool:
        return bucket.startswith("ours" if scope == OURS else "theirs")

    def versioning(scope: Scope, bucket: str) -> Versioning:
        return Versioning.ENABLED if bucket.endswith("versioned") else Versioning.OFF

    return PlatformObjects(store, owns, versioning)


def uri(key: str, bucket: str = "ours") -> S3Uri:
    return S3Uri(bucket=bucket, key=key)


def test_objects_are_listed_by_prefix_in_order(store: DiskObjectStore, objects: PlatformObjects) -> None:
    for key in ("p/\U0001f600", "p/\uffff", "p/a/b", "p/", "p", "q"):
        store.put("ours", key, [b"x" * len(key)], attributes={})
    store.delete("ours", "p/a/b", versioning=Versioning.ENABLED)
    expected = [StoredObject(key=key, size=len(key)) for key in ("p", "p/", "p/\uffff", "p/\U0001f600")]
    assert objects.objects(OURS, uri("p")) == expected
    assert objects.objects(OURS, uri("p/")) == expected[1:]
    assert objects.objects(OURS, uri("none")) == []
    assert objects.objects(OURS, uri("p", "ours-none")) == []
    assert objects.objects(THEIRS, uri("p")) == []


@pytest.mark.parametrize("size", SIZES)
def test_a_container_that_writes_into_its_input_never_changes_the_store(
    store: DiskObjectStore, objects: PlatformObjects, tmp_path: Path, size: int
) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    stored = store.put("ours", "k", [content[:size]], attributes={})
    staged = tmp_path / "staged"
    assert objects.download(OURS, uri("k"), staged) == size
    assert staged.read_bytes() == content[:size]
    assert staged.stat().st_nlink == 1
    with staged.open("r+b") as file:
        file.write(b"changed")
    assert b"".join(store.read(stored)) == content[:size]


def test_all_parts_of_an_object_are_downloaded(
    store: DiskObjectStore, objects: PlatformObjects, tmp_path: Path
) -> None:
    upload = store.create_upload("ours", "k", {})
    contents = [bytes([number]) * size for number, size in enumerate(SIZES)]
    parts = [store.put_part(upload, number, [content]) for number, content in enumerate(contents, 1)]
    store.complete_upload(upload, parts, etag="e-4", attributes={})
    assert objects.download(OURS, uri("k"), tmp_path / "staged") == sum(SIZES)
    assert (tmp_path / "staged").read_bytes() == b"".join(contents)


def test_what_is_not_there_is_not_downloaded(store: DiskObjectStore, objects: PlatformObjects, tmp_path: Path) -> None:
    store.put("ours", "k", [b"x"], attributes={})
    store.delete("ours", "deleted", versioning=Versioning.ENABLED)
    staged = tmp_path / "staged"
    for scope, source, code in [
        (OURS, uri("none"), "NoSuchKey"),
        (OURS, uri("deleted"), "NoSuchKey"),
        (OURS, uri("k", "ours-none"), "NoSuchKey"),
        (THEIRS, uri("k"), "NoSuchBucket"),
    ]:
        with pytest.raises(ObjectMissingError, match=code):
            objects.download(scope, source, staged)
    assert not staged.exists()
    staged.write_text("there already")
    with pytest.raises(FileExistsError):
        objects.download(OURS, uri("k"), staged)
    assert staged.read_text() == "there already"


@pytest.mark.parametrize("size", SIZES)
def test_a_file_is_uploaded(store: DiskObjectStore, objects: PlatformObjects, tmp_path: Path, size: int) -> None:
    source = tmp_path / "model.tar.gz"
    source.write_bytes(b"x" * size)
    objects.upload(OURS, source, uri("out/model.tar.gz"))
    source.write_bytes(b"something else")
    version = store.get("ours", "out/model.tar.gz")
    assert version is not None
    assert b"".join(store.read(version)) == b"x" * size
    for scope, target in [(OURS, uri("k", "ours-none")), (THEIRS, uri("k"))]:
        with pytest.raises(ObjectMissingError, match="NoSuchBucket"):
            objects.upload(scope, source, target)


def test_uploads_are_versions_where_a_bucket_keeps_them(
    store: DiskObjectStore, objects: PlatformObjects, tmp_path: Path
) -> None:
    source = tmp_path / "model.tar.gz"
    source.write_bytes(b"x")
    for _ in range(2):
        objects.upload(OURS, source, uri("k", "ours-versioned"))
    assert len(store.list_versions("ours-versioned").objects) == 2


@pytest.mark.parametrize("size", SIZES)
def test_a_consumed_file_is_moved_not_copied(
    store: DiskObjectStore, objects: PlatformObjects, tmp_path: Path, size: int
) -> None:
    source = tmp_path / "model.tar.gz"
    source.write_bytes(b"x" * size)
    inode = source.stat().st_ino
    objects.upload(OURS, source, uri("out/model.tar.gz"), consume=True)
    assert not source.exists()
    version = store.get("ours", "out/model.tar.gz")
    assert version is not None
    assert b"".join(store.read(version)) == b"x" * size
    assert [path.stat().st_ino for path, _ in store.segments(version)] == ([inode] if size > SMALL else [])
