"""Small objects, whose bytes are in the index, beside those of one byte more, which have a file."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emulator.storage.objects import index
from emulator.storage.objects.listing import _ALL, _LISTED, _OLDER, _SIZES
from emulator.storage.objects.model import ObjectVersion, Versioning
from emulator.storage.objects.segments import SMALL
from emulator.storage.objects.store import DiskObjectStore
from emulator.storage.schema import version_of

from .object_stores import MIB, content_of, contents, files, put

SIZES = [0, 1, SMALL - 1, SMALL, SMALL + 1]


@pytest.fixture
def store(root: Path) -> Iterator[DiskObjectStore]:
    store = DiskObjectStore(root)
    store.create_bucket("b")
    yield store
    store.close()


def of_size(size: int) -> bytes:
    return bytes(number % 251 for number in range(size))


def where(root: Path) -> tuple[int, int]:
    """Return how many contents the index has, and how many files there are."""
    return contents(root), len(files(root))


def lies(size: int) -> tuple[int, int]:
    return (int(0 < size <= SMALL), int(size > SMALL))


@pytest.mark.parametrize("size", SIZES)
class TestBoundary:
    def test_put(self, store: DiskObjectStore, root: Path, size: int) -> None:
        stored = put(store, "k", of_size(size))
        assert (stored.size, stored.etag) == (size, hashlib.md5(of_size(size)).hexdigest())
        assert content_of(store, "k") == of_size(size)
        assert where(root) == lies(size)
        assert sum(length for _, length in store.segments(stored)) == (size if size > SMALL else 0)

    def test_put_byte_by_byte(self, store: DiskObjectStore, root: Path, size: int) -> None:
        store.put("b", "k", (bytes([one]) for one in of_size(size)), attributes={})
        assert content_of(store, "k") == of_size(size)
        assert where(root) == lies(size)

    @pytest.mark.parametrize("consume", [False, True])
    def test_put_file(self, store: DiskObjectStore, root: Path, tmp_path: Path, size: int, consume: bool) -> None:
        source = tmp_path / "source"
        source.write_bytes(of_size(size))
        stored = store.put_file("b", "k", source, attributes={}, consume=consume)
        assert stored.etag == hashlib.md5(of_size(size)).hexdigest()
        assert content_of(store, "k") == of_size(size)
        assert where(root) == lies(size)
        assert source.exists() is not consume

    def test_ranges(self, store: DiskObjectStore, size: int) -> None:
        version = put(store, "k", of_size(size))
        for start, end in [(0, size), (0, min(1, size)), (size // 2, size), (size // 3, size // 2), (size, size)]:
            with store.read(version, start, end) as reader:
                assert sum(span.length for span in reader.spans) == (end - start if size > SMALL else 0)
                assert b"".join(reader) == of_size(size)[start:end]

    def test_export(self, store: DiskObjectStore, tmp_path: Path, size: int) -> None:
        put(store, "k", of_size(size))
        assert store.export("b", "k", tmp_path / "exported") == size
        assert (tmp_path / "exported").read_bytes() == of_size(size)
        with pytest.raises(FileExistsError):
            store.export("b", "k", tmp_path / "exported")

    def test_copy(self, store: DiskObjectStore, root: Path, size: int) -> None:
        source = put(store, "k", of_size(size))
        copied = store.copy(source, "b", "l", attributes={})
        assert len(files(root)) == lies(size)[1]
        store.delete("b", "k")
        assert content_of(store, "l") == of_size(size)
        again = store.copy(copied, "b", "l", attributes={"a": 1})
        assert (again.etag, again.attributes) == (source.etag, {"a": 1})
        assert content_of(store, "l") == of_size(size)
        assert where(root) == lies(size)

    def test_part_is_a_file(self, store: DiskObjectStore, root: Path, size: int) -> None:
        upload = store.create_upload("b", "k", {})
        part = store.put_part(upload, 1, [of_size(size)])
        version = store.complete_upload(upload, [part], etag="e-1", attributes={})
        assert where(root) == (0, int(size > 0))
        assert content_of(store, "k") == of_size(size)
        assert store.copy(version, "b", "l", attributes={}).etag == hashlib.md5(of_size(size)).hexdigest()
        assert content_of(store, "l") == of_size(size)

    def test_part_of_an_object(self, store: DiskObjectStore, size: int) -> None:
        source = put(store, "k", of_size(size))
        upload = store.create_upload("b", "m", {})
        parts = [store.copy_part(upload, 1, source, 0, size), store.copy_part(upload, 2, source, size // 2, size)]
        store.complete_upload(upload, parts, etag="e-2", attributes={})
        store.delete("b", "k")
        assert content_of(store, "m") == of_size(size) + of_size(size)[size // 2 :]

    def test_is_read_to_its_end_when_it_is_deleted(self, store: DiskObjectStore, root: Path, size: int) -> None:
        reader = store.read(put(store, "k", of_size(size)))
        store.delete("b", "k")
        assert b"".join(reader) == of_size(size)
        assert where(root) == (0, 0)

    def test_versions_keep_their_own(self, store: DiskObjectStore, root: Path, size: int) -> None:
        sizes = [1, size, SMALL + 1, size]
        made = [put(store, "k", of_size(each), versioning=Versioning.ENABLED) for each in sizes]
        for version, each in zip(made, sizes, strict=True):
            assert content_of(store, "k", version.version_id) == of_size(each)
        for version in made:
            store.delete_version("b", "k", version.version_id)
        assert where(root) == (0, 0)

    def test_survives_a_change_of_attributes(self, store: DiskObjectStore, size: int) -> None:
        put(store, "k", of_size(size))
        store.set_attributes("b", "k", "null", lambda _: {"a": "x" * 10_000})
        assert content_of(store, "k") == of_size(size)


def test_small_and_large_take_each_others_place(store: DiskObjectStore, root: Path) -> None:
    for size in [1, SMALL + 1, SMALL, 0, SMALL + 1, 5]:
        put(store, "k", of_size(size))
        assert content_of(store, "k") == of_size(size)
        assert where(root) == lies(size)
    store.clear()
    assert where(root) == (0, 0)


def test_what_is_refused_leaves_nothing(store: DiskObjectStore, root: Path) -> None:
    def refuse(_: ObjectVersion | None) -> None:
        raise PermissionError

    for size in SIZES:
        with pytest.raises(PermissionError):
            put(store, "k", of_size(size), precondition=refuse)
    assert where(root) == (0, 0)


@pytest.mark.parametrize("query", [_LISTED, _SIZES, _ALL, _OLDER])
def test_listings_never_look_at_contents(store: DiskObjectStore, root: Path, query: str) -> None:
    with closing(sqlite3.connect(root / index.INDEX_FILE)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'contents'").fetchone()
        opened = {row[3] for row in connection.execute(f"EXPLAIN {query}", (1, b"a", b"b")) if row[1] == "OpenRead"}
    assert opened
    assert page not in opened


def test_a_store_of_before_keeps_its_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first version of the index had all bytes in files: they stay there, and what comes is kept as it is now."""
    with monkeypatch.context() as before:
        before.setattr("emulator.storage.objects.segments.SMALL", 0)
        store = DiskObjectStore(root)
        store.create_bucket("b")
        put(store, "old", b"old")
        put(store, "replaced", b"replaced")
        store.close()
    with closing(sqlite3.connect(root / index.INDEX_FILE)) as connection, connection:
        connection.execute("DROP TABLE contents")
        connection.execute("UPDATE schema_version SET version = 1")
    store = DiskObjectStore(root)
    assert version_of(root / index.INDEX_FILE) == len(index.MIGRATIONS)
    assert content_of(store, "old") == b"old"
    put(store, "replaced", b"new")
    assert content_of(store, "replaced") == b"new"
    assert where(root) == (1, 1)
    store.close()


def test_room_of_what_was_removed_goes_back_to_the_disk(root: Path) -> None:
    def fill(store: DiskObjectStore) -> None:
        for number in range(900):
            put(store, str(number), bytes([number % 256]) * SMALL)

    def size() -> int:
        return sum(path.stat().st_size for path in root.glob("index.sqlite*"))

    store = DiskObjectStore(root)
    store.create_bucket("b")
    fill(store)
    assert size() > 900 * SMALL
    store.clear()
    assert size() < 2 * MIB
    store.create_bucket("b")
    fill(store)
    for number in range(1, 900):
        store.delete("b", str(number))
    store.close()
    assert size() > 800 * SMALL
    store = DiskObjectStore(root)
    store.close()
    assert size() < 2 * MIB
    store = DiskObjectStore(root)
    assert content_of(store, "0") == bytes(SMALL)
    store.close()
