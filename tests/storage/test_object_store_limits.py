"""The object store where things run out: disk, memory; and how its effort grows."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from emulator.storage.objects import listing
from emulator.storage.objects.index import LONGEST_JOURNAL
from emulator.storage.objects.model import StoreFullError, Versioning
from emulator.storage.objects.reserve import RESERVE_FILE
from emulator.storage.objects.segments import SMALL
from emulator.storage.objects.store import DiskObjectStore

from .object_stores import MIB, contents, files, kept, open_below


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB, of which the store has 16 in reserve."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Leave no free byte on a disk."""
    with (disk / "ballast").open("ab", buffering=0) as ballast:
        for size in (64 * 1024, 4096, 1):
            with suppress(OSError):
                while True:
                    ballast.write(b"x" * size)
    assert os.statvfs(disk).f_bavail == 0


def in_chunks(size: int) -> Iterator[bytes]:
    yield from (b"x" * MIB for _ in range(size // MIB))


class TestFullDisk:
    def test_a_body_too_large_changes_nothing(self, small_disk: Path, tmp_path: Path) -> None:
        store = DiskObjectStore(small_disk / "objects")
        store.create_bucket("b")
        old = store.put("b", "k", in_chunks(3 * MIB), attributes={})
        upload = store.create_upload("b", "u", {})
        source = tmp_path / "large"
        source.write_bytes(b"x" * 9 * MIB)
        for _ in range(3):
            with pytest.raises(StoreFullError):
                store.put("b", "k", in_chunks(9 * MIB), attributes={})
            with pytest.raises(StoreFullError):
                store.put_file("b", "k", source, attributes={})
            with pytest.raises(StoreFullError):
                store.put_part(upload, 1, in_chunks(9 * MIB))
            assert kept(small_disk / "objects") == 1
        assert store.get("b", "k") == old
        assert b"".join(store.read(old)) == b"x" * 3 * MIB
        assert store.list_parts(upload) == []
        store.put("b", "k", in_chunks(2 * MIB), attributes={})
        store.close()

    def test_an_index_that_cannot_grow_changes_nothing(self, small_disk: Path) -> None:
        """Objects without bytes fill the index; each is there whole or not at all, and deleting makes room."""
        store = DiskObjectStore(small_disk / "objects")
        store.create_bucket("b")
        (small_disk / "ballast").write_bytes(b"x" * 5 * MIB)
        stored = []

        def put_many() -> None:
            for number in range(100_000):
                stored.append(store.put("b", f"{number:06}", [b"1"], attributes={"padding": "x" * 2000}))

        with pytest.raises(StoreFullError):
            put_many()
        (small_disk / "ballast").unlink()
        assert [one.key for one in store.list_objects("b", limit=100_000).objects] == [one.key for one in stored]
        assert contents(small_disk / "objects") == len(stored)
        for version in stored:
            assert b"".join(store.read(version)) == b"1"
        store.put("b", "more", [b"more"], attributes={})
        store.close()

    @pytest.mark.parametrize(
        ("size", "padding"),
        [(MIB, 0), (SMALL, 0), (1, 2000), (0, 2000)],
        ids=["large objects", "small ones", "tiny ones", "without bytes"],
    )
    @pytest.mark.parametrize("versioning", [Versioning.OFF, Versioning.ENABLED])
    def test_deleting_works_without_one_free_byte(
        self, small_disk: Path, size: int, padding: int, versioning: Versioning
    ) -> None:
        store = DiskObjectStore(small_disk / "objects")
        store.create_bucket("b")
        options: Any = {"attributes": {"padding": "x" * padding}, "versioning": versioning}
        upload = store.create_upload("b", "u", {})
        store.put_part(upload, 1, [b"part"])

        def put_many() -> None:
            for number in range(100_000):
                store.put("b", f"{number}", [b"x" * size], **options)

        with pytest.raises(StoreFullError):
            put_many()
        fill(small_disk)
        before = store.list_versions("b", limit=100_000).objects
        assert before
        for version in before:
            store.delete("b", version.key, versioning=versioning)
        assert store.list_objects("b").objects == ()
        for version in store.list_versions("b", limit=100_000).objects:
            store.delete_version("b", version.key, version.version_id)
        store.abort_upload(upload)
        store.delete_bucket("b")
        assert not kept(small_disk / "objects")
        store.close()

    def test_everything_can_be_forgotten_without_one_free_byte(self, small_disk: Path) -> None:
        store = DiskObjectStore(small_disk / "objects")
        store.create_bucket("b")
        for number in range(100):
            store.put("b", f"{number}", [b"x"], attributes={})
        fill(small_disk)
        store.clear()
        assert store.buckets() == []
        assert not kept(small_disk / "objects")
        store.close()

    def test_deleting_makes_room_for_objects_and_for_the_next_time(self, small_disk: Path) -> None:
        store = DiskObjectStore(small_disk / "objects")
        store.create_bucket("b")
        for _ in range(3):
            store.put("b", "k", in_chunks(5 * MIB), attributes={})
            fill(small_disk)
            store.delete("b", "k")
            reserve = (small_disk / "objects" / RESERVE_FILE).stat()
            assert reserve.st_blocks * 512 == reserve.st_size == LONGEST_JOURNAL
            (small_disk / "ballast").unlink()
        store.close()


def test_memory_does_not_grow_with_the_size_of_objects(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from emulator.storage.objects.store import DiskObjectStore

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

store = DiskObjectStore(Path(sys.argv[1]))
store.create_bucket("b")
body = lambda size: (bytes(1024**2) for _ in range(size // 1024**2))
store.put("b", "small", body(1024**2), attributes={})
b"".join(store.read(store.get("b", "small")))
before = peak()
size = 160 * 1024**2
assert store.put("b", "k", body(size), attributes={}).size == size
assert sum(map(len, store.read(store.get("b", "k")))) == size
upload = store.create_upload("b", "k", {})
parts = [store.put_part(upload, number, body(size // 4)) for number in range(1, 5)]
version = store.complete_upload(upload, parts, etag="e-4", attributes={})
store.copy(version, "b", "l", attributes={})
assert store.export("b", "l", Path(sys.argv[2])) == size
store.put_file("b", "m", Path(sys.argv[2]), attributes={})
print(peak() - before)
store.close()
"""
    command = [sys.executable, "-c", program, str(tmp_path / "objects"), str(tmp_path / "exported")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 40 * MIB


def test_files_stay_few_however_many_parts_are_read(tmp_path: Path) -> None:
    store = DiskObjectStore(tmp_path / "objects")
    store.create_bucket("b")
    upload = store.create_upload("b", "k", {})
    parts = [store.put_part(upload, number, [b"x"]) for number in range(1, 301)]
    version = store.complete_upload(upload, parts, etag="e-300", attributes={})
    list(store.read(version))
    before = open_below(tmp_path)
    readers = [store.read(version) for _ in range(20)]
    for reader in readers:
        next(reader)
    assert open_below(tmp_path) <= before + len(readers)
    for reader in readers:
        assert len(list(reader)) == 299
    assert open_below(tmp_path) <= before
    store.close()


def test_listing_looks_only_at_what_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a delimiter the keys below a common prefix are jumped over; a page starts where the last one ended."""
    store = DiskObjectStore(tmp_path / "objects")
    store.create_bucket("b")
    for number in range(2000):
        store.put("b", f"{number // 500}/{number:04}", [], attributes={})
    looked_at = []

    def counting(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
        looked_at.append(key)
        return original(key, prefix, delimiter)

    original = listing._common_prefix
    monkeypatch.setattr(listing, "_common_prefix", counting)
    assert store.list_objects("b", delimiter="/").prefixes == ("0/", "1/", "2/", "3/")
    assert len(looked_at) == 4
    looked_at.clear()
    marker: str | None = ""
    while marker is not None:
        marker = store.list_objects("b", after=marker, limit=100).next_marker
    assert len(looked_at) < 2 * 2000
    store.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (listing._LISTED, "listed_versions (bucket=? AND key>? AND key<?)"),
        (listing._SIZES, "listed_versions (bucket=? AND key>? AND key<?)"),
        (listing._ALL, "versions_by_age (bucket=? AND key>? AND key<?)"),
        (listing._OLDER, "versions_by_age (bucket=? AND key=? AND id<?)"),
    ],
)
def test_listings_seek_and_never_sort(tmp_path: Path, query: str, index: str) -> None:
    store = DiskObjectStore(tmp_path / "objects")
    with store._index.reading() as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", (1, b"a", b"b"))]
    assert plan == [f"SEARCH versions USING INDEX {index}"]
    store.close()


def test_a_limit_on_file_size_is_a_full_disk(tmp_path: Path) -> None:
    store = DiskObjectStore(tmp_path / "objects")
    store.create_bucket("b")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB, limits[1]))
    try:
        with pytest.raises(StoreFullError):
            store.put("b", "k", in_chunks(4 * MIB), attributes={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not files(tmp_path / "objects")
    store.put("b", "k", in_chunks(4 * MIB), attributes={})
    store.close()
