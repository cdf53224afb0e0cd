"""The platform's own access to S3: the object store in this process, without HTTP."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from ..contract.arns import S3Uri, Scope
from ..jobs.ports import ObjectMissingError, ObjectStore, StoredObject
from .objects import model
from .objects.model import NoSuchBucketError, StoreFullError, Versioning

_NO_BUCKET = "NoSuchBucket: The specified bucket does not exist"
_NO_KEY = "NoSuchKey: The specified key does not exist."


class PlatformObjects:
    """Objects of one account at a time; the store itself knows no accounts."""

    def __init__(
        self,
        store: model.ObjectStore,
        owns: Callable[[Scope, str], bool],
        versioning: Callable[[Scope, str], Versioning] = lambda _scope, _bucket: Versioning.OFF,
    ) -> None:
        """Use a store. The rest is bucket configuration: whose a bucket is, and whether it keeps versions."""
        self._store = store
        self._owns = owns
        self._versioning = versioning

    def objects(self, scope: Scope, prefix: S3Uri) -> list[StoredObject]:
        """Return the objects below a key prefix in UTF-8 order; none if the bucket is missing."""
        if not self._owns(scope, prefix.bucket):
            return []
        try:
            found = self._store.sizes(prefix.bucket, prefix.key)
        except NoSuchBucketError:
            return []
        return [StoredObject(key=key, size=size) for key, size in found]

    def download(self, scope: Scope, source: S3Uri, destination: Path) -> int:
        """Write an object to a new file and return its size in bytes."""
        if not self._owns(scope, source.bucket):
            raise ObjectMissingError(_NO_BUCKET)
        size = self._store.export(source.bucket, source.key, destination)
        if size is None:
            raise ObjectMissingError(_NO_KEY)
        return size

    def upload(self, scope: Scope, source: Path, destination: S3Uri, *, consume: bool = False) -> None:
        """Store a file as an object. With `consume` it is moved into the store, and copied only to another disk."""
        if not self._owns(scope, destination.bucket):
            raise ObjectMissingError(_NO_BUCKET)
        versioning = self._versioning(scope, destination.bucket)
        try:
            self._store.put_file(
                destination.bucket, destination.key, source, attributes={}, versioning=versioning, consume=consume
            )
        except NoSuchBucketError as error:
            raise ObjectMissingError(_NO_BUCKET) from error
        except StoreFullError as error:
            raise OSError(errno.ENOSPC, str(error)) from error


_: type[ObjectStore] = PlatformObjects
