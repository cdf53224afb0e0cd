"""S3's operations: which function answers which request."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from werkzeug.wrappers import Request, Response

from ...runtime import Emulator
from ...storage.buckets import Permission
from ...storage.objects.model import NoSuchBucketError, StoreFullError
from ..caller import Caller
from . import bucket_calls, delete_objects, forms, listing, multipart, objects, presigned, routing, subresources
from .attributes import is_public
from .body import Body
from .errors import S3Error, access_denied, disk_full, no_such_bucket
from .request import S3Request, error_answer

logger = logging.getLogger(__name__)

Operation = Callable[[S3Request], Response]

_BUCKET: Final[dict[tuple[str, str], Operation]] = {
    ("GET", ""): listing.list_objects,
    ("GET", "versions"): listing.list_object_versions,
    ("GET", "uploads"): multipart.list_multipart_uploads,
    ("POST", "delete"): delete_objects.delete_objects,
    ("POST", ""): forms.post_object,
}
_OBJECT: Final[dict[tuple[str, str], Operation]] = {
    ("GET", ""): objects.get_object,
    ("HEAD", ""): objects.head_object,
    ("PUT", ""): objects.put_object,
    ("DELETE", ""): objects.delete_object,
    ("GET", "tagging"): subresources.get_object_tagging,
    ("PUT", "tagging"): subresources.put_object_tagging,
    ("DELETE", "tagging"): subresources.delete_object_tagging,
    ("GET", "acl"): subresources.get_object_acl,
    ("PUT", "acl"): subresources.put_object_acl,
    ("GET", "retention"): subresources.get_object_retention,
    ("PUT", "retention"): subresources.put_object_retention,
    ("GET", "legal-hold"): subresources.get_object_legal_hold,
    ("PUT", "legal-hold"): subresources.put_object_legal_hold,
    ("GET", "attributes"): subresources.get_object_attributes,
    ("POST", "restore"): subresources.restore_object,
    ("POST", "uploads"): multipart.create_multipart_upload,
    ("PUT", "uploadId"): multipart.upload_part,
    ("GET", "uploadId"): multipart.list_parts,
    ("POST", "uploadId"): multipart.complete_multipart_upload,
    ("DELETE", "uploadId"): multipart.abort_multipart_upload,
}
_COPIES: Final[dict[Operation, Operation]] = {
    objects.put_object: objects.copy_object,
    multipart.upload_part: multipart.upload_part_copy,
}
# moto would take such a request for one about the bucket or the object itself.
_NOT_EMULATED: Final = (
    "analytics", "intelligent-tiering", "metadataConfiguration", "metadataTable", "metrics",
    "renameObject", "requestPayment", "session", "torrent",
)  # fmt: skip
_ACTIONS: Final = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "DELETE": "s3:DeleteObject"}


def answer(emulator: Emulator, request: Request, caller: Caller) -> Response:
    """Answer a request for S3; object operations from the store, all else by moto."""
    body = Body(request)
    try:
        route = routing.route(request, lambda name: emulator.buckets.find(caller.scope, name) is not None)
        response = _answer(S3Request(emulator, request, caller, route, body))
    except S3Error as error:
        response = error_answer(error, request)
    except NoSuchBucketError as error:  # deleted at this moment
        response = error_answer(no_such_bucket(str(error)), request)
    except StoreFullError:
        logger.exception("%s %s: the disk is full", request.method, request.path)
        response = error_answer(disk_full(), request)
    if response.status_code >= 400:
        body.drain()
    return response


def allows_page(emulator: Emulator, request: Request, caller: Caller, origin: str, method: str) -> bool:
    """Tell whether a bucket's CORS configuration lets a page of this origin send such a request."""
    try:
        route = routing.route(request, lambda name: emulator.buckets.find(caller.scope, name) is not None)
    except S3Error:
        return False
    headers = emulator.buckets.cors_headers(caller.scope, route.bucket, origin) if route.bucket else {}
    return method in headers.get("Access-Control-Allow-Methods", "").split(", ")


def _answer(request: S3Request) -> Response:
    operation = _operation(request)
    if request.route.subresource in _NOT_EMULATED:
        raise S3Error("NotImplemented", f"{request.route.method} ?{request.route.subresource} is not emulated.", 400)
    if operation is None:
        return bucket_calls.answer(request) if not request.route.key else bucket_calls.forward(request)
    owner = request.header("x-amz-expected-bucket-owner")
    if owner is not None and owner != request.bucket.account:
        raise access_denied()
    request.emulator.buckets.log_access(request.scope, request.route.bucket, request.wire)
    presigned.check(request)
    _check_access(request)
    response = operation(request)
    if origin := request.wire.headers.get("Origin"):
        response.headers.update(request.emulator.buckets.cors_headers(request.scope, request.route.bucket, origin))
    return response


def _operation(request: S3Request) -> Operation | None:
    route = request.route
    if not route.bucket:
        return None
    operation = (_OBJECT if route.key else _BUCKET).get((route.method, route.subresource))
    if operation is listing.list_objects and request.query("list-type") == "2":
        return listing.list_objects_v2
    if operation is not None and request.header("x-amz-copy-source"):
        return _COPIES.get(operation, operation)
    return operation


def _check_access(request: S3Request) -> None:
    """Apply the bucket's policy; who does not sign at all reads only what is public."""
    route = request.route
    if not route.key:
        return
    action = _ACTIONS.get(route.method, "s3:PutObject")
    said = request.emulator.buckets.permission(request.scope, request.bucket.name, action, route.key)
    if said is Permission.DENIED:
        raise access_denied()
    if request.is_signed or said is Permission.ALLOWED:
        return
    version = request.store.get(request.bucket.name, route.key, request.query("versionId"))
    if version is not None and not is_public(version.attributes.get("acl", [])):
        raise access_denied()
