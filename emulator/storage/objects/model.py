"""What the object store takes and gives. No HTTP and no XML here, and no SQL.

The wire (`api/s3`) speaks S3; the store keeps bytes, versions and one JSON document of attributes a version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

NULL_VERSION = "null"
"""The version id of objects that were stored while versioning was not enabled."""


class Versioning(Enum):
    """A bucket's versioning, which is the wire's to know (moto keeps bucket configuration)."""

    OFF = "Off"
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


class Hasher(Protocol):
    """A checksum that is fed while a body streams by (hashlib's objects are such)."""

    def update(self, data: bytes, /) -> object:
        """Take the next bytes."""

    def digest(self) -> bytes:
        """Return the checksum of all bytes so far."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a multipart object, in order; the entity tag has no quotes."""

    number: int
    size: int
    etag: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ObjectVersion:
    """One version of an object, or a delete marker (size 0, etag "").

    `attributes` is the wire's own JSON document (content headers, user metadata, tags, checksums, ACL,
    storage class, encryption, lock ...): kept as it is, never interpreted here.
    """

    bucket: str
    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool
    size: int
    etag: str
    last_modified: float
    attributes: Mapping[str, Any]
    parts: tuple[Part, ...] = ()
    """Of a multipart object; left out of listings."""
    serial: int = 0
    """The store's own identity of this write: a null version that was replaced has another one."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A multipart upload in progress."""

    upload_id: str
    bucket: str
    key: str
    initiated: float
    attributes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of a listing, in UTF-8 order of keys; `prefixes` are the rolled-up common prefixes."""

    objects: tuple[ObjectVersion, ...]
    prefixes: tuple[str, ...]
    is_truncated: bool
    next_marker: str | None
    """Where the next page starts: exclusive, a key or a common prefix."""
    next_version: str | None = None
    """Of a listing of versions, with next_marker: the last version listed; None after a common prefix."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of a file."""

    path: Path
    offset: int
    length: int


class Reader(Protocol):
    """The bytes of a version: an iterator of chunks of about 1 MiB, to be closed (the end closes it too).

    While it is open they stay, also when the version is deleted or replaced.
    """

    @property
    def spans(self) -> Sequence[Span]:
        """Where the bytes lie, in order, for sendfile; nothing if they are few, which have no file."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """Let the files go."""


Precondition = Callable[[ObjectVersion | None], None]
"""Looks at the current version inside the store's transaction and raises to refuse (If-Match, If-None-Match)."""

Verification = Callable[[str, int, Mapping[str, bytes]], Mapping[str, Any] | None]
"""Called with (hex MD5, size, digests by name) when a body is complete and before it is published.

Raises to refuse (Content-MD5 or a checksum differs): nothing is published then. May return attributes to
add to the document (the checksums computed).
"""


class ObjectStore(Protocol):
    """All objects of all buckets. Bucket names are global, as S3's are; accounts are the wire's affair.

    Every method is safe to call from many threads. A version is visible when all of it is on disk, and
    an index row never points at a missing or half-written file, whatever moment the process is killed.
    A full disk raises `StoreFullError` and changes nothing; deleting works all the same. What writes to a
    bucket, or lists one, that is not there raises `NoSuchBucketError`.
    """

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket; one that exists stays as it is."""

    def delete_bucket(self, bucket: str) -> None:
        """Forget an empty bucket (BucketNotEmptyError else) and its uploads in progress."""

    def clear(self) -> None:
        """Forget everything, at one moment."""

    def has_bucket(self, bucket: str) -> bool: ...

    def buckets(self) -> list[str]:
        """Return the names of all buckets, in order."""

    def put(
        self,
        bucket: str,
        key: str,
        body: BinaryIO | Iterable[bytes],
        *,
        attributes: Mapping[str, Any],
        versioning: Versioning = Versioning.OFF,
        hashers: Mapping[str, Hasher] | None = None,
        verify: Verification | None = None,
        precondition: Precondition | None = None,
    ) -> ObjectVersion:
        """Stream a body to disk and publish it as the latest version."""

    def put_file(
        self,
        bucket: str,
        key: str,
        source: Path,
        *,
        attributes: Mapping[str, Any],
        versioning: Versioning = Versioning.OFF,
        consume: bool = False,
    ) -> ObjectVersion:
        """Store a file of this machine (the platform's own uploads) with one copy inside the kernel.

        With `consume` the file is the store's from now on, whatever happens: moved, where that is possible.
        """

    def get(self, bucket: str, key: str, version_id: str | None = None) -> ObjectVersion | None:
        """Return a version (the latest without an id; it may be a delete marker), or None."""

    def read(self, version: ObjectVersion, start: int = 0, end: int | None = None) -> Reader:
        """Return the bytes [start, end), of which only what is asked for is read.

        Raises:
            VersionGoneError: it was deleted or replaced since it was looked up; nothing was read.
            OSError: its bytes are lost (a power failure may do that); the same while reading.
        """

    def segments(self, version: ObjectVersion) -> list[tuple[Path, int]]:
        """Return the files (and their sizes) whose concatenation is the version; a small one has none.

        They may vanish at any moment; an open `Reader` keeps them.

        Raises:
            VersionGoneError: it was deleted or replaced since it was looked up.
        """

    def export(self, bucket: str, key: str, destination: Path) -> int | None:
        """Write the latest version to a new file and return its size, for staging; None if there is none.

        The bytes are copied inside the kernel. The file is no hard link: who writes into it (a container
        into its input) never changes the store.
        """

    def sizes(self, bucket: str, prefix: str = "") -> list[tuple[str, int]]:
        """Return key and size of all that `list_objects` lists, at one moment and without the rest of it."""

    def totals(self, bucket: str, most: int) -> tuple[int, int]:
        """Return how many objects `list_objects` lists in all, and their size; of no more than `most` of them."""

    def part_range(self, version: ObjectVersion, number: int) -> tuple[int, int] | None:
        """Return [start, end) of a part of a multipart object; for any other object part 1 is all of it."""

    def copy(
        self,
        source: ObjectVersion,
        bucket: str,
        key: str,
        *,
        attributes: Mapping[str, Any],
        versioning: Versioning = Versioning.OFF,
        precondition: Precondition | None = None,
    ) -> ObjectVersion:
        """Publish the same bytes under another key without copying files: they are shared and reference-counted.

        The copy has no parts; its entity tag is the MD5 of all bytes, as S3's is.

        Raises:
            VersionGoneError: the source was deleted or replaced since it was looked up.
        """

    def delete(
        self,
        bucket: str,
        key: str,
        *,
        versioning: Versioning = Versioning.OFF,
        precondition: Precondition | None = None,
    ) -> ObjectVersion | None:
        """Delete: the object itself, or put a delete marker on it; return the marker made, if one was.

        The precondition is shown the current version.
        """

    def delete_version(
        self, bucket: str, key: str, version_id: str, *, precondition: Precondition | None = None
    ) -> ObjectVersion | None:
        """Remove one version or delete marker and return it; the newest of the others becomes the latest.

        The precondition is shown the version to be removed (a lock may forbid it).
        """

    def set_attributes(
        self, bucket: str, key: str, version_id: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> ObjectVersion | None:
        """Replace a version's attribute document (tags, ACL, lock ...), with nobody in between."""

    def list_objects(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> Listing:
        """Return latest versions that are no delete markers. Paging through n keys costs O(n) in all.

        Keys and common prefixes are one sequence: only what is greater than `after` is returned.
        """

    def list_versions(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        after_key: str = "",
        after_version: str = "",
        limit: int = 1000,
    ) -> Listing:
        """Return all versions and delete markers, keys in order, newest version first.

        Starts after all of `after_key`; with `after_version`, with what is older than that version of it. If
        that version is gone by now, all others of the key come (again): none is left out.
        """

    def create_upload(self, bucket: str, key: str, attributes: Mapping[str, Any]) -> Upload: ...

    def get_upload(self, upload_id: str) -> Upload | None: ...

    def put_part(
        self,
        upload: Upload,
        number: int,
        body: BinaryIO | Iterable[bytes],
        *,
        hashers: Mapping[str, Hasher] | None = None,
        verify: Verification | None = None,
    ) -> Part:
        """Stream a part to a segment of its own, however small; a part of the same number is replaced."""

    def copy_part(self, upload: Upload, number: int, source: ObjectVersion, start: int, end: int) -> Part:
        """Make a part of a range of an object."""

    def list_parts(self, upload: Upload) -> list[Part]:
        """Return the parts by number; none if the upload is gone."""

    def list_uploads(self, bucket: str, prefix: str = "") -> list[Upload]:
        """Return the uploads in progress by key, then by start."""

    def complete_upload(
        self,
        upload: Upload,
        parts: list[Part],
        *,
        etag: str,
        attributes: Mapping[str, Any],
        versioning: Versioning = Versioning.OFF,
        precondition: Precondition | None = None,
    ) -> ObjectVersion:
        """Publish the chosen parts as one object without copying a byte; unchosen parts are removed.

        Raises:
            NoSuchUploadError: it was completed or aborted meanwhile.
            NoSuchPartError: a part is not there, or was replaced meanwhile.
        """

    def abort_upload(self, upload: Upload) -> None:
        """Remove an upload and its parts; nothing happens if it is gone."""

    def close(self) -> None: ...


class StoreFullError(Exception):
    """The disk is full; nothing was changed."""


class NoSuchBucketError(Exception):
    """There is no such bucket."""


class BucketNotEmptyError(Exception):
    """A bucket still has versions in it."""


class NoSuchUploadError(Exception):
    """The upload was completed or aborted meanwhile."""


class NoSuchPartError(Exception):
    """A part is not there, or was replaced meanwhile."""


class VersionGoneError(Exception):
    """A version was deleted or replaced since it was looked up: look it up again."""
