"""DeleteObjects: up to a thousand keys in one request, each with an outcome of its own."""

from __future__ import annotations

from typing import Any, Final

from ...storage.buckets import Permission
from . import xml
from .errors import S3Error, access_denied, malformed_xml
from .objects import delete
from .request import Answer, S3Request, xml_answer

_MOST: Final = 1000


def delete_objects(request: S3Request) -> Answer:
    """Answer DeleteObjects; with Quiet only the failures are told."""
    root = xml.parse(request.document(), "Delete")
    objects = root.findall("Object")
    if not objects or len(objects) > _MOST:
        raise malformed_xml()
    bucket = request.bucket.name
    quiet = (root.findtext("Quiet") or "").strip().lower() == "true"
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for one in objects:
        key, version_id = xml.required(one, "Key"), one.findtext("VersionId") or None
        try:
            removed = _delete(request, bucket, key, version_id)
        except S3Error as error:
            told = {"Key": key, "VersionId": version_id, "Code": error.code, "Message": error.message}
            errors.append(told)
            continue
        marker = removed.get("version_id") if removed.get("marker") else None
        deleted.append(
            {
                "Key": key,
                "VersionId": version_id,
                "DeleteMarker": True if marker else None,
                "DeleteMarkerVersionId": marker,
            }
        )
    return xml_answer("DeleteResult", {"Deleted": [] if quiet else deleted, "Error": errors})


def _delete(request: S3Request, bucket: str, key: str, version_id: str | None) -> dict[str, Any]:
    said = request.emulator.buckets.permission(request.scope, bucket, "s3:DeleteObject", key)
    if said is Permission.DENIED:
        raise access_denied()
    return delete(request, key, version_id)
