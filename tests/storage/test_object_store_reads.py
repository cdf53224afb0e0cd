"""Reading and copying: ranges, bytes that stay while they are read, and threads that meet."""

from __future__ import annotations

import gc
import hashlib
import random
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from emulator.storage.objects.model import (
    ObjectVersion,
    VersionGoneError,
)
from emulator.storage.objects.store import DiskObjectStore

from .object_stores import MIB, content_of, files, in_threads, kept, put


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
        assert kept(root) == 3
        assert b"".join(begun) == b"\x02" * 10 + b"\x03" * 10
        assert b"".join(unbegun)[::10] == b"\x01\x02\x03"
        assert not kept(root)

    def test_that_is_given_up_lets_the_files_go(self, store: DiskObjectStore, root: Path) -> None:
        closed, forgotten = (store.read(put(store, key, b"x" * MIB)) for key in ("closed", "forgotten"))
        store.delete("b", "closed")
        store.delete("b", "forgotten")
        assert kept(root) == 2
        closed.close()
        assert list(closed) == []
        del forgotten
        gc.collect()
        store.delete("b", "none")
        assert not kept(root)

    def test_never_mixes_two_versions_of_a_key(self, store: DiskObjectStore) -> None:
        old = put(store, "k", b"old")
        put(store, "k", b"new")
        with pytest.raises(VersionGoneError):
            store.read(old)
        with pytest.raises(VersionGoneError):
            store.segments(old)

    def test_says_when_bytes_are_lost(self, store: DiskObjectStore, tmp_path: Path) -> None:
        lost, short = put(store, "lost", b"x" * MIB), put(store, "short", b"x" * MIB)
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
            is_last = False
            while not is_last:
                is_last = done.is_set()
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
        source = put(store, "k", b"x" * MIB, attributes={"a": 1})
        copied = store.copy(source, "b", "l", attributes={"b": 2})
        assert (copied.etag, copied.size, copied.attributes) == (source.etag, source.size, {"b": 2})
        assert kept(root) == 1
        store.delete("b", "k")
        assert content_of(store, "l") == b"x" * MIB
        store.delete("b", "l")
        assert not kept(root)

    def test_onto_itself_keeps_the_bytes(self, store: DiskObjectStore, root: Path) -> None:
        source = put(store, "k", attributes={"a": 1})
        store.copy(source, "b", "k", attributes={"a": 2})
        assert content_of(store, "k") == b"content"
        assert kept(root) == 1

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
        assert not kept(root)


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
    assert not kept(root)
