"""A bucket's objects as moto sees them: the object store, in the form of moto's own index.

moto's other services read and write S3 inside this process (templates of CloudFormation, code of Lambda,
access logs, exports). They find in the store what clients put there, and what they write is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey
from moto.s3.utils import _VersionedKeyStore

from .objects.model import NoSuchBucketError, ObjectStore, ObjectVersion, Versioning


def versioning_of(bucket: FakeBucket) -> Versioning:
    """Return a bucket's versioning in our terms."""
    return Versioning(bucket.versioning_status or "Off")


class StoredKey(FakeKey):
    """An object of the store; its bytes are read when moto asks for them."""

    def __init__(self, store: ObjectStore, version: ObjectVersion, bucket: FakeBucket) -> None:
        super().__init__(
            version.key,
            b"",
            account_id=bucket.account_id,
            region_name=bucket.region_name,
            storage=version.attributes.get("storage_class"),
            etag=version.etag,
            is_versioned=bucket.is_versioned,
            version_id=version.version_id,
            bucket_name=bucket.name,
        )
        self.dispose()  # it owns nothing
        self.contentsize = version.size
        self.last_modified = datetime.fromtimestamp(version.last_modified, UTC).replace(tzinfo=None)
        self._metadata.update(version.attributes.get("headers", {}))
        self._metadata.update(
            {f"x-amz-meta-{name}": value for name, value in version.attributes.get("metadata", {}).items()}
        )
        self._store = store
        self._version = version

    @property
    def value(self) -> bytes:
        with self._store.read(self._version) as reader:
            return b"".join(reader)

    @value.setter
    def value(self, new_value: bytes) -> None:
        """Take no bytes: they are the store's."""


class StoredKeys(_VersionedKeyStore):
    """Takes the place of `FakeBucket.keys`."""

    def __init__(self, store: ObjectStore, bucket: FakeBucket) -> None:
        super().__init__()
        self.store = store
        self._bucket = bucket

    def adopt(self, keys: _VersionedKeyStore) -> None:
        """Store the objects that a service put into the bucket before we knew of it."""
        for name, versions in keys.lists():
            self.setlist(name, versions)

    def getlist(self, key: str, default: Any = None) -> Any:
        return self._versions(key) or default

    def setlist(self, key: Any, list_: Any) -> None:
        """Store what is new in a list of versions. What is missing from it stays: somebody may just have put it."""
        for one in list_ if isinstance(list_, (list, tuple)) else [list_]:
            if isinstance(one, FakeKey) and not isinstance(one, StoredKey):
                self._put(key, one)

    def pop(self, key: str, *_: Any) -> None:
        versions = self._versions(key)
        if not versions:
            raise KeyError(key)
        for version in versions:
            self.store.delete_version(self._bucket.name, key, version.version_id)

    def item_size(self) -> int:
        return sum(size for _, size in self._sizes())

    def lists(self) -> Iterator[tuple[str, list[Any]]]:
        for key in self:
            yield key, self._versions(key)

    def items(self) -> Iterator[tuple[str, Any]]:  # type: ignore[override]
        for key in self:
            yield key, self[key]

    def values(self) -> Iterator[Any]:  # type: ignore[override]
        for key in self:
            yield self[key]

    iterlists, iteritems, itervalues = lists, items, values

    def keys(self) -> list[str]:  # type: ignore[override]
        return list(self)

    def __getitem__(self, key: str) -> Any:
        return self.__sgetitem__(key)[-1]

    def __setitem__(self, key: str, value: Any) -> None:
        self.setlist(key, value)

    def __sgetitem__(self, key: str) -> list[Any]:
        versions = self._versions(key)
        if not versions:
            raise KeyError(key)
        return versions

    def __contains__(self, key: object) -> bool:
        return self.store.get(self._bucket.name, str(key)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter([key for key, _ in self._sizes()])

    def __len__(self) -> int:
        return len(self._sizes())

    def __bool__(self) -> bool:
        with suppress(NoSuchBucketError):
            return bool(self.store.list_versions(self._bucket.name, limit=1).objects)
        return False

    def _sizes(self) -> list[tuple[str, int]]:
        with suppress(NoSuchBucketError):
            return self.store.sizes(self._bucket.name)
        return []  # the bucket is being deleted

    def _versions(self, key: str) -> list[Any]:
        """Return the versions of a key, the oldest first."""
        found: list[ObjectVersion] = []
        after_version = ""
        page = self.store.list_versions(self._bucket.name, prefix=key)
        while True:
            found += [one for one in page.objects if one.key == key]
            if not page.is_truncated or page.objects[-1].key != key:
                break
            after_version = page.objects[-1].version_id
            page = self.store.list_versions(self._bucket.name, prefix=key, after_key=key, after_version=after_version)
        return [self._as_moto(one) for one in reversed(found)]

    def _as_moto(self, version: ObjectVersion) -> Any:
        key = StoredKey(self.store, version, self._bucket)
        if not version.is_delete_marker:
            return key
        marker = FakeDeleteMarker(key)
        marker._version_id = version.version_id
        return marker

    def _put(self, name: str, key: FakeKey) -> None:
        headers = {header: value for header, value in key.metadata.items() if not header.startswith("x-amz-")}
        metadata = {
            header.removeprefix("x-amz-meta-"): value
            for header, value in key.metadata.items()
            if header.startswith("x-amz-meta-")
        }
        attributes = {"headers": headers, "metadata": metadata}
        versioning = versioning_of(self._bucket)
        self.store.put(self._bucket.name, name, [key.value], attributes=attributes, versioning=versioning)
        # moto goes on to tell of its key, for which it needs the entity tag, but not the bytes.
        assert key.etag
        key.dispose()
