"""Versions, delete markers and multipart uploads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emulator.storage.objects.model import (
    NoSuchPartError,
    NoSuchUploadError,
    ObjectVersion,
    Versioning,
)
from emulator.storage.objects.store import DiskObjectStore

from .object_stores import content_of, in_threads, kept, put


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
        assert kept(root) == 2

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
        assert not kept(root)

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
        assert kept(root) == 2
        assert store.get_upload(upload.upload_id) is None

    def test_part_range_of_a_plain_object(self, store: DiskObjectStore) -> None:
        version = put(store, "k")
        assert (store.part_range(version, 1), store.part_range(version, 2)) == ((0, 7), None)

    def test_a_part_is_replaced(self, store: DiskObjectStore, root: Path) -> None:
        upload = store.create_upload("b", "k", {})
        old = store.put_part(upload, 1, [b"old"])
        new = store.put_part(upload, 1, [b"new"])
        assert kept(root) == 1
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
        assert not kept(root)

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
