"""ListObjects, ListObjectsV2, ListObjectVersions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from ...storage.objects.model import ObjectVersion
from .errors import invalid_argument
from .request import OWNER, Answer, S3Request, iso_date, xml_answer

_MOST: Final = 1000


def list_objects(request: S3Request) -> Answer:
    """Answer ListObjects, the first version; pages go on from a marker, which is a key or a common prefix."""
    limit, encode = _limit(request), _encoder(request)
    prefix, delimiter = request.query("prefix") or "", request.query("delimiter") or ""
    marker = request.query("marker") or ""
    page = request.store.list_objects(
        request.bucket.name, prefix=prefix, delimiter=delimiter, after=marker, limit=min(limit, _MOST)
    )
    truncated = page.is_truncated and limit > 0
    return xml_answer(
        "ListBucketResult",
        {
            "Name": request.bucket.name,
            "Prefix": encode(prefix) if request.query("prefix") is not None else None,
            "Marker": encode(marker),
            "NextMarker": encode(page.next_marker or "") if truncated else None,
            "MaxKeys": limit,
            "Delimiter": encode(delimiter) if delimiter else None,
            "IsTruncated": truncated,
            "EncodingType": request.query("encoding-type"),
            "Contents": [{**_entry(one, encode), "Owner": OWNER} for one in page.objects],
            "CommonPrefixes": [{"Prefix": encode(one)} for one in page.prefixes],
        },
    )


def list_objects_v2(request: S3Request) -> Answer:
    """Answer ListObjectsV2; pages go on from an opaque token."""
    limit, encode = _limit(request), _encoder(request)
    prefix, delimiter = request.query("prefix") or "", request.query("delimiter") or ""
    token, start_after = request.query("continuation-token"), request.query("start-after") or ""
    after = start_after if token is None else _place(token)
    page = request.store.list_objects(
        request.bucket.name, prefix=prefix, delimiter=delimiter, after=after, limit=min(limit, _MOST)
    )
    truncated = page.is_truncated and limit > 0
    owner = {"Owner": OWNER} if request.query("fetch-owner") == "true" else {}
    return xml_answer(
        "ListBucketResult",
        {
            "Name": request.bucket.name,
            "Prefix": encode(prefix),
            "ContinuationToken": token,
            "NextContinuationToken": _token(page.next_marker or "") if truncated else None,
            "KeyCount": len(page.objects) + len(page.prefixes),
            "MaxKeys": limit,
            "Delimiter": encode(delimiter) if delimiter else None,
            "IsTruncated": truncated,
            "EncodingType": request.query("encoding-type"),
            "StartAfter": encode(start_after) if start_after and token is None else None,
            "Contents": [{**_entry(one, encode), **owner} for one in page.objects],
            "CommonPrefixes": [{"Prefix": encode(one)} for one in page.prefixes],
        },
    )


def list_object_versions(request: S3Request) -> Answer:
    """Answer ListObjectVersions; the marker of the next page is the last entry of this one."""
    limit, encode = _limit(request), _encoder(request)
    prefix, delimiter = request.query("prefix") or "", request.query("delimiter") or ""
    key_marker, version_marker = request.query("key-marker") or "", request.query("version-id-marker") or ""
    if version_marker and not key_marker:
        raise invalid_argument(
            "A version-id marker cannot be specified without a key marker.", "version-id-marker", version_marker
        )
    page = request.store.list_versions(
        request.bucket.name,
        prefix=prefix,
        delimiter=delimiter,
        after_key=key_marker,
        after_version=version_marker,
        limit=min(limit, _MOST),
    )
    truncated = page.is_truncated and limit > 0
    last = page.objects[-1] if page.objects else None
    next_version = last.version_id if truncated and last is not None and last.key == page.next_marker else None
    return xml_answer(
        "ListVersionsResult",
        {
            "Name": request.bucket.name,
            "Prefix": encode(prefix),
            "KeyMarker": encode(key_marker),
            "VersionIdMarker": version_marker,
            "NextKeyMarker": encode(page.next_marker or "") if truncated else None,
            "NextVersionIdMarker": next_version,
            "MaxKeys": limit,
            "Delimiter": encode(delimiter) if delimiter else None,
            "IsTruncated": truncated,
            "EncodingType": request.query("encoding-type"),
            "Version": [_version(one, encode) for one in page.objects if not one.is_delete_marker],
            "DeleteMarker": [_version(one, encode) for one in page.objects if one.is_delete_marker],
            "CommonPrefixes": [{"Prefix": encode(one)} for one in page.prefixes],
        },
    )


def _limit(request: S3Request) -> int:
    return request.number("max-keys", _MOST)


def _encoder(request: S3Request) -> Callable[[str], str]:
    """Return how keys are written: as they are, or for encoding-type=url in a form that XML can hold."""
    kind = request.query("encoding-type")
    if kind is None:
        return str
    if kind != "url":
        raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", kind)
    return lambda text: quote(text, safe="/", errors="surrogateescape")


def _entry(version: ObjectVersion, encode: Callable[[str], str]) -> dict[str, Any]:
    checksum = version.attributes.get("checksum", {})
    return {
        "Key": encode(version.key),
        "LastModified": iso_date(version.last_modified),
        "ETag": f'"{version.etag}"',
        "ChecksumAlgorithm": checksum.get("algorithm"),
        "ChecksumType": checksum.get("type"),
        "Size": version.size,
        "StorageClass": version.attributes.get("storage_class", "STANDARD"),
    }


def _version(version: ObjectVersion, encode: Callable[[str], str]) -> dict[str, Any]:
    place = {"VersionId": version.version_id, "IsLatest": version.is_latest, "Owner": OWNER}
    if version.is_delete_marker:
        return {"Key": encode(version.key), "LastModified": iso_date(version.last_modified), **place}
    return {**_entry(version, encode), **place}


def _token(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode("utf-8", "surrogateescape")).decode()


def _place(token: str) -> str:
    try:
        place = base64.b64decode(token, altchars=b"-_", validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        place = ""
    if not place:
        raise invalid_argument("The continuation token provided is incorrect", "continuation-token", token)
    return place
