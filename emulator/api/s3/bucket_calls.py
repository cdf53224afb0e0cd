"""Requests about a bucket itself: answered by moto, mirrored in the object store, remembered for a restart."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from werkzeug.wrappers import Response

from ...storage.buckets import BucketCall
from ...storage.objects.model import BucketNotEmptyError, NoSuchBucketError
from .. import other_services
from .errors import S3Error
from .request import S3Request

_CHANGES: Final = ("PUT", "DELETE")
_KEPT_HEADERS: Final = ("content-type", "content-md5")


def forward(request: S3Request) -> Response:
    """Have moto answer. It is given path style whatever the client used: it reads host names in another way."""
    route = request.route
    environ = request.wire.environ
    path = "/".join(part for part in (f"/{route.bucket}" if route.bucket else "", route.key) if part) or "/"
    environ["HTTP_HOST"] = "localhost"
    environ["PATH_INFO"] = path.encode("utf-8", "surrogateescape").decode("latin-1")
    query = request.wire.query_string.decode("latin-1")
    environ["RAW_URI"] = environ["REQUEST_URI"] = quote(path, errors="surrogateescape") + (f"?{query}" if query else "")
    if request.body.is_aws_chunked or request.wire.method in _CHANGES:
        request.wire.get_data(cache=True, parse_form_data=False)
    return other_services.answer(request.emulator, request.wire, request.caller)


def answer(request: S3Request) -> Response:
    """Answer a request about a bucket, or about all."""
    route = request.route
    request.emulator.buckets.find(request.scope, route.bucket)
    if not route.subresource and route.bucket and route.method == "PUT":
        return _create(request)
    if not route.subresource and route.bucket and route.method == "DELETE":
        return _delete(request)
    response = forward(request)
    if route.method in _CHANGES and response.status_code < 300:
        kind = "&".join([route.subresource, *sorted(request.wire.args.getlist("id"))])
        if route.method == "PUT":
            request.emulator.buckets.record(route.bucket, kind, _call(request))
        else:
            request.emulator.buckets.forget(route.bucket, kind)
    return response


def _create(request: S3Request) -> Response:
    response = forward(request)
    if response.status_code < 300:
        request.emulator.buckets.record(request.route.bucket, "", _call(request))
        request.emulator.buckets.find(request.scope, request.route.bucket)  # which makes it in the store
    return response


def _delete(request: S3Request) -> Response:
    """Delete in the store first: it alone knows, at one moment, that a bucket is empty."""
    bucket = request.bucket.name
    try:
        request.store.delete_bucket(bucket)
    except NoSuchBucketError:
        pass
    except BucketNotEmptyError as error:
        raise S3Error(
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty",
            409,
            fields={"BucketName": bucket},
        ) from error
    response = forward(request)
    if response.status_code < 300:
        request.emulator.buckets.forget_bucket(bucket)
    else:
        request.store.create_bucket(bucket)
    return response


def _call(request: S3Request) -> BucketCall:
    query = request.wire.query_string.decode("latin-1") if request.route.subresource else ""
    headers = {name: value for name in _KEPT_HEADERS if (value := request.wire.headers.get(name))}
    headers |= {
        name.lower(): value for name, value in request.wire.headers.items() if name.lower().startswith("x-amz-")
    }
    for name in ("x-amz-content-sha256", "x-amz-security-token", "x-amz-date"):
        headers.pop(name, None)
    return BucketCall(
        account=request.scope.account,
        region=request.scope.region,
        method="PUT",
        target=quote(f"/{request.route.bucket}") + (f"?{query}" if query else ""),
        headers=headers,
        body=request.wire.get_data(),
    )
