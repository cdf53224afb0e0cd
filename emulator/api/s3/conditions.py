"""Conditional requests and ranges: what a client may ask to depend on an object's entity tag, age or length."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Final

from ...storage.objects.model import ObjectVersion, Precondition
from .errors import S3Error, no_such_key, precondition_failed
from .request import S3Request

_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)


def check_read(request: S3Request, version: ObjectVersion) -> None:
    """Apply the four conditions to a version that is read.

    Raises:
        S3Error: 412, or 304 without a body.
    """
    failed = _failed(request, version, "")
    if failed is None:
        return
    if failed in ("If-None-Match", "If-Modified-Since"):
        raise S3Error("NotModified", "Not Modified", 304)
    raise precondition_failed(failed)


def check_copy_source(request: S3Request, version: ObjectVersion) -> None:
    """Apply the conditions of a copy to its source, where all of them fail alike."""
    if failed := _failed(request, version, "x-amz-copy-source-"):
        raise precondition_failed(f"x-amz-copy-source-{failed}")


def precondition_of_write(request: S3Request) -> Precondition | None:
    """Return what must hold for the object that a write replaces; None if there is no condition."""
    match = request.wire.headers.get("If-Match")
    none_match = request.wire.headers.get("If-None-Match")
    if not match and not none_match:
        return None
    if none_match and none_match.strip() != "*":
        raise S3Error(
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
            501,
            fields={"Header": "If-None-Match"},
        )

    def check(current: ObjectVersion | None) -> None:
        exists = current is not None and not current.is_delete_marker
        if none_match and exists:
            raise precondition_failed("If-None-Match")
        if match and current is not None and exists:
            if not _matches(match, current.etag):
                raise precondition_failed("If-Match")
        elif match:
            raise no_such_key(request.key)

    return check


def requested_range(request: S3Request, version: ObjectVersion) -> tuple[int, int] | None:
    """Return the stretch [start, end) that a Range header asks for; None: all of it.

    A header that cannot be read, or names several ranges, is ignored, as S3 does.

    Raises:
        S3Error: InvalidRange, there is no such stretch.
    """
    text = request.wire.headers.get("Range", "")
    match = _RANGE.fullmatch(text)
    if match is None or not _range_applies(request, version):
        return None
    first, last = match.groups()
    size = version.size
    if not first and not last:
        return None
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    else:
        start, end = max(size - int(last), 0), size
    if start >= size or start == end:
        raise S3Error(
            "InvalidRange",
            "The requested range is not satisfiable",
            416,
            fields={"RangeRequested": text, "ActualObjectSize": str(size)},
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, end


def _range_applies(request: S3Request, version: ObjectVersion) -> bool:
    condition = request.wire.headers.get("If-Range")
    if not condition:
        return True
    moment = _moment(condition)
    return int(version.last_modified) <= moment if moment is not None else _matches(condition, version.etag)


def _failed(request: S3Request, version: ObjectVersion, prefix: str) -> str | None:
    """Return the condition that does not hold. An entity tag decides over a date."""
    modified = int(version.last_modified)
    match, none_match = request.header(f"{prefix}if-match"), request.header(f"{prefix}if-none-match")
    if match:
        if not _matches(match, version.etag):
            return "If-Match"
    elif (limit := _moment(request.header(f"{prefix}if-unmodified-since"))) is not None and modified > limit:
        return "If-Unmodified-Since"
    if none_match:
        if _matches(none_match, version.etag):
            return "If-None-Match"
    elif (since := _moment(request.header(f"{prefix}if-modified-since"))) is not None and modified <= since:
        return "If-Modified-Since"
    return None


def _matches(wanted: str, etag: str) -> bool:
    tags = [one.strip().removeprefix("W/").strip('"') for one in wanted.split(",")]
    return "*" in tags or etag in tags


def _moment(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (TypeError, ValueError):
        return None
