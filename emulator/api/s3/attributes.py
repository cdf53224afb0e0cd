"""An object's attributes: read from a request's headers into the store's document, and written back as headers.

The document's members, all optional: headers, metadata, tags, storage_class, encryption, checksum, acl, lock
(mode, until, legal_hold), redirect, restore (until), upload_id.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from ...storage.buckets import Grants
from .errors import S3Error, access_denied, invalid_argument, invalid_request
from .request import OWNER_ID, S3Request, http_date

STORAGE_CLASSES: Final = (
    "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
    "DEEP_ARCHIVE", "OUTPOSTS", "GLACIER_IR", "SNOW", "EXPRESS_ONEZONE", "FSX_OPENZFS",
)  # fmt: skip
ARCHIVED: Final = ("GLACIER", "DEEP_ARCHIVE")
DEFAULT_CONTENT_TYPE: Final = "binary/octet-stream"
LOCK_HEADERS: Final = ("mode", "retain-until-date", "legal-hold")

_CONTENT_HEADERS: Final = (
    "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
    "X-Robots-Tag",
)  # fmt: skip
_MOST_METADATA_BYTES: Final = 2048
_SSE: Final = "x-amz-server-side-encryption"
_ALL_USERS: Final = "http://acs.amazonaws.com/groups/global/AllUsers"
_AUTHENTICATED_USERS: Final = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
_LOG_DELIVERY: Final = "http://acs.amazonaws.com/groups/s3/LogDelivery"
_CANNED: Final[dict[str, list[tuple[str, str]]]] = {
    "private": [],
    "public-read": [(_ALL_USERS, "READ")],
    "public-read-write": [(_ALL_USERS, "READ"), (_ALL_USERS, "WRITE")],
    "authenticated-read": [(_AUTHENTICATED_USERS, "READ")],
    "aws-exec-read": [],
    "bucket-owner-read": [],
    "bucket-owner-full-control": [],
    "log-delivery-write": [(_LOG_DELIVERY, "READ_ACP"), (_LOG_DELIVERY, "WRITE")],
}
_GRANT: Final = re.compile(r'\s*([^=\s]+)="?([^"]+)"?\s*')


def of_request(request: S3Request) -> dict[str, Any]:
    """Return the attributes of a new object, of which nothing is known but what its request says."""
    found = {
        **content_of(request),
        "tags": tags_of(request),
        **placement_of(request),
    }
    return {name: value for name, value in found.items() if value}


def content_of(request: S3Request) -> dict[str, Any]:
    """Return content headers and metadata, which a copy keeps or replaces together."""
    headers = {name: value for name in _CONTENT_HEADERS if (value := request.header(name.lower()))}
    codings = [one.strip() for one in headers.pop("Content-Encoding", "").split(",")]
    encoding = ",".join(one for one in codings if one and one != "aws-chunked")
    if encoding:
        headers["Content-Encoding"] = encoding
    metadata = request.headers("x-amz-meta-")
    if sum(len(name) + len(value) for name, value in metadata.items()) > _MOST_METADATA_BYTES:
        raise S3Error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
    return {"headers": headers, "metadata": metadata}


def placement_of(request: S3Request) -> dict[str, Any]:
    """Return what a copy never takes from its source: class, encryption, access, lock, redirection."""
    return {
        "storage_class": _storage_class(request),
        "encryption": _encryption(request),
        "acl": acl_of(request) or request.bucket.acl,
        "lock": _lock(request),
        "redirect": request.header("x-amz-website-redirect-location"),
    }


def tags_of(request: S3Request) -> dict[str, str]:
    pairs = parse_qsl(request.header("x-amz-tagging") or "", keep_blank_values=True)
    return checked_tags(pairs)


def checked_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return tags by key.

    Raises:
        S3Error: there are too many, or one is not allowed.
    """
    if len(pairs) > 10:
        raise S3Error("BadRequest", "Object tags cannot be greater than 10")
    tags = dict(pairs)
    if len(tags) != len(pairs):
        raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")
    for key, value in pairs:
        if key.startswith("aws:"):
            raise S3Error("InvalidTag", "Your TagKey cannot be prefixed with aws:")
        if not key or len(key) > 128:
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid")
        if len(value) > 256:
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid")
    return tags


def acl_of(request: S3Request) -> Grants:
    """Return the grants that the headers name; none if they name none."""
    canned = request.header("x-amz-acl")
    granted = request.headers("x-amz-grant-")
    if canned and granted:
        raise invalid_request("Specifying both Canned ACLs and Header Grants is not allowed")
    if canned:
        return canned_acl(canned)
    return [
        _grant(one, permission.upper().replace("-", "_"))
        for permission, grantees in granted.items()
        for one in grantees.split(",")
    ]


def canned_acl(name: str) -> Grants:
    """Return the grants of a canned list, such as public-read."""
    if name not in _CANNED:
        raise invalid_argument("", "x-amz-acl", name)
    owner = {"permission": "FULL_CONTROL", "type": "CanonicalUser", "id": OWNER_ID}
    return [owner, *({"permission": what, "type": "Group", "uri": uri} for uri, what in _CANNED[name])]


def is_public(acl: Grants) -> bool:
    """Tell whether anybody may read."""
    return any(one.get("uri") == _ALL_USERS and one["permission"] in ("READ", "FULL_CONTROL") for one in acl)


def _grant(text: str, permission: str) -> dict[str, str]:
    match = _GRANT.fullmatch(text)
    if match is None:
        raise S3Error("InvalidArgument", "Argument format not recognized")
    kind, value = match[1].lower(), match[2]
    match kind:
        case "id":
            return {"permission": permission, "type": "CanonicalUser", "id": value}
        case "emailaddress":
            return {"permission": permission, "type": "AmazonCustomerByEmail", "email": value}
        case _:
            return {"permission": permission, "type": "Group", "uri": value}


def _storage_class(request: S3Request) -> str | None:
    name = request.header("x-amz-storage-class")
    if name is not None and name not in STORAGE_CLASSES:
        fields = {"StorageClassRequested": name}
        raise S3Error("InvalidStorageClass", "The storage class you specified is not valid", fields=fields)
    return None if name == "STANDARD" else name


def _encryption(request: S3Request) -> dict[str, Any]:
    """Return what was asked for, and for the rest what the bucket does by default."""
    asked = {
        "algorithm": request.header(_SSE),
        "kms_key_id": request.header(f"{_SSE}-aws-kms-key-id"),
        "bucket_key_enabled": request.header(f"{_SSE}-bucket-key-enabled"),
        "customer_algorithm": request.header(f"{_SSE}-customer-algorithm"),
        "customer_key_md5": request.header(f"{_SSE}-customer-key-md5"),
    }
    return {**request.bucket.default_encryption, **{name: value for name, value in asked.items() if value}}


def _lock(request: S3Request) -> dict[str, str]:
    """Return the lock that the request or else the bucket puts on a new object."""
    mode, until, hold = (request.header(f"x-amz-object-lock-{name}") for name in LOCK_HEADERS)
    bucket = request.bucket
    if mode or until or hold == "ON":
        if not bucket.object_lock:
            raise invalid_request("Bucket is missing ObjectLockConfiguration")
    elif bucket.default_retention is not None:
        mode = bucket.default_retention.mode
        days = timedelta(days=bucket.default_retention.days)
        until = (datetime.now(UTC) + days).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = {"mode": mode, "until": until, "legal_hold": hold}
    return {name: value for name, value in found.items() if value}


def require_unlocked(attributes: Mapping[str, Any], *, bypass: bool) -> None:
    """Refuse to remove a version that a lock protects."""
    lock = attributes.get("lock", {})
    if lock.get("legal_hold") == "ON":
        raise access_denied("Access Denied because object protected by object lock.")
    if lock.get("mode") == "COMPLIANCE" or (lock.get("mode") == "GOVERNANCE" and not bypass):
        until = datetime.fromisoformat(lock["until"])
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        if until > datetime.now(UTC):
            raise access_denied("Access Denied because object protected by object lock.")


def is_archived(attributes: Mapping[str, Any]) -> bool:
    """Tell whether the bytes cannot be read before they are restored."""
    return attributes.get("storage_class") in ARCHIVED and restored_until(attributes) is None


def restored_until(attributes: Mapping[str, Any]) -> float | None:
    """Return until when a restored copy is there; None if there is none (any more)."""
    until = attributes.get("restore", {}).get("until")
    return until if until is not None and until > time.time() else None


def content_headers(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that describe an object's content to its reader."""
    metadata = {f"x-amz-meta-{name}": value for name, value in attributes.get("metadata", {}).items()}
    return {"Content-Type": DEFAULT_CONTENT_TYPE, **attributes.get("headers", {}), **metadata}


def state_headers(attributes: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the headers that tell the rest: class, encryption, tags, lock, restoration."""
    lock = attributes.get("lock", {})
    tags = attributes.get("tags")
    until = restored_until(attributes)
    return {
        "x-amz-storage-class": attributes.get("storage_class"),
        **encryption_headers(attributes),
        "x-amz-tagging-count": str(len(tags)) if tags else None,
        "x-amz-object-lock-mode": lock.get("mode"),
        "x-amz-object-lock-retain-until-date": lock.get("until"),
        "x-amz-object-lock-legal-hold": lock.get("legal_hold"),
        "x-amz-website-redirect-location": attributes.get("redirect"),
        "x-amz-restore": f'ongoing-request="false", expiry-date="{http_date(until)}"' if until else None,
    }


def encryption_headers(attributes: Mapping[str, Any]) -> dict[str, str | None]:
    encryption = attributes.get("encryption", {})
    algorithm = encryption.get("algorithm")
    is_kms = str(algorithm).startswith("aws:kms")
    enabled = encryption.get("bucket_key_enabled")
    return {
        _SSE: algorithm,
        f"{_SSE}-aws-kms-key-id": encryption.get("kms_key_id") if is_kms else None,
        f"{_SSE}-bucket-key-enabled": str(enabled).lower() if is_kms and enabled is not None else None,
        f"{_SSE}-customer-algorithm": encryption.get("customer_algorithm"),
        f"{_SSE}-customer-key-md5": encryption.get("customer_key_md5"),
    }
