"""PostObject: a form that a browser sends, with the object as its last field."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from werkzeug.datastructures import FileStorage

from . import attributes as attributes_
from .body import CHUNK
from .checksums import Check
from .errors import S3Error, invalid_argument
from .request import Answer, S3Request, header_text, version_header, xml_answer

_FILE_NAME: Final = "${filename}"
_FIELDS: Final = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
    "Expires",
)


def post_object(request: S3Request) -> Answer:
    """Answer PostObject. A policy is not checked: it is a permission, and nothing here asks for one."""
    if not request.body.has_length:
        raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    fields = {name.lower(): value for name, value in request.wire.form.items()}
    described = {name: header_text(value) for name, value in fields.items() if name not in ("key", "file")}
    file = request.wire.files.get("file")
    key = fields.get("key")
    if not key:
        raise invalid_argument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields."
        )
    if file is not None:
        key = key.replace(_FILE_NAME, file.filename or "")
    headers = {name: value for name in _FIELDS if (value := described.get(name.lower()))}
    metadata = {
        name.removeprefix("x-amz-meta-"): value for name, value in described.items() if name.startswith("x-amz-meta-")
    }
    found = {
        "headers": headers,
        "metadata": metadata,
        "acl": attributes_.canned_acl(fields["acl"]) if "acl" in fields else request.bucket.acl,
        "storage_class": fields.get("x-amz-storage-class"),
        "encryption": request.bucket.default_encryption,
    }
    check = Check(request)
    with closing(request.wire):  # it has the file aside
        version = request.store.put(
            request.bucket.name,
            key,
            _content(file, fields.get("file", "")),
            attributes={name: value for name, value in found.items() if value},
            versioning=request.bucket.versioning,
            hashers=check.hashers,
            verify=lambda _md5, _size, digests: check.attributes(digests),
        )
    request.notify("s3:ObjectCreated:Post", version)
    etag = f'"{version.etag}"'
    answer_headers = {"ETag": etag, "x-amz-version-id": version_header(request.bucket, version)}
    if redirect := fields.get("success_action_redirect") or fields.get("redirect"):
        parts = urlsplit(redirect)
        query = [*parse_qsl(parts.query), ("key", key), ("bucket", request.bucket.name), ("etag", etag)]
        return Answer(303, {**answer_headers, "Location": urlunsplit(parts._replace(query=urlencode(query)))})
    status = fields.get("success_action_status")
    if status == "201":
        content = {"Location": f"/{request.bucket.name}/{key}", "Bucket": request.bucket.name, "Key": key, "ETag": etag}
        return xml_answer("PostResponse", content, answer_headers, 201)
    return Answer(200 if status == "200" else 204, answer_headers)


def _content(file: FileStorage | None, text: str) -> Iterator[bytes]:
    if file is None:
        yield text.encode()
        return
    while chunk := file.stream.read(CHUNK):
        yield chunk
