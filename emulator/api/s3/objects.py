"""GetObject, HeadObject, PutObject, CopyObject, DeleteObject."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from ...storage.objects.model import NULL_VERSION, ObjectVersion, VersionGoneError, Versioning
from . import attributes as attributes_
from . import checksums
from .conditions import check_copy_source, check_read, precondition_of_write, requested_range
from .errors import (
    S3Error,
    invalid_argument,
    invalid_request,
    method_not_allowed,
    no_such_key,
    no_such_version,
)
from .request import Answer, S3Request, header_text, http_date, iso_date, version_header, xml_answer

LARGEST_PUT: Final = 5 * 1024**3
_OVERRIDES: Final = (
    "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
)  # fmt: skip
_TRIES: Final = 5


def get_object(request: S3Request) -> Answer:
    """Answer GetObject, streaming the stretch that is asked for."""
    for _ in range(_TRIES):
        version = restored(request, find(request))
        headers, status, (start, end) = _description(request, version)
        try:
            return Answer(status, headers, request.store.read(version, start, end))
        except VersionGoneError:  # replaced at this moment
            continue
    raise S3Error("SlowDown", "Please reduce your request rate.", 503)


def head_object(request: S3Request) -> Answer:
    """Answer HeadObject: GetObject without the bytes, also for archived objects."""
    version_id = request.query("versionId") or None
    if version_id not in (None, NULL_VERSION) and request.bucket.versioning is Versioning.OFF:
        raise invalid_argument("Invalid version id specified", "versionId", version_id or "")
    version = restored(request, find(request))
    headers, status, _ = _description(request, version)
    return Answer(status, headers)


def put_object(request: S3Request) -> Answer:
    """Answer PutObject: the body goes to disk as it comes, and is published if all conditions hold."""
    require_acceptable(request)
    attributes = attributes_.of_request(request)
    check = checksums.Check(request)
    if attributes.get("lock") and not check.said and "Content-MD5" not in request.wire.headers:
        raise S3Error(
            "MissingUploadObjectWithObjectLockHeaders",
            "Content-MD5 or x-amz-sdk-checksum-algorithm header required to upload an object with a retention "
            "period configured using Object Lock",
        )
    version = request.store.put(
        request.route.bucket,
        request.key,
        request.body.chunks(),
        attributes=attributes,
        versioning=request.bucket.versioning,
        hashers=check.hashers,
        verify=check.verify,
        precondition=precondition_of_write(request),
    )
    request.notify("s3:ObjectCreated:Put", version)
    headers = {**_created_headers(request, version), "x-amz-sdk-checksum-algorithm": check.said}
    return Answer(200, headers)


def copy_object(request: S3Request) -> Answer:
    """Answer CopyObject: the bytes stay where they are, attributes are taken over or replaced."""
    source = copy_source(request)
    if attributes_.is_archived(source.attributes):
        raise S3Error(
            "ObjectNotInActiveTierError",
            "The source object of the COPY operation is not in the active tier and is only stored in Amazon Glacier.",
            403,
        )
    version = request.store.copy(
        source,
        request.route.bucket,
        request.key,
        attributes=_attributes_of_copy(request, source),
        versioning=request.bucket.versioning,
        precondition=precondition_of_write(request),
    )
    request.notify("s3:ObjectCreated:Copy", version)
    checksum = version.attributes.get("checksum")
    headers = {
        **attributes_.encryption_headers(version.attributes),
        "x-amz-version-id": version_header(request.bucket, version),
        "x-amz-copy-source-version-id": source.version_id if source.version_id != NULL_VERSION else None,
    }
    result = {
        "LastModified": iso_date(version.last_modified),
        "ETag": f'"{version.etag}"',
        **checksums.members(checksum),
    }
    return xml_answer("CopyObjectResult", result, headers)


def delete_object(request: S3Request) -> Answer:
    """Answer DeleteObject."""
    if not request.route.key:
        raise invalid_request("A key must be specified")
    removed = delete(request, request.key, request.query("versionId"))
    headers = {
        "x-amz-delete-marker": "true" if removed.get("marker") else None,
        "x-amz-version-id": removed.get("version_id"),
    }
    return Answer(204, headers)


def delete(request: S3Request, key: str, version_id: str | None) -> dict[str, Any]:
    """Delete an object or a version of it; say which version it was, or which delete marker was made."""
    bucket = request.bucket
    store = request.store
    condition = precondition_of_write(request)
    if version_id:
        bypass = (request.header("x-amz-bypass-governance-retention") or "").lower() == "true"

        def require_unlocked(version: ObjectVersion | None) -> None:
            if condition is not None:
                condition(version)
            if version is not None:
                attributes_.require_unlocked(version.attributes, bypass=bypass)

        removed = store.delete_version(bucket.name, key, version_id, precondition=require_unlocked)
        if removed is not None and store.get(bucket.name, key) is None:
            request.notify("s3:ObjectRemoved:Delete", removed)
        was_marker = removed is not None and removed.is_delete_marker
        return {"version_id": version_id, "marker": was_marker}
    before = store.get(bucket.name, key)
    marker = store.delete(bucket.name, key, versioning=bucket.versioning, precondition=condition)
    if marker is not None:
        request.notify("s3:ObjectRemoved:DeleteMarkerCreated", marker)
        return {"version_id": marker.version_id, "marker": True, "made": True}
    if before is not None:
        request.notify("s3:ObjectRemoved:Delete", before)
    return {}


def find(request: S3Request) -> ObjectVersion:
    """Return the version that a request names by key and perhaps versionId.

    Raises:
        S3Error: there is none, or it is a delete marker.
    """
    bucket = request.bucket
    version_id = request.query("versionId") or None
    version = request.store.get(bucket.name, request.key, version_id)
    if version is None:
        raise no_such_version(request.key, version_id) if version_id else no_such_key(request.key)
    if version.is_delete_marker:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id}
        if version_id:
            allowed = {**headers, "Allow": "DELETE"}
            raise method_not_allowed(request.route.method, "DeleteMarker", allowed)
        raise no_such_key(request.key, headers)
    return version


def restored(request: S3Request, version: ObjectVersion) -> ObjectVersion:
    """Let a restoration be complete, and told, as soon as somebody reads the object."""
    restore = version.attributes.get("restore")
    if not restore or restore.get("told"):
        return version
    told = {"restore": {**restore, "told": True}}
    after = request.store.set_attributes(
        version.bucket, version.key, version.version_id, lambda before: {**before, **told}
    )
    request.notify("s3:ObjectRestore:Completed", version)
    return after or version


def copy_source(request: S3Request) -> ObjectVersion:
    """Return the version that x-amz-copy-source names, if its conditions hold."""
    text = request.header("x-amz-copy-source") or ""
    path, _, query = text.partition("?versionId=")
    bucket, separator, key = unquote(path).removeprefix("/").partition("/")
    version_id = unquote(query.partition("&")[0]) or None
    if not separator or not key:
        raise invalid_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", text
        )
    request.settings(bucket)
    version = request.store.get(bucket, key, version_id)
    if version is None:
        raise no_such_version(key, version_id) if version_id else no_such_key(key)
    if version.is_delete_marker:
        if version_id:
            raise invalid_request(
                "The source of a copy request may not specifically refer to a delete marker by version id."
            )
        raise no_such_key(key)
    check_copy_source(request, version)
    return version


def require_acceptable(request: S3Request) -> None:
    """Refuse what no object may be, before its body is read."""
    if len(request.key.encode("utf-8", "surrogateescape")) > 1024:
        raise S3Error("KeyTooLongError", "Your key is too long", fields={"MaxSizeAllowed": "1024"})
    if not request.body.has_length:
        raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    if (request.body.decoded_length or 0) > LARGEST_PUT:
        raise S3Error(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            fields={"MaxSizeAllowed": str(LARGEST_PUT), "ProposedSize": str(request.body.decoded_length)},
        )


def _created_headers(request: S3Request, version: ObjectVersion) -> dict[str, str | None]:
    return {
        "ETag": f'"{version.etag}"',
        **checksums.headers(version.attributes.get("checksum")),
        **attributes_.encryption_headers(version.attributes),
        "x-amz-version-id": version_header(request.bucket, version),
    }


def _description(request: S3Request, version: ObjectVersion) -> tuple[dict[str, str | None], int, tuple[int, int]]:
    """Return headers, status and stretch of a read."""
    is_head = request.route.method == "HEAD"
    if not is_head and attributes_.is_archived(version.attributes):
        raise S3Error(
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
            403,
            fields={"StorageClass": version.attributes["storage_class"]},
        )
    headers: dict[str, str | None] = {
        "ETag": f'"{version.etag}"',
        "Last-Modified": http_date(version.last_modified),
        "x-amz-version-id": version_header(request.bucket, version),
    }
    try:
        check_read(request, version)
    except S3Error as refusal:
        refusal.headers |= {name: value for name, value in headers.items() if value is not None}
        raise
    part, parts_count = _part(request, version)
    wanted = part or requested_range(request, version)
    start, end = wanted or (0, version.size)
    headers |= attributes_.content_headers(version.attributes)
    headers |= attributes_.state_headers(version.attributes)
    headers |= {
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        "Content-Range": f"bytes {start}-{end - 1}/{version.size}" if wanted else None,
        "x-amz-mp-parts-count": str(parts_count) if parts_count else None,
    }
    if request.header("x-amz-checksum-mode") == "ENABLED" and (start, end) == (0, version.size):
        headers |= checksums.headers(version.attributes.get("checksum"))
    for name in _OVERRIDES:
        if (value := request.query(f"response-{name.lower()}")) is not None:
            headers[name] = header_text(value)
    return headers, 206 if wanted else 200, (start, end)


def _part(request: S3Request, version: ObjectVersion) -> tuple[tuple[int, int] | None, int]:
    number = request.number("partNumber", 0)
    if not number:
        return None, 0
    stretch = request.store.part_range(version, number)
    if stretch is None:
        raise S3Error(
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
            416,
            fields={"PartNumberRequested": str(number), "ActualPartCount": str(len(version.parts) or 1)},
        )
    return (stretch if version.size else None), len(version.parts)


def _attributes_of_copy(request: S3Request, source: ObjectVersion) -> Mapping[str, Any]:
    kept = source.attributes
    replaces = _directive(request, "x-amz-metadata-directive") == "REPLACE"
    content = attributes_.content_of(request) if replaces else kept
    placement = attributes_.placement_of(request)
    if (source.bucket, source.key) == (request.route.bucket, request.key):
        encryption = request.header("x-amz-server-side-encryption") or request.bucket.default_encryption
        was_kms = str(kept.get("encryption", {}).get("algorithm", "")).startswith("aws:kms")
        changes = (
            replaces
            or encryption
            or was_kms
            or placement["redirect"]
            or request.header("x-amz-storage-class")
            or (
                request.bucket.versioning is not Versioning.OFF
                and "?versionId=" in str(request.header("x-amz-copy-source"))
            )
        )
        if not changes:
            raise invalid_request(
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes."
            )
        if was_kms and not placement["encryption"]:
            placement["encryption"] = {"algorithm": "AES256"}
    retags = _directive(request, "x-amz-tagging-directive") == "REPLACE"
    found = {
        "headers": content.get("headers"),
        "metadata": content.get("metadata"),
        "tags": attributes_.tags_of(request) if retags else kept.get("tags"),
        **placement,
        "checksum": _checksum_of_copy(request, source),
    }
    return {name: value for name, value in found.items() if value}


def _directive(request: S3Request, name: str) -> str:
    value = request.header(name) or "COPY"
    if value not in ("COPY", "REPLACE"):
        raise invalid_argument(f"Unknown {name.removeprefix('x-amz-').replace('-', ' ')}.", name, value)
    return value


def _checksum_of_copy(request: S3Request, source: ObjectVersion) -> Mapping[str, Any]:
    """Return the source's checksum; one of all bytes is computed where another is asked for or it was of parts."""
    known: Mapping[str, Any] = source.attributes.get("checksum", {})
    asked = checksums.known(request.header("x-amz-checksum-algorithm") or "")
    algorithm = asked or known.get("algorithm")
    if algorithm is None or (algorithm == known.get("algorithm") and known.get("type") != checksums.COMPOSITE):
        return known
    with request.store.read(source) as reader:
        value = checksums.digest_of(algorithm, reader)
    return {"algorithm": algorithm, "value": value, "type": checksums.FULL_OBJECT}
