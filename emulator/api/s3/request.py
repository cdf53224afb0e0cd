"""An S3 request as the operations see it, and the answers they give."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Request, Response

from ...contract.arns import Scope
from ...storage.objects.model import NULL_VERSION, ObjectStore, ObjectVersion, Versioning
from ..caller import Caller
from ..wire import UNDERSCORED_HEADERS
from . import xml
from .body import Body
from .errors import S3Error, invalid_argument, malformed_xml, no_such_bucket
from .routing import Route

if TYPE_CHECKING:
    from ...runtime import Emulator
    from ...storage.buckets import BucketSettings

OWNER_ID: Final = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
OWNER: Final = {"ID": OWNER_ID, "DisplayName": "webfile"}
_LARGEST_DOCUMENT: Final = 16 * 1024**2


@dataclass(frozen=True)
class S3Request:
    """One request for a bucket or an object."""

    emulator: Emulator
    wire: Request
    caller: Caller
    route: Route
    body: Body

    @property
    def store(self) -> ObjectStore:
        return self.emulator.objects

    @property
    def scope(self) -> Scope:
        return self.caller.scope

    @property
    def key(self) -> str:
        return self.route.key

    @cached_property
    def bucket(self) -> BucketSettings:
        """The settings of the bucket, which must be there."""
        return self.settings(self.route.bucket)

    def settings(self, name: str) -> BucketSettings:
        found = self.emulator.buckets.find(self.scope, name)
        if found is None:
            raise no_such_bucket(name)
        return found

    def header(self, name: str) -> str | None:
        """Return a header, named in lower case; a presigned URL may carry x-amz- headers in its query instead."""
        return self._headers.get(name)

    def headers(self, prefix: str) -> dict[str, str]:
        """Return all headers whose names begin with a prefix, by the rest of the name in lower case."""
        return {name.removeprefix(prefix): value for name, value in self._headers.items() if name.startswith(prefix)}

    def query(self, name: str) -> str | None:
        return self._arguments.get(name)

    def number(self, name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
        """Return a number of the query."""
        text = self.query(name)
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            value = most + 1
        if value > most:
            raise invalid_argument(f"Provided {name} not an integer or within integer range", name, text)
        if value < least:
            raise invalid_argument(f"Argument {name} must be an integer between {least} and {most}", name, text)
        return value

    def document(self) -> bytes:
        """Return the body of a request that is a document, checked against its Content-MD5."""
        text = self.body.read_all(_LARGEST_DOCUMENT)
        if text is None:
            raise malformed_xml()
        self.body.check_md5(hashlib.md5(text, usedforsecurity=False).hexdigest())
        return text

    @property
    def is_signed(self) -> bool:
        presigned = "Signature" in self.wire.args or "X-Amz-Signature" in self.wire.args
        return presigned or "Authorization" in self.wire.headers

    def notify(self, event: str, version: ObjectVersion) -> None:
        self.emulator.buckets.notify(self.scope, event, version)

    @cached_property
    def _arguments(self) -> dict[str, str]:
        return self.wire.args.to_dict()

    @cached_property
    def _headers(self) -> dict[str, str]:
        arguments = {name.lower(): value for name, value in self.wire.args.items()}
        found = {name: header_text(value) for name, value in arguments.items() if name.startswith("x-amz-")}
        underscored: dict[str, str] = self.wire.environ.get(UNDERSCORED_HEADERS, {})
        folded = {name.replace("_", "-") for name in underscored}
        for variable, value in self.wire.environ.items():
            if variable.startswith(("HTTP_", "CONTENT_")):
                name = variable.removeprefix("HTTP_").lower().replace("_", "-")
                if name not in folded:
                    found[name] = value
        return found | underscored


class Answer(Response):
    """An answer without a content type of its own accord, with S3's request ids."""

    default_mimetype = None

    def __init__(
        self,
        status: int = 200,
        headers: Mapping[str, str | None] | None = None,
        body: bytes | Iterable[bytes] = b"",
    ) -> None:
        super().__init__(body, status=status, direct_passthrough=not isinstance(body, bytes))
        for name, value in (headers or {}).items():
            if value is not None:
                self.headers[name] = value
        self.headers["x-amz-request-id"] = self.headers["x-amzn-RequestId"] = os.urandom(8).hex().upper()
        self.headers["x-amz-id-2"] = "sagemaker-emulator"


def xml_answer(
    name: str, content: Mapping[str, Any], headers: Mapping[str, str | None] | None = None, status: int = 200
) -> Answer:
    """Return a document."""
    return Answer(status, {"Content-Type": "application/xml", **(headers or {})}, xml.document(name, content))


def error_answer(error: S3Error, request: Request) -> Answer:
    """Return an error; the answer to HEAD has no body."""
    if error.status == 304 or request.method == "HEAD":
        return Answer(error.status, {"Content-Type": "application/xml", **error.headers})
    answer = Answer(error.status, {"Content-Type": "application/xml", **error.headers})
    content = {
        "Code": error.code,
        "Message": error.message,
        **error.fields,
        "RequestId": answer.headers["x-amz-request-id"],
        "HostId": answer.headers["x-amz-id-2"],
    }
    answer.set_data(xml.document("Error", content, namespace=""))
    return answer


def header_text(value: str) -> str:
    """Return a text from a query or a form as the value of a header, whose bytes are UTF-8."""
    if any(character in "\r\n\0" for character in value):
        raise invalid_argument("A header cannot hold this value", "header", repr(value))
    return value.encode("utf-8", "replace").decode("latin-1")


def http_date(moment: float) -> str:
    return _http_date(int(moment))


@lru_cache
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


def iso_date(moment: float) -> str:
    """Return a time as S3's documents have it: whole seconds."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def version_header(bucket: BucketSettings, version: ObjectVersion) -> str | None:
    """Return x-amz-version-id: said in buckets that have, or had, versions."""
    is_plain = version.version_id == NULL_VERSION and bucket.versioning is Versioning.OFF
    return None if is_plain else version.version_id


Stream = Iterator[bytes]
