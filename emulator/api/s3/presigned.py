"""Presigned URLs: their time, and what they say was signed. Signatures themselves are not checked."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from .errors import S3Error, access_denied
from .request import S3Request

_LONGEST_SECONDS: Final = 7 * 86400
_CONTENT_HEADERS: Final = (
    "content-disposition", "content-encoding", "content-language", "content-length", "content-md5", "content-type",
)  # fmt: skip


def check(request: S3Request) -> None:
    """Refuse a URL that has expired, or a request that is not the one which was signed."""
    arguments = request.wire.args
    if "X-Amz-Signature" in arguments:
        _check_version_4(request)
    elif "Signature" in arguments and "AWSAccessKeyId" in arguments:
        _check_version_2(request)


def _check_version_4(request: S3Request) -> None:
    arguments = request.wire.args
    try:
        signed = datetime.strptime(arguments["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        seconds = int(arguments["X-Amz-Expires"])
    except (KeyError, ValueError) as error:
        raise S3Error(
            "AuthorizationQueryParametersError",
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ) from error
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise S3Error(
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be less than a week (in seconds) that is 604800",
        )
    _check_time(signed + seconds)
    for name in arguments.get("X-Amz-SignedHeaders", "").split(";"):
        if name not in ("", "host") and name not in request.wire.headers:
            raise _does_not_match()


def _check_version_2(request: S3Request) -> None:
    arguments = request.wire.args
    expires = arguments.get("Expires", "")
    if not expires.isdigit():
        raise access_denied("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
    _check_time(int(expires))
    for name in _CONTENT_HEADERS:
        if name in arguments and request.wire.headers.get(name) != arguments[name]:
            raise _does_not_match()


def _check_time(until: float) -> None:
    if until < time.time():
        raise access_denied("Request has expired")


def _does_not_match() -> S3Error:
    return S3Error(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing "
        "method.",
        403,
    )
