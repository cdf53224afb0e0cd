"""The platform's own access to S3: moto's backend, in this process, without HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moto.s3.exceptions import MissingBucket, S3ClientError
from moto.s3.models import FakeKey, S3Backend, s3_backends

from ..contract.arns import S3Uri, Scope
from ..jobs.ports import ObjectMissingError, ObjectStore, StoredObject

_CHUNK = 1024**2


class MotoObjectStore:
    """Objects of moto's S3, read in chunks; moto keeps them in memory."""

    def objects(self, scope: Scope, prefix: S3Uri) -> list[StoredObject]:
        """Return the objects below a key prefix in UTF-8 order; none if the bucket is missing."""
        try:
            bucket = _backend(scope).get_bucket(prefix.bucket)
        except S3ClientError:
            return []
        found = [
            StoredObject(key=name, size=key.size)
            for name, key in _items(bucket)
            if name.startswith(prefix.key) and isinstance(key, FakeKey)
        ]
        return sorted(found, key=lambda one: one.key.encode())

    def download(self, scope: Scope, source: S3Uri, destination: Path) -> int:
        """Write an object to a new file and return its size in bytes."""
        try:
            key = _backend(scope).get_object(source.bucket, source.key)
        except S3ClientError as error:
            raise ObjectMissingError(str(error)) from error
        if key is None:
            raise ObjectMissingError("NoSuchKey: The specified key does not exist.")
        size = 0
        with destination.open("xb") as target, key.lock:
            # `key.value` would hold the whole object in memory once more.
            key._value_buffer.seek(0)
            while chunk := key._value_buffer.read(_CHUNK):
                size += target.write(chunk)
        return size

    def upload(self, scope: Scope, source: Path, destination: S3Uri) -> None:
        """Store a file as an object."""
        try:
            _backend(scope).put_object(destination.bucket, destination.key, source.read_bytes())
        except MissingBucket as error:
            raise ObjectMissingError("NoSuchBucket: The specified bucket does not exist") from error
        except S3ClientError as error:
            raise ObjectMissingError(str(error)) from error


def _backend(scope: Scope) -> S3Backend:
    backend: S3Backend = s3_backends[scope.account][scope.partition]
    return backend


def _items(bucket: Any) -> list[tuple[str, Any]]:
    """Copy a bucket's index, which clients may change at this moment."""
    while True:
        try:
            return list(bucket.keys.items())
        except RuntimeError:  # changed size during iteration
            continue


_: type[ObjectStore] = MotoObjectStore
