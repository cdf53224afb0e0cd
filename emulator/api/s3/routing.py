"""Which bucket and key a request names, in its path or in its host, and which operation it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from werkzeug.wrappers import Request

from .errors import S3Error

# Bucket.s3.amazonaws.com, bucket.s3.eu-west-1.amazonaws.com.cn, bucket.s3-us-west-2..., and without a bucket.
_AWS_HOST: Final = re.compile(r"(?:(?P<bucket>.+)\.)?s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?")
_OTHER_AWS_HOST: Final = re.compile(r".*\.(?:amazonaws\.com(?:\.cn)?|api\.aws)")
_CONTROL_HOST: Final = re.compile(r".*(?:^|\.)(?:s3-control|s3tables|s3vectors|s3-accesspoint|s3-object-lambda)\b.*")
_LOCAL_HOST: Final = re.compile(r"(?:(?P<bucket>.+?)\.)?(?:s3(?:\.[a-z0-9-]+)?\.)?(?:localhost|host\.docker\.internal)")
_ADDRESS: Final = re.compile(r"[0-9.]+|\[.*\]|[^.]*")
_SIGNATURE_V2: Final = re.compile(r"AWS [^ :]+:")

# Subresources decide what an operation is; one at a time has a meaning.
BUCKET_SUBRESOURCES: Final = (
    "accelerate", "acl", "analytics", "cors", "delete", "encryption", "intelligent-tiering", "inventory",
    "lifecycle", "location", "logging", "metadataConfiguration", "metadataTable", "metrics", "notification",
    "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "replication",
    "requestPayment", "session", "tagging", "uploads", "versioning", "versions", "website",
)  # fmt: skip
OBJECT_SUBRESOURCES: Final = (
    "acl", "attributes", "legal-hold", "restore", "retention", "select", "tagging", "torrent", "uploads",
    "uploadId", "renameObject",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Route:
    """What a request is about; no key: the bucket, no bucket: the account."""

    method: str
    bucket: str
    key: str
    subresource: str
    virtual_host: bool = False


def is_s3(request: Request, service: str) -> bool:
    """Tell whether a request is for S3's own endpoint, signed in any way or not at all."""
    host = _host(request)
    if service:
        return service == "s3" and not _CONTROL_HOST.fullmatch(host) and not request.path.startswith("/v20180820/")
    if _SIGNATURE_V2.match(request.headers.get("Authorization", "")) or "AWSAccessKeyId" in request.args:
        return True
    if request.headers.get("Authorization") or "X-Amz-Target" in request.headers:
        return False
    if _AWS_HOST.fullmatch(host):
        return not _CONTROL_HOST.fullmatch(host)
    is_form = (request.content_type or "").startswith("application/x-www-form-urlencoded")
    is_elsewhere = request.path.startswith(("/moto-api", "/latest/"))
    return not (_OTHER_AWS_HOST.fullmatch(host) or is_elsewhere or (is_form and request.path == "/"))


def route(request: Request, exists: Callable[[str], bool]) -> Route:
    """Read bucket, key and subresource; `exists` settles whether an unknown host name begins with a bucket's.

    Raises:
        S3Error: InvalidURI, the path is not UTF-8.
    """
    try:
        path = unquote(raw_path(request.environ), errors="strict")
    except UnicodeDecodeError as error:
        raise S3Error("InvalidURI", "Couldn't parse the specified URI.") from error
    bucket = _bucket_of_host(_host(request), exists)
    virtual_host = bool(bucket)
    if virtual_host:
        key = path[1:]
    else:
        bucket, _, key = path[1:].partition("/")
    names: Mapping[str, str] = request.args
    known = OBJECT_SUBRESOURCES if key else BUCKET_SUBRESOURCES
    subresource = next((name for name in known if name in names), "")
    return Route(method=request.method, bucket=bucket, key=key, subresource=subresource, virtual_host=virtual_host)


def raw_path(environ: Mapping[str, Any]) -> str:
    """Return the path as it was sent: WSGI's own form has lost what was encoded, such as a slash."""
    uri = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    if not uri:
        return str(environ.get("PATH_INFO", "/")).encode("latin-1").decode("utf-8")
    uri = uri if isinstance(uri, str) else uri.decode("latin-1")
    path = uri.partition("?")[0] if uri.startswith("/") else urlsplit(uri).path
    return path if path.startswith("/") else f"/{path}"


def _host(request: Request) -> str:
    host = request.headers.get("Host", "").lower()
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _bucket_of_host(host: str, exists: Callable[[str], bool]) -> str:
    if match := _AWS_HOST.fullmatch(host) or _LOCAL_HOST.fullmatch(host):
        return match["bucket"] or ""
    if _ADDRESS.fullmatch(host) or _OTHER_AWS_HOST.fullmatch(host):
        return ""
    labels = host.split(".")
    candidates = [".".join(labels[:count]) for count in range(len(labels) - 1, 0, -1)]
    return next((name for name in candidates if exists(name)), "")
