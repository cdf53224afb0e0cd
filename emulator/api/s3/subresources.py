"""What an object has besides its bytes: tags, access control list, lock, attributes, a restored copy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element

from ...storage.buckets import Grants
from ...storage.objects.model import ObjectVersion
from . import attributes as attributes_
from . import checksums, xml
from .errors import S3Error, invalid_argument, invalid_request, malformed_xml, no_such_key
from .objects import find
from .request import OWNER, OWNER_ID, Answer, S3Request, http_date, version_header, xml_answer

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_PERMISSIONS: Final = ("READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL")
_PRIVATE: Final[Grants] = [{"permission": "FULL_CONTROL", "type": "CanonicalUser", "id": OWNER_ID}]
_DAY: Final = 86400


def get_object_tagging(request: S3Request) -> Answer:
    """Answer GetObjectTagging."""
    version = find(request)
    tags = version.attributes.get("tags", {})
    content = {"TagSet": {"Tag": [{"Key": key, "Value": value} for key, value in tags.items()]}}
    return xml_answer("Tagging", content, _version(request, version))


def put_object_tagging(request: S3Request) -> Answer:
    """Answer PutObjectTagging."""
    version = find(request)
    tag_set = xml.parse(request.document(), "Tagging").find("TagSet")
    if tag_set is None:
        raise malformed_xml()
    pairs = [(xml.required(one, "Key"), one.findtext("Value") or "") for one in tag_set.findall("Tag")]
    version = _changed(request, version, "tags", attributes_.checked_tags(pairs))
    request.notify("s3:ObjectTagging:Put", version)
    return Answer(200, _version(request, version))


def delete_object_tagging(request: S3Request) -> Answer:
    """Answer DeleteObjectTagging."""
    version = _changed(request, find(request), "tags", {})
    request.notify("s3:ObjectTagging:Delete", version)
    return Answer(204, _version(request, version))


def get_object_acl(request: S3Request) -> Answer:
    """Answer GetObjectAcl."""
    version = find(request)
    grants = [
        {"Grantee": _grantee(one), "Permission": one["permission"]} for one in version.attributes.get("acl") or _PRIVATE
    ]
    content = {"Owner": OWNER, "AccessControlList": {"Grant": grants}}
    return xml_answer("AccessControlPolicy", content, _version(request, version))


def put_object_acl(request: S3Request) -> Answer:
    """Answer PutObjectAcl: a canned list, grants in headers, or a document."""
    version = find(request)
    acl = attributes_.acl_of(request)
    if not acl:
        body = request.document()
        acl = _acl_of(xml.parse(body, "AccessControlPolicy")) if body else request.bucket.acl
    version = _changed(request, version, "acl", acl)
    request.notify("s3:ObjectAcl:Put", version)
    return Answer(200, _version(request, version))


def get_object_retention(request: S3Request) -> Answer:
    """Answer GetObjectRetention."""
    lock = _lock(request, find(request))
    if "mode" not in lock:
        raise _no_lock()
    return xml_answer("Retention", {"Mode": lock["mode"], "RetainUntilDate": lock["until"]})


def put_object_retention(request: S3Request) -> Answer:
    """Answer PutObjectRetention; a lock that holds can be lengthened by anybody, else only what bypass allows."""
    version = find(request)
    lock = dict(_lock(request, version))
    root = xml.parse(request.document(), "Retention")
    mode, until = root.findtext("Mode"), root.findtext("RetainUntilDate")
    if not mode and not until:
        lock.pop("mode", None)
        lock.pop("until", None)
        wanted = lock
    elif mode not in ("GOVERNANCE", "COMPLIANCE") or until is None:
        raise malformed_xml()
    else:
        wanted = {**lock, "mode": mode, "until": until}
    bypass = (request.header("x-amz-bypass-governance-retention") or "").lower() == "true"
    weaker = wanted.get("mode") != lock.get("mode") or _moment(wanted.get("until")) < _moment(lock.get("until"))
    if weaker and "mode" in version.attributes.get("lock", {}):
        retention = {name: value for name, value in version.attributes["lock"].items() if name != "legal_hold"}
        attributes_.require_unlocked({"lock": retention}, bypass=bypass)
    _changed(request, version, "lock", wanted)
    return Answer(200)


def get_object_legal_hold(request: S3Request) -> Answer:
    """Answer GetObjectLegalHold."""
    lock = _lock(request, find(request))
    if "legal_hold" not in lock:
        raise _no_lock()
    return xml_answer("LegalHold", {"Status": lock["legal_hold"]})


def put_object_legal_hold(request: S3Request) -> Answer:
    """Answer PutObjectLegalHold."""
    version = find(request)
    lock = _lock(request, version)
    status = xml.required(xml.parse(request.document(), "LegalHold"), "Status")
    if status not in ("ON", "OFF"):
        raise malformed_xml()
    _changed(request, version, "lock", {**lock, "legal_hold": status})
    return Answer(200)


def get_object_attributes(request: S3Request) -> Answer:
    """Answer GetObjectAttributes: the members that are asked for, also of archived objects."""
    version = find(request)
    wanted = {one.strip() for one in (request.header("x-amz-object-attributes") or "").split(",")}
    content = {
        "ETag": version.etag if "ETag" in wanted else None,
        "Checksum": _checksum(version) if "Checksum" in wanted else None,
        "ObjectParts": _parts(request, version) if "ObjectParts" in wanted and version.parts else None,
        "StorageClass": version.attributes.get("storage_class", "STANDARD") if "StorageClass" in wanted else None,
        "ObjectSize": version.size if "ObjectSize" in wanted else None,
    }
    headers = {**_version(request, version), "Last-Modified": http_date(version.last_modified)}
    return xml_answer("GetObjectAttributesResponse", content, headers)


def restore_object(request: S3Request) -> Answer:
    """Answer RestoreObject: an archived object can be read at once, until the days are over."""
    version = find(request)
    if version.attributes.get("storage_class") not in attributes_.ARCHIVED:
        raise S3Error(
            "InvalidObjectState",
            "The operation is not valid for the object's storage class",
            403,
            fields={"StorageClass": str(version.attributes.get("storage_class", "STANDARD"))},
        )
    days = xml.parse(request.document(), "RestoreRequest").findtext("Days") or "1"
    if not days.isdigit():
        raise malformed_xml()
    again = attributes_.restored_until(version.attributes) is not None
    version = _changed(request, version, "restore", {"until": time.time() + int(days) * _DAY})
    request.notify("s3:ObjectRestore:Post", version)
    return Answer(200 if again else 202)


def _changed(request: S3Request, version: ObjectVersion, name: str, value: Any) -> ObjectVersion:
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda before: {**before, name: value}  # noqa: E731
    after = request.store.set_attributes(version.bucket, version.key, version.version_id, change)
    if after is None:  # deleted at this moment
        raise no_such_key(version.key)
    return after


def _version(request: S3Request, version: ObjectVersion) -> dict[str, str | None]:
    return {"x-amz-version-id": version_header(request.bucket, version)}


def _grantee(grant: Mapping[str, str]) -> dict[str, Any]:
    return {
        xml.ATTRIBUTES: {"xmlns:xsi": _XSI, "xsi:type": grant["type"]},
        "ID": grant.get("id") or None,
        "DisplayName": grant.get("name") or None,
        "EmailAddress": grant.get("email") or None,
        "URI": grant.get("uri") or None,
    }


def _acl_of(root: Element) -> Grants:
    grants: Grants = []
    if root.find("Owner") is None or root.find("AccessControlList") is None:
        raise S3Error(
            "MalformedACLError",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    for one in root.findall("AccessControlList/Grant"):
        grantee, permission = one.find("Grantee"), xml.required(one, "Permission").strip()
        if grantee is None or permission not in _PERMISSIONS:
            raise malformed_xml()
        names = {"id": "ID", "name": "DisplayName", "email": "EmailAddress", "uri": "URI"}
        found = {name: text for name, tag in names.items() if (text := grantee.findtext(tag))}
        kind = grantee.get(f"{{{_XSI}}}type") or ("Group" if "uri" in found else "CanonicalUser")
        grants.append({"permission": permission, "type": kind, **found})
    return grants


def _lock(request: S3Request, version: ObjectVersion) -> dict[str, str]:
    if not request.bucket.object_lock:
        raise invalid_request("Bucket is missing ObjectLockConfiguration")
    lock: dict[str, str] = version.attributes.get("lock", {})
    return lock


def _no_lock() -> S3Error:
    return S3Error(
        "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", 404
    )


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.min.replace(tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid_argument("The retain until date must be provided in ISO 8601 format") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _checksum(version: ObjectVersion) -> dict[str, str] | None:
    """Return the checksum without the number of parts; its type says whether it is theirs."""
    found = {
        name: value.partition("-")[0] for name, value in checksums.members(version.attributes.get("checksum")).items()
    }
    if not version.parts:
        found.pop("ChecksumType", None)
    return found or None


def _parts(request: S3Request, version: ObjectVersion) -> dict[str, Any]:
    marker = int(request.header("x-amz-part-number-marker") or 0)
    limit = min(int(request.header("x-amz-max-parts") or 1000), 1000)
    later = [one for one in version.parts if one.number > marker]
    page = later[:limit]
    checksum = version.attributes.get("checksum", {})
    algorithm = checksum.get("algorithm")
    parts = [
        {
            "PartNumber": one.number,
            "Size": one.size,
            f"Checksum{algorithm}": one.attributes.get("checksums", {}).get(algorithm),
        }
        for one in page
    ]
    return {
        "PartsCount": len(version.parts),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else marker,
        "MaxParts": limit,
        "IsTruncated": len(later) > len(page),
        "Part": parts if checksum.get("type") == checksums.COMPOSITE else [],
    }
