"""The object store against a plain dict: any sequence of operations, any keys, any listing."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from emulator.storage.objects.model import Listing, ObjectVersion, Part, Upload, Versioning
from emulator.storage.objects.store import DiskObjectStore

# Few letters, so that keys meet; the last two sort otherwise in UTF-16.
KEYS = st.one_of(
    st.text("ab/", min_size=1, max_size=4),
    st.text("./-é\uffff\U0001f600", min_size=1, max_size=3),
    st.sampled_from(["..", "../../etc/passwd", "/", "//", "a//b/", "x" * 1024, "\0", "a\0", "%2F", "\U0010ffff"]),
)
CONTENTS = st.one_of(st.binary(max_size=20), st.integers(0, 255).map(lambda byte: bytes([byte]) * 70_000))
VERSIONINGS = st.sampled_from(Versioning)


@dataclass(frozen=True)
class Stored:
    """What the store should say of a version."""

    version: ObjectVersion
    content: bytes


@dataclass
class Pending:
    """An upload, and its parts with their contents."""

    upload: Upload
    parts: dict[int, tuple[Part, bytes]] = field(default_factory=dict)


class AnyOperations(RuleBasedStateMachine):
    """Versions of a key are kept newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="object-store-"))
        self.store = DiskObjectStore(self.folder)
        self.keys: dict[str, list[Stored]] = {}
        self.uploads: list[Pending] = []
        self.versioning = Versioning.OFF

    @initialize()
    def make_bucket(self) -> None:
        self.store.create_bucket("b")

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = DiskObjectStore(self.folder)

    @rule(versioning=st.sampled_from([Versioning.ENABLED, Versioning.SUSPENDED]))
    def set_versioning(self, versioning: Versioning) -> None:
        self.versioning = versioning

    @rule(key=KEYS, content=CONTENTS, number=st.integers(0, 9))
    def put(self, key: str, content: bytes, number: int) -> None:
        version = self.store.put("b", key, [content], attributes={"n": number}, versioning=self.versioning)
        assert version.etag == hashlib.md5(content).hexdigest()
        assert version.attributes == {"n": number}
        self.expect_added(version, content)

    @rule(key=KEYS, content=CONTENTS)
    def put_file(self, key: str, content: bytes) -> None:
        source = self.folder / "source"
        source.write_bytes(content)
        version = self.store.put_file(
            "b", key, source, attributes={}, versioning=self.versioning, consume=len(content) % 2 == 0
        )
        assert version.etag == hashlib.md5(content).hexdigest()
        self.expect_added(version, content)

    @precondition(lambda self: self.real_versions())
    @rule(data=st.data(), key=KEYS)
    def copy(self, data: st.DataObject, key: str) -> None:
        source = data.draw(st.sampled_from(self.real_versions()))
        target = data.draw(st.sampled_from([key, source.version.key]))
        version = self.store.copy(source.version, "b", target, attributes={"copied": True}, versioning=self.versioning)
        assert version.etag == hashlib.md5(source.content).hexdigest()
        self.expect_added(version, source.content)

    @rule(data=st.data(), key=KEYS)
    def delete(self, data: st.DataObject, key: str) -> None:
        key = data.draw(st.sampled_from([key, *self.keys]))
        marker = self.store.delete("b", key, versioning=self.versioning)
        if self.versioning is Versioning.OFF:
            assert marker is None
            self.expect_removed(key, "null")
        else:
            assert marker is not None
            self.expect_added(marker, b"")

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.keys)))
        stored = data.draw(st.sampled_from(self.keys[key]))
        removed = self.store.delete_version("b", key, stored.version.version_id)
        assert removed == self.shown(stored)
        self.expect_removed(key, stored.version.version_id)

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), number=st.integers())
    def set_attributes(self, data: st.DataObject, number: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.keys)))
        stored = data.draw(st.sampled_from(self.keys[key]))
        changed = self.store.set_attributes("b", key, stored.version.version_id, lambda old: {**old, "set": number})
        assert changed is not None
        place = self.keys[key].index(stored)
        self.keys[key][place] = replace(stored, version=changed)
        assert changed == self.shown(replace(stored, version=changed))

    @rule(key=KEYS)
    def create_upload(self, key: str) -> None:
        self.uploads.append(Pending(self.store.create_upload("b", key, {"k": key})))

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), number=st.integers(1, 4), content=CONTENTS)
    def put_part(self, data: st.DataObject, number: int, content: bytes) -> None:
        pending = data.draw(st.sampled_from(self.uploads))
        part = self.store.put_part(pending.upload, number, [content])
        pending.parts[number] = (part, content)

    @precondition(lambda self: self.uploads and self.real_versions())
    @rule(data=st.data(), number=st.integers(1, 4))
    def copy_part(self, data: st.DataObject, number: int) -> None:
        pending = data.draw(st.sampled_from(self.uploads))
        source = data.draw(st.sampled_from(self.real_versions()))
        start, end = sorted(data.draw(st.lists(st.integers(0, source.version.size), min_size=2, max_size=2)))
        part = self.store.copy_part(pending.upload, number, source.version, start, end)
        content = source.content[start:end]
        assert part == Part(number=number, size=end - start, etag=hashlib.md5(content).hexdigest())
        pending.parts[number] = (part, content)

    @precondition(lambda self: any(one.parts for one in self.uploads))
    @rule(data=st.data())
    def complete_upload(self, data: st.DataObject) -> None:
        pending = data.draw(st.sampled_from([one for one in self.uploads if one.parts]))
        numbers = data.draw(st.lists(st.sampled_from(sorted(pending.parts)), min_size=1, unique=True).map(sorted))
        chosen = [pending.parts[number] for number in numbers]
        version = self.store.complete_upload(
            pending.upload, [part for part, _ in chosen], etag="multi", attributes={}, versioning=self.versioning
        )
        assert version.parts == tuple(part for part, _ in chosen)
        self.uploads.remove(pending)
        self.expect_added(version, b"".join(content for _, content in chosen))

    @precondition(lambda self: self.uploads)
    @rule(data=st.data())
    def abort_upload(self, data: st.DataObject) -> None:
        pending = data.draw(st.sampled_from(self.uploads))
        self.store.abort_upload(pending.upload)
        self.uploads.remove(pending)

    @precondition(lambda self: self.real_versions())
    @rule(data=st.data())
    def read_a_range(self, data: st.DataObject) -> None:
        stored = data.draw(st.sampled_from(self.real_versions()))
        start, end = sorted(data.draw(st.lists(st.integers(0, stored.version.size), min_size=2, max_size=2)))
        assert b"".join(self.store.read(stored.version, start, end)) == stored.content[start:end]

    @invariant()
    def every_version_is_as_it_should_be(self) -> None:
        expected = [self.shown(one) for key in sorted(self.keys, key=str.encode) for one in self.keys[key]]
        listed = self.store.list_versions("b").objects if self.store.has_bucket("b") else ()
        assert list(listed) == [replace(one, parts=()) for one in expected]
        for version in expected:
            assert self.store.get("b", version.key, version.version_id) == version
        for key, versions in self.keys.items():
            assert self.store.get("b", key) == self.shown(versions[0])
            for stored in versions:
                if not stored.version.is_delete_marker:
                    assert b"".join(self.store.read(stored.version)) == stored.content

    @invariant()
    def current_versions_are_listed(self) -> None:
        if self.store.has_bucket("b"):
            expected = [one for one in self.store.list_versions("b").objects if one.is_latest]
            expected = [one for one in expected if not one.is_delete_marker]
            assert list(self.store.list_objects("b").objects) == expected
            assert self.store.sizes("b") == [(one.key, one.size) for one in expected]

    @invariant()
    def uploads_are_as_they_should_be(self) -> None:
        for pending in self.uploads:
            assert self.store.get_upload(pending.upload.upload_id) == pending.upload
            assert self.store.list_parts(pending.upload) == [pending.parts[n][0] for n in sorted(pending.parts)]

    @invariant()
    def no_file_is_left_over(self) -> None:
        assert self.store.sweep() == 0
        assert not any((self.folder / "tmp").iterdir())

    def real_versions(self) -> list[Stored]:
        return [one for versions in self.keys.values() for one in versions if not one.version.is_delete_marker]

    def shown(self, stored: Stored) -> ObjectVersion:
        return replace(stored.version, is_latest=self.keys[stored.version.key][0] == stored)

    def expect_added(self, version: ObjectVersion, content: bytes) -> None:
        assert (version.version_id == "null") == (self.versioning is not Versioning.ENABLED)
        if version.version_id == "null":
            self.expect_removed(version.key, "null")
        self.keys.setdefault(version.key, []).insert(0, Stored(version, content))

    def expect_removed(self, key: str, version_id: str) -> None:
        left = [one for one in self.keys.get(key, []) if one.version.version_id != version_id]
        self.keys[key] = left
        if not left:
            del self.keys[key]


AnyOperations.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyOperations = AnyOperations.TestCase


def entries(listing: Listing) -> list[str]:
    return sorted([one.key for one in listing.objects] + list(listing.prefixes), key=str.encode)


def rolled_up(keys: list[str], prefix: str, delimiter: str, after: str) -> list[str]:
    """Return what S3 lists, the slow way."""
    found = set()
    for key in keys:
        if key.startswith(prefix):
            place = key.find(delimiter, len(prefix)) if delimiter else -1
            found.add(key if place < 0 else key[: place + len(delimiter)])
    return sorted((one for one in found if one.encode() > after.encode()), key=str.encode)


@given(
    keys=st.lists(KEYS, unique=True, max_size=30),
    prefix=st.text("ab/\U0001f600", max_size=2),
    delimiter=st.sampled_from(["", "/", "a", "//", "ab", "\U0001f600"]),
    after=st.one_of(st.just(""), KEYS),
    limit=st.integers(1, 5),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_make_up_the_listing(
    listed_store: DiskObjectStore, *, keys: list[str], prefix: str, delimiter: str, after: str, limit: int
) -> None:
    store = listed_store
    for old in store.list_objects("b").objects:
        store.delete("b", old.key)
    for key in keys:
        store.put("b", key, [], attributes={})
    expected = rolled_up(keys, prefix, delimiter, after)
    found: list[str] = []
    marker: str | None = after
    while marker is not None:
        page = store.list_objects("b", prefix=prefix, delimiter=delimiter, after=marker, limit=limit)
        assert len(page.objects) + len(page.prefixes) <= limit
        assert page.is_truncated == (page.next_marker is not None)
        found += entries(page)
        marker = page.next_marker
    assert found == expected
    assert store.list_objects("b", limit=0) == Listing(objects=(), prefixes=(), is_truncated=False, next_marker=None)


@given(
    counts=st.dictionaries(KEYS, st.integers(1, 5), max_size=8),
    prefix=st.text("ab/", max_size=1),
    delimiter=st.sampled_from(["", "/", "a"]),
    limit=st.integers(1, 4),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_make_up_the_listing_of_versions(
    listed_store: DiskObjectStore, counts: dict[str, int], prefix: str, delimiter: str, limit: int
) -> None:
    store = listed_store
    for old in store.list_versions("b").objects:
        store.delete_version("b", old.key, old.version_id)
    expected = []
    for key in sorted(counts, key=str.encode):
        made = [store.put("b", key, [], attributes={}, versioning=Versioning.ENABLED) for _ in range(counts[key])]
        if key.startswith(prefix) and not (delimiter and delimiter in key.removeprefix(prefix)):
            expected += [(one.key, one.version_id) for one in reversed(made)]
    found = []
    prefixes: list[str] = []
    after: tuple[str, str] | None = ("", "")
    while after is not None:
        page = store.list_versions(
            "b", prefix=prefix, delimiter=delimiter, after_key=after[0], after_version=after[1], limit=limit
        )
        found += [(one.key, one.version_id) for one in page.objects]
        prefixes += page.prefixes
        assert len(page.objects) + len(page.prefixes) <= limit
        after = None if page.next_marker is None else (page.next_marker, page.next_version or "")
    assert found == expected
    rolled = [key for key in counts if key.startswith(prefix) and key not in dict(expected)]
    assert prefixes == rolled_up(rolled, prefix, delimiter, "")


def test_no_version_is_left_out_when_pages_are_deleted_as_they_come(listed_store: DiskObjectStore) -> None:
    store = listed_store
    made = {store.put("b", key, [], attributes={}, versioning=Versioning.ENABLED).version_id for key in "aaabbbb"}
    after: tuple[str, str] | None = ("", "")
    while after is not None:
        page = store.list_versions("b", after_key=after[0], after_version=after[1], limit=2)
        for one in page.objects:
            store.delete_version("b", one.key, one.version_id)
            made.discard(one.version_id)
        after = None if page.next_marker is None else (page.next_marker, page.next_version or "")
    assert not made


@pytest.fixture
def listed_store(tmp_path: Path) -> Iterator[DiskObjectStore]:
    store = DiskObjectStore(tmp_path / "objects")
    store.create_bucket("b")
    yield store
    store.close()
