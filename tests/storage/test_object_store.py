"""The object store keeps bytes and versions: what each operation promises, one at a time."""

from __future__ import annotations

import gc
import hashlib
import io
import random
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import UsageError
from emulator.storage.objects.model import (
    BucketNotEmptyError,
    Hasher,
    NoSuchBucketError,
    NoSuchPartError,
    NoSuchUploadError,
    ObjectVersion,
    VersionGoneError,
    Versioning,
)
from emulator.storage.objects.store import DiskObjectStore

MIB = 1024**2


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(root: Path) -> Iterator[DiskObjectStore]:
    store = DiskObjectStore(root)
    store.create_bucket("b")
    yield store
    assert store.sweep() == 0, "operations left files behind"
    store.close()


def put(store: DiskObjectStore, key: str, content: bytes = b"content", **options: Any) -> ObjectVersion:
    return store.put("b", key, io.BytesIO(content), **{"attributes": {}, **options})


def content_of(store: DiskObjectStore, key: str, version_id: str | None = None) -> bytes:
    version = store.get("b", key, version_id)
    assert version is not None
    return b"".join(store.read(version))


def files(root: Path) -> list[Path]:
    return [path for folder in ("segments", "tmp") for path in (root / folder).rglob("*") if path.is_file()]


class TestBuckets:
    def test_are_there_until_they_are_deleted(self, store: DiskObjectStore) -> None:
        store.create_bucket("a")
        store.create_bucket("a")
        assert store.buckets() == ["a", "b"]
        store.delete_bucket("a")
        assert not store.has_bucket("a")
        with pytest.raises(NoSuchBucketError):
            store.delete_bucket("a")

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
        assert not files(root)

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
        assert len(files(root)) == 1


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
        assert len(files(root)) == 1

    def test_whose_body_breaks_off_changes_nothing(self, store: DiskObjectStore, root: Path) -> None:
        def body() -> Iterator[bytes]:
            yield b"x" * MIB
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            store.put("b", "k", body(), attributes={})
        assert store.get("b", "k") is None
        assert not files(root)

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
        assert len(files(root)) == 1

    def test_over_an_object_removes_the_old_bytes(self, store: DiskObjectStore, root: Path) -> None:
        put(store, "k", b"old")
        put(store, "k", b"new")
        assert len(files(root)) == 1

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


class TestRead:
    def test_ranges_of_one_file_and_of_many(self, store: DiskObjectStore) -> None:
        content = bytes(range(251)) * 20_000
        put(store, "one", content)
        upload = store.create_upload("b", "many", {})
        cuts = [0, 3 * MIB, 3 * MIB, 3 * MIB + 1, len(content)]
        pairs = pairwise(cuts)
        parts = [store.put_part(upload, number, [content[a:b]]) for number, (a, b) in enumerate(pairs, 1)]
        store.complete_upload(upload, parts, etag="e-4", attributes={})
        for key in ("one", "many"):
            version = store.get("b", key)
            assert version is not None
            for start, end in [(0, 1), (5, 5), (MIB - 1, MIB + 1), (3 * MIB - 1, 3 * MIB + 2), (17, len(content))]:
                assert b"".join(store.read(version, start, end)) == content[start:end], (key, start, end)
            assert b"".join(store.read(version)) == content
            assert b"".join(path.read_bytes()[:size] for path, size in store.segments(version)) == content
            with store.read(version, 10, 4 * MIB) as reader:
                stretches = [span.path.read_bytes()[span.offset :][: span.length] for span in reader.spans]
            assert b"".join(stretches) == content[10 : 4 * MIB]

    def test_goes_on_when_the_object_is_deleted(self, store: DiskObjectStore, root: Path) -> None:
        upload = store.create_upload("b", "k", {})
        parts = [store.put_part(upload, number, [bytes([number]) * 10]) for number in (1, 2, 3)]
        version = store.complete_upload(upload, parts, etag="e-3", attributes={})
        begun, unbegun = store.read(version), store.read(version)
        assert next(begun) == b"\x01" * 10
        store.delete("b", "k")
        assert len(files(root)) == 3
        assert b"".join(begun) == b"\x02" * 10 + b"\x03" * 10
        assert b"".join(unbegun)[::10] == b"\x01\x02\x03"
        assert not files(root)

    def test_that_is_given_up_lets_the_files_go(self, store: DiskObjectStore, root: Path) -> None:
        closed, forgotten = store.read(put(store, "closed")), store.read(put(store, "forgotten"))
        store.delete("b", "closed")
        store.delete("b", "forgotten")
        assert len(files(root)) == 2
        closed.close()
        assert list(closed) == []
        del forgotten
        gc.collect()
        store.delete("b", "none")
        assert not files(root)

    def test_never_mixes_two_versions_of_a_key(self, store: DiskObjectStore) -> None:
        old = put(store, "k", b"old")
        put(store, "k", b"new")
        with pytest.raises(VersionGoneError):
            store.read(old)
        with pytest.raises(VersionGoneError):
            store.segments(old)

    def test_says_when_bytes_are_lost(self, store: DiskObjectStore, tmp_path: Path) -> None:
        lost, short = put(store, "lost"), put(store, "short")
        store.segments(lost)[0][0].unlink()
        store.segments(short)[0][0].write_bytes(b"con")
        with pytest.raises(OSError, match="has lost the bytes of s3://b/lost"):
            store.read(lost)
        with pytest.raises(OSError, match="has lost the bytes of s3://b/lost"):
            store.export("b", "lost", tmp_path / "exported")
        with pytest.raises(OSError, match="shorter"):
            list(store.read(short))
        with pytest.raises(OSError, match="shorter"):
            store.export("b", "short", tmp_path / "exported")
        assert not (tmp_path / "exported").exists()

    def test_of_a_deleted_version_says_so(self, store: DiskObjectStore) -> None:
        version = put(store, "k")
        store.delete("b", "k")
        with pytest.raises(VersionGoneError):
            store.read(version)
        with pytest.raises(VersionGoneError):
            store.copy(version, "b", "l", attributes={})

    def test_races_with_replacement(self, store: DiskObjectStore) -> None:
        """Whoever reads gets one version whole, or is told that it is gone."""
        put(store, "k", b"\0" * 1000)
        done = threading.Event()
        seen: set[bytes] = set()

        def replace() -> None:
            for number in range(300):
                put(store, "k", bytes([number % 256]) * 1000)
                if number % 7 == 0:
                    store.delete("b", "k")
            done.set()

        def read() -> None:
            while not done.is_set():
                version = store.get("b", "k")
                if version is not None:
                    try:
                        content = b"".join(store.read(version))
                    except VersionGoneError:
                        continue
                    assert hashlib.md5(content).hexdigest() == version.etag
                    seen.add(content)

        in_threads(replace, read, read, read)
        assert seen


class TestCopy:
    def test_shares_the_file_until_nobody_needs_it(self, store: DiskObjectStore, root: Path) -> None:
        source = put(store, "k", attributes={"a": 1})
        copied = store.copy(source, "b", "l", attributes={"b": 2})
        assert (copied.etag, copied.size, copied.attributes) == (source.etag, source.size, {"b": 2})
        assert len(files(root)) == 1
        store.delete("b", "k")
        assert content_of(store, "l") == b"content"
        store.delete("b", "l")
        assert not files(root)

    def test_onto_itself_keeps_the_bytes(self, store: DiskObjectStore, root: Path) -> None:
        source = put(store, "k", attributes={"a": 1})
        store.copy(source, "b", "k", attributes={"a": 2})
        assert content_of(store, "k") == b"content"
        assert len(files(root)) == 1

    def test_of_a_multipart_object_is_a_plain_one(self, store: DiskObjectStore) -> None:
        upload = store.create_upload("b", "k", {})
        parts = [store.put_part(upload, number, [b"part%d" % number]) for number in (1, 2)]
        source = store.complete_upload(upload, parts, etag="e-2", attributes={})
        copied = store.copy(source, "b", "l", attributes={})
        assert (copied.etag, copied.parts) == (hashlib.md5(b"part1part2").hexdigest(), ())
        assert content_of(store, "l") == b"part1part2"

    def test_asks_its_precondition(self, store: DiskObjectStore, root: Path) -> None:
        def refuse(current: ObjectVersion | None) -> None:
            raise PermissionError

        with pytest.raises(PermissionError):
            store.copy(put(store, "k"), "b", "l", attributes={}, precondition=refuse)
        store.delete("b", "k")
        assert not files(root)


class TestVersions:
    def test_are_kept_while_versioning_is_enabled(self, store: DiskObjectStore) -> None:
        null = put(store, "k", b"null")
        one, two = (put(store, "k", name, versioning=Versioning.ENABLED) for name in (b"one", b"two"))
        assert null.version_id == "null"
        assert len({one.version_id, two.version_id, "null"}) == 3
        assert content_of(store, "k") == b"two"
        assert [content_of(store, "k", one.version_id) for one in (null, one, two)] == [b"null", b"one", b"two"]
        listed = store.list_versions("b").objects
        assert [(one.version_id, one.is_latest) for one in listed] == [
            (two.version_id, True),
            (one.version_id, False),
            ("null", False),
        ]

    def test_null_one_is_replaced_while_versioning_is_suspended(self, store: DiskObjectStore, root: Path) -> None:
        put(store, "k", b"null")
        one = put(store, "k", b"one", versioning=Versioning.ENABLED)
        again = put(store, "k", b"again", versioning=Versioning.SUSPENDED)
        assert again.version_id == "null"
        assert [found.version_id for found in store.list_versions("b").objects] == ["null", one.version_id]
        assert content_of(store, "k") == b"again"
        assert len(files(root)) == 2

    def test_are_hidden_by_a_delete_marker(self, store: DiskObjectStore) -> None:
        one = put(store, "k", versioning=Versioning.ENABLED)
        marker = store.delete("b", "k", versioning=Versioning.ENABLED)
        assert marker is not None
        assert marker == store.get("b", "k")
        assert (marker.is_delete_marker, marker.size, marker.etag) == (True, 0, "")
        assert store.list_objects("b").objects == ()
        assert store.sizes("b") == []
        assert store.delete_version("b", "k", marker.version_id) == marker
        assert store.get("b", "k") == one
        assert [found.key for found in store.list_objects("b").objects] == ["k"]

    def test_suspended_delete_removes_the_null_version(self, store: DiskObjectStore, root: Path) -> None:
        put(store, "k")
        marker = store.delete("b", "k", versioning=Versioning.SUSPENDED)
        assert marker is not None
        assert marker.version_id == "null"
        assert [found.is_delete_marker for found in store.list_versions("b").objects] == [True]
        assert not files(root)

    def test_a_marker_is_made_for_a_key_that_never_was(self, store: DiskObjectStore) -> None:
        assert store.delete("b", "k") is None
        assert store.delete("b", "k", versioning=Versioning.ENABLED) is not None

    def test_removing_the_latest_promotes_the_newest_of_the_others(self, store: DiskObjectStore) -> None:
        versions = [put(store, "k", str(n).encode(), versioning=Versioning.ENABLED) for n in range(3)]
        store.delete_version("b", "k", versions[1].version_id)
        store.delete_version("b", "k", versions[2].version_id)
        assert store.get("b", "k") == versions[0]
        assert store.delete_version("b", "k", "none") is None

    def test_a_precondition_protects_what_is_to_be_removed(self, store: DiskObjectStore) -> None:
        version = put(store, "k")
        seen: list[ObjectVersion | None] = []

        def locked(current: ObjectVersion | None) -> None:
            seen.append(current)
            raise PermissionError

        with pytest.raises(PermissionError):
            store.delete_version("b", "k", "null", precondition=locked)
        with pytest.raises(PermissionError):
            store.delete("b", "k", precondition=locked)
        with pytest.raises(PermissionError):
            store.delete("b", "k", precondition=locked, versioning=Versioning.ENABLED)
        assert seen == [version] * 3
        assert store.get("b", "k") == version

    def test_attributes_are_changed_with_nobody_in_between(self, store: DiskObjectStore) -> None:
        put(store, "k", attributes={"count": 0})

        def count(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
            return {"count": attributes["count"] + 1}

        in_threads(*[lambda: store.set_attributes("b", "k", "null", count)] * 20)
        version = store.get("b", "k")
        assert version is not None
        assert version.attributes == {"count": 20}
        assert store.set_attributes("b", "none", "null", count) is None


class TestMultipart:
    def test_publishes_the_chosen_parts(self, store: DiskObjectStore, root: Path) -> None:
        upload = store.create_upload("b", "k", {"type": "x"})
        assert store.get_upload(upload.upload_id) == upload
        parts = [store.put_part(upload, number, [b"part%d" % number]) for number in (1, 2, 9)]
        assert store.list_parts(upload) == parts
        assert store.get("b", "k") is None
        chosen = [parts[0], parts[2]]
        version = store.complete_upload(upload, chosen, etag="e-2", attributes=upload.attributes)
        assert (version.etag, version.size, version.parts) == ("e-2", 10, tuple(chosen))
        assert store.get("b", "k") == version
        assert content_of(store, "k") == b"part1part9"
        assert [store.part_range(version, number) for number in (1, 2, 9)] == [(0, 5), None, (5, 10)]
        assert len(files(root)) == 2
        assert store.get_upload(upload.upload_id) is None

    def test_part_range_of_a_plain_object(self, store: DiskObjectStore) -> None:
        version = put(store, "k")
        assert (store.part_range(version, 1), store.part_range(version, 2)) == ((0, 7), None)

    def test_a_part_is_replaced(self, store: DiskObjectStore, root: Path) -> None:
        upload = store.create_upload("b", "k", {})
        old = store.put_part(upload, 1, [b"old"])
        new = store.put_part(upload, 1, [b"new"])
        assert len(files(root)) == 1
        with pytest.raises(NoSuchPartError):
            store.complete_upload(upload, [old], etag="e-1", attributes={})
        for chosen in ([new, new], [new, old]):
            with pytest.raises(NoSuchPartError):
                store.complete_upload(upload, chosen, etag="e-1", attributes={})
        store.complete_upload(upload, [new], etag="e-1", attributes={})
        assert content_of(store, "k") == b"new"

    def test_a_part_may_be_empty(self, store: DiskObjectStore) -> None:
        upload = store.create_upload("b", "k", {})
        version = store.complete_upload(upload, [store.put_part(upload, 1, [])], etag="e-1", attributes={})
        assert (version.size, content_of(store, "k")) == (0, b"")

    def test_a_part_is_copied_of_a_range(self, store: DiskObjectStore) -> None:
        first = store.create_upload("b", "source", {})
        parts = [store.put_part(first, number, [bytes([number]) * 100_000]) for number in (1, 2)]
        source = store.complete_upload(first, parts, etag="e-2", attributes={})
        upload = store.create_upload("b", "k", {})
        part = store.copy_part(upload, 1, source, 99_999, 180_000)
        expected = b"\x01" + b"\x02" * 80_000
        assert (part.size, part.etag) == (80_001, hashlib.md5(expected).hexdigest())
        store.complete_upload(upload, [part], etag="e-1", attributes={})
        assert content_of(store, "k") == expected

    def test_once_over_takes_nothing_more(self, store: DiskObjectStore, root: Path) -> None:
        upload = store.create_upload("b", "k", {})
        part = store.put_part(upload, 1, [b"part"])
        store.abort_upload(upload)
        store.abort_upload(upload)
        with pytest.raises(NoSuchUploadError):
            store.put_part(upload, 2, [b"part"])
        with pytest.raises(NoSuchUploadError):
            store.complete_upload(upload, [part], etag="e-1", attributes={})
        assert store.list_parts(upload) == []
        assert not files(root)

    def test_refused_by_its_precondition_goes_on(self, store: DiskObjectStore) -> None:
        upload = store.create_upload("b", "k", {})
        part = store.put_part(upload, 1, [b"part"])

        def refuse(current: ObjectVersion | None) -> None:
            raise FileExistsError

        with pytest.raises(FileExistsError):
            store.complete_upload(upload, [part], etag="e-1", attributes={}, precondition=refuse)
        assert store.complete_upload(upload, [part], etag="e-1", attributes={}).size == 4

    def test_uploads_are_listed_by_key_then_by_start(self, store: DiskObjectStore) -> None:
        uploads = [store.create_upload("b", key, {}) for key in ("b/2", "a", "b/1", "b/2", "ü")]
        by_key = sorted(uploads, key=lambda one: (one.key.encode(), one.initiated, one.upload_id))
        assert store.list_uploads("b") == by_key
        assert store.list_uploads("b", "b/") == by_key[1:4]


def test_threads_on_the_same_keys_leave_the_store_whole(store: DiskObjectStore, root: Path) -> None:
    """Put, copy, multipart, delete and read as they come; what is left is whole, and so are its files."""

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for step in range(80):
            key = chance.choice("xyz")
            version = store.get("b", chance.choice("xyz"))
            with suppress(VersionGoneError):
                match chance.randrange(6):
                    case 0 | 1:
                        put(store, key, chance.randbytes(chance.randrange(3000)))
                    case 2 if version is not None:
                        store.copy(version, "b", key, attributes={})
                    case 3 if version is not None and not version.parts:
                        assert hashlib.md5(b"".join(store.read(version))).hexdigest() == version.etag
                    case 4:
                        upload = store.create_upload("b", key, {})
                        parts = [store.put_part(upload, number, [b"%d" % step]) for number in (1, 2)]
                        store.complete_upload(upload, parts, etag="e-2", attributes={})
                    case _:
                        store.delete("b", key)

    in_threads(*[lambda seed=seed: work(seed) for seed in range(8)])
    left = store.list_objects("b").objects
    assert sum(len(b"".join(store.read(one))) for one in left) == sum(one.size for one in left)
    assert {path for one in left for path, _ in store.segments(one)} == set(files(root))
    for one in left:
        store.delete("b", one.key)
    assert not files(root)


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
        version = put(store, "k")
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

    def test_of_another_format_is_refused(self, root: Path) -> None:
        DiskObjectStore(root).close()
        with sqlite3.connect(root / "index.sqlite") as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        with pytest.raises(UsageError, match="format 99"):
            DiskObjectStore(root)

    def test_that_is_no_index_is_refused(self, root: Path) -> None:
        root.mkdir()
        (root / "index.sqlite").write_bytes(b"no database at all" * 100)
        with pytest.raises(UsageError, match="not a database"):
            DiskObjectStore(root)


def in_threads(*tasks: Any) -> None:
    """Run tasks side by side; the first failure of one fails the test."""
    failures: list[BaseException] = []

    def run(task: Any) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
