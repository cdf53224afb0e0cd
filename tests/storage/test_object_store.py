"""Buckets, writing objects, and the folder that they lie in."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import UsageError
from emulator.storage.objects import index
from emulator.storage.objects.model import (
    BucketNotEmptyError,
    Hasher,
    NoSuchBucketError,
    ObjectVersion,
    Versioning,
)
from emulator.storage.objects.store import DiskObjectStore
from emulator.storage.schema import version_of

from .object_stores import MIB, content_of, files, in_threads, kept, put


class TestBuckets:
    def test_are_there_until_they_are_deleted(self, store: DiskObjectStore) -> None:
        store.create_bucket("a")
        store.create_bucket("a")
        assert store.buckets() == ["a", "b"]
        store.delete_bucket("a")
        assert not store.has_bucket("a")
        with pytest.raises(NoSuchBucketError):
            store.delete_bucket("a")

    def test_tell_what_is_in_them_now(self, store: DiskObjectStore) -> None:
        assert store.totals("b", 10) == (0, 0)
        for content in (b"old", b"newer"):
            put(store, "k", content, versioning=Versioning.ENABLED)
        put(store, "l", b"12")
        put(store, "deleted", b"x", versioning=Versioning.ENABLED)
        store.delete("b", "deleted", versioning=Versioning.ENABLED)
        assert store.totals("b", 10) == (2, 7)
        assert store.totals("b", 1) == (1, 5)
        with pytest.raises(NoSuchBucketError):
            store.totals("none", 10)

    def test_are_all_forgotten_at_one_moment_with_their_objects_and_uploads(
        self, store: DiskObjectStore, root: Path
    ) -> None:
        version = put(store, "k", versioning=Versioning.ENABLED)
        store.copy(version, "b", "copy", attributes={})
        put(store, "k", b"two", versioning=Versioning.ENABLED)
        store.delete("b", "k", versioning=Versioning.ENABLED)
        upload = store.create_upload("b", "u", {})
        store.put_part(upload, 1, [b"part"])
        reader = store.read(version)
        store.clear()
        assert store.buckets() == []
        assert store.get_upload(upload.upload_id) is None
        assert list(reader) == [b"content"], "who reads an object reads it to its end"
        assert files(root) == []
        with pytest.raises(NoSuchBucketError):
            put(store, "k")
        store.create_bucket("b")
        assert store.sizes("b") == []
        assert put(store, "k").serial > version.serial

    def test_with_objects_are_not_deleted(self, store: DiskObjectStore) -> None:
        put(store, "k", versioning=Versioning.ENABLED)
        store.delete("b", "k", versioning=Versioning.ENABLED)
        with pytest.raises(BucketNotEmptyError):
            store.delete_bucket("b")
        assert store.has_bucket("b")

    def test_take_their_uploads_with_them(self, store: DiskObjectStore, root: Path) -> None:
        upload = store.create_upload("b", "k", {})
        store.put_part(upload, 1, io.BytesIO(b"part"))
        store.delete_bucket("b")
        assert store.get_upload(upload.upload_id) is None
        assert not kept(root)

    def test_of_the_same_name_made_again_are_empty(self, store: DiskObjectStore) -> None:
        store.delete_bucket("b")
        store.create_bucket("b")
        assert store.list_objects("b").objects == ()

    def test_must_be_there(self, store: DiskObjectStore, root: Path) -> None:
        source = put(store, "k")
        upload = store.create_upload("b", "u", {})
        assert store.get("none", "k") is None
        for refused in (
            lambda: store.put("none", "k", [b"x"], attributes={}),
            lambda: store.copy(source, "none", "k", attributes={}),
            lambda: store.delete("none", "k"),
            lambda: store.list_objects("none"),
            lambda: store.list_versions("none"),
            lambda: store.create_upload("none", "k", {}),
            lambda: store.list_uploads("none"),
            lambda: store.sizes("none"),
        ):
            with pytest.raises(NoSuchBucketError):
                refused()
        store.abort_upload(upload)
        assert kept(root) == 1


class TestPut:
    @pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7])
    def test_bytes_come_back(self, store: DiskObjectStore, size: int) -> None:
        content = bytes(range(256)) * (size // 256 + 1)
        stored = put(store, "k", content[:size], attributes={"type": "text/plain", "meta": {"é": "ü"}})
        assert (stored.size, stored.etag) == (size, hashlib.md5(content[:size]).hexdigest())
        assert store.get("b", "k") == stored
        assert content_of(store, "k") == content[:size]

    def test_takes_chunks_of_any_size(self, store: DiskObjectStore) -> None:
        assert put(store, "k").etag == store.put("b", "k", [b"con", b"", b"tent"], attributes={}).etag
        assert content_of(store, "k") == b"content"

    def test_feeds_hashers_and_keeps_what_verification_adds(self, store: DiskObjectStore) -> None:
        class Crc32:
            value = 0

            def update(self, data: bytes) -> None:
                self.value = zlib.crc32(data, self.value)

            def digest(self) -> bytes:
                return self.value.to_bytes(4, "big")

        def verify(etag: str, size: int, digests: Mapping[str, bytes]) -> Mapping[str, Any]:
            return {"crc32": digests["crc32"].hex(), "seen": [etag, size]}

        hashers: dict[str, Hasher] = {"crc32": Crc32(), "sha256": hashlib.sha256()}
        stored = put(store, "k", b"x" * 2 * MIB, attributes={"a": 1}, hashers=hashers, verify=verify)
        assert stored.attributes == {
            "a": 1,
            "crc32": f"{zlib.crc32(b'x' * 2 * MIB):08x}",
            "seen": [stored.etag, 2 * MIB],
        }
        assert hashers["sha256"].digest() == hashlib.sha256(b"x" * 2 * MIB).digest()

    def test_refused_by_its_verification_changes_nothing(self, store: DiskObjectStore, root: Path) -> None:
        put(store, "k", b"old")

        def verify(etag: str, size: int, digests: Mapping[str, bytes]) -> None:
            raise ValueError(etag)

        with pytest.raises(ValueError, match=hashlib.md5(b"new").hexdigest()):
            put(store, "k", b"new", verify=verify)
        assert content_of(store, "k") == b"old"
        assert kept(root) == 1

    def test_whose_body_breaks_off_changes_nothing(self, store: DiskObjectStore, root: Path) -> None:
        def body() -> Iterator[bytes]:
            yield b"x" * MIB
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            store.put("b", "k", body(), attributes={})
        assert store.get("b", "k") is None
        assert not kept(root)

    def test_refused_by_its_precondition_changes_nothing(self, store: DiskObjectStore, root: Path) -> None:
        seen: list[ObjectVersion | None] = []

        def absent(current: ObjectVersion | None) -> None:
            seen.append(current)
            if current is not None:
                raise FileExistsError

        first = put(store, "k", b"first", precondition=absent)
        with pytest.raises(FileExistsError):
            put(store, "k", b"second", precondition=absent)
        assert seen == [None, first]
        assert content_of(store, "k") == b"first"
        assert kept(root) == 1

    def test_over_an_object_removes_the_old_bytes(self, store: DiskObjectStore, root: Path) -> None:
        put(store, "k", b"old")
        put(store, "k", b"new")
        assert kept(root) == 1

    def test_only_one_of_many_that_want_a_free_key_wins(self, store: DiskObjectStore) -> None:
        def absent(current: ObjectVersion | None) -> None:
            if current is not None:
                raise FileExistsError

        won = []

        def compete(number: int) -> None:
            with suppress(FileExistsError):
                won.append(put(store, "k", str(number).encode(), precondition=absent))

        in_threads(*[lambda number=number: compete(number) for number in range(16)])
        assert [store.get("b", "k")] == won


class TestPutFile:
    @pytest.mark.parametrize("size", [0, 10, 70_000, 3 * MIB])
    @pytest.mark.parametrize("consume", [False, True])
    def test_bytes_come_back(self, store: DiskObjectStore, tmp_path: Path, size: int, consume: bool) -> None:
        source = tmp_path / "file"
        source.write_bytes(b"x" * size)
        stored = store.put_file("b", "k", source, attributes={"a": 1}, consume=consume)
        assert (stored.size, stored.etag) == (size, hashlib.md5(b"x" * size).hexdigest())
        assert content_of(store, "k") == b"x" * size
        assert source.exists() is not consume

    def test_a_file_with_another_name_is_copied(self, store: DiskObjectStore, tmp_path: Path) -> None:
        source, other, link = tmp_path / "file", tmp_path / "other", tmp_path / "link"
        source.write_bytes(b"mine")
        other.hardlink_to(source)
        link.symlink_to(other)
        store.put_file("b", "hard", source, attributes={}, consume=True)
        store.put_file("b", "soft", link, attributes={}, consume=True)
        other.write_bytes(b"changed")
        assert content_of(store, "hard") == content_of(store, "soft") == b"mine"


class TestFolder:
    def test_everything_is_there_after_reopening(self, root: Path) -> None:
        store = DiskObjectStore(root)
        store.create_bucket("b")
        version = put(store, "k", attributes={"a": 1})
        upload = store.create_upload("b", "u", {"b": 2})
        part = store.put_part(upload, 3, [b"part"])
        store.close()
        store = DiskObjectStore(root)
        assert store.get("b", "k") == version
        assert content_of(store, "k") == b"content"
        assert (store.list_uploads("b"), store.list_parts(upload)) == ([upload], [part])
        store.close()

    def test_leftovers_are_removed_at_the_start(self, root: Path) -> None:
        store = DiskObjectStore(root)
        store.create_bucket("b")
        version = put(store, "k", b"x" * MIB)
        ((segment, _),) = store.segments(version)
        store.close()
        for name in (
            f"tmp/{'0' * 32}",
            f"segments/{segment.parent.name}/{segment.parent.name:0<32}",
            f"segments/ff/{'f' * 32}",
        ):
            path = root / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"left over")
        store = DiskObjectStore(root)
        store.sweep()
        assert files(root) == [segment]
        store.close()

    def test_sweeping_spares_what_is_being_written(self, store: DiskObjectStore) -> None:
        def body() -> Iterator[bytes]:
            yield b"first"
            assert store.sweep() == 0
            yield b"second"

        def precondition(current: ObjectVersion | None) -> None:
            assert store.sweep() == 0  # the file is in its place, its row is not there yet

        store.put("b", "k", body(), attributes={}, precondition=precondition)
        reader = store.read(put(store, "read"))
        store.delete("b", "read")
        assert store.sweep() == 0
        assert list(reader) == [b"content"]
        assert content_of(store, "k") == b"firstsecond"

    def test_of_a_newer_version_is_refused_and_left_alone(self, root: Path) -> None:
        stored_before(root, "UPDATE schema_version SET version = 99")
        for _ in range(2):
            with pytest.raises(
                UsageError, match=r"index\.sqlite has schema version 99, .* newer .* up to \d+\..*--state-dir"
            ):
                DiskObjectStore(root)

    def test_of_an_older_version_is_brought_up_to_date(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        stored_before(root)
        newer = (*index.MIGRATIONS, ("ALTER TABLE versions ADD COLUMN colour TEXT DEFAULT 'red'",))
        monkeypatch.setattr(index, "MIGRATIONS", newer)
        store = DiskObjectStore(root)
        assert content_of(store, "key") == b"content"
        store.close()
        assert version_of(root / index.INDEX_FILE) == len(newer)
        with closing(sqlite3.connect(root / index.INDEX_FILE)) as connection:
            assert connection.execute("SELECT key, colour FROM versions").fetchall() == [(b"key", "red")]

    def test_of_before_there_was_a_table_of_the_version(self, root: Path) -> None:
        stored_before(root, "DROP TABLE schema_version", f"PRAGMA user_version = {len(index.MIGRATIONS)}")
        for _ in range(2):
            store = DiskObjectStore(root)
            assert content_of(store, "key") == b"content"
            store.close()
            assert version_of(root / index.INDEX_FILE) == len(index.MIGRATIONS)

    def test_that_is_no_index_is_refused(self, root: Path) -> None:
        root.mkdir()
        (root / "index.sqlite").write_bytes(b"no database at all" * 100)
        with pytest.raises(UsageError, match="cannot be used as a database"):
            DiskObjectStore(root)


def stored_before(root: Path, *statements: str) -> None:
    """Leave a store with one object; then change its index."""
    store = DiskObjectStore(root)
    store.create_bucket("b")
    put(store, "key")
    store.close()
    with closing(sqlite3.connect(root / index.INDEX_FILE)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
