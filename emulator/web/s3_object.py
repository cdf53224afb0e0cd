"""One object of a bucket: what is known of it, a look at its content, and its bytes to take away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import abort, render_template, request
from werkzeug.wrappers import Response

from ..contract.arns import S3Uri
from ..storage.objects.model import ObjectVersion, Reader, VersionGoneError
from .files import disposition
from .previews.archives import Contents, Member, tar_contents, tar_member, zip_contents, zip_member
from .previews.kinds import Content, Kind, content_of
from .previews.shown import Shown, shown
from .previews.streams import WINDOW, Budget, Inflated, ObjectFile, Source, UnreadableError
from .s3 import bucket_named, crumbs_of, pages, shown_name
from .scopes import emulator
from .unseen import visible

__all__ = ["pages"]  # the blueprint, with the pages of both files

# Enough to know what it is; archives say it in their first block.
_HEAD: Final = 64 * 1024
MOST_RAW: Final = 32 * 1024**2
"""Bytes of an image or a text that a browser gets to show at once."""
_MOST_VERSIONS: Final = 100
_ARCHIVES: Final = (Kind.TAR, Kind.ZIP)
_HARMLESS: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the page shows of content; one of the last three, and `problem` where none can be."""

    content: Content
    view: Kind
    shown: Shown | None = None
    members: Contents | None = None
    problem: str = ""


@pages.get("/s3/<bucket>/object", endpoint="object")
def object_page(bucket: str) -> str:
    """Show an object, or one member of an archive."""
    settings = bucket_named(bucket)
    key = request.args.get("key", "")
    versions = _versions_of(bucket, key)
    version = _version(bucket, key)
    member, preview = None, None
    if version is not None:
        member, preview = _preview(version)
    elif not versions:
        abort(404, f"There is no object {visible(key)!r} in the bucket {bucket}.")
    return render_template(
        "s3/object.html",
        bucket=settings,
        key=key,
        name=shown_name(key.rpartition("/")[2]),
        uri=visible(str(S3Uri(bucket=bucket, key=key))),
        crumbs=crumbs_of(key[: key.rfind("/") + 1]),
        version=version,
        versions=versions,
        asked_version=request.args.get("version"),
        member=member,
        preview=preview,
    )


@pages.get("/s3/<bucket>/download")
def download(bucket: str) -> Response:
    """Send an object as a file to be saved, whatever it is."""
    bucket_named(bucket)
    version = _required_version(bucket)
    try:
        reader = emulator().objects.read(version)
    except VersionGoneError:
        abort(404, f"{visible(version.key)!r} was deleted or replaced at this moment. Load the page again.")
    except OSError as error:
        abort(404, f"The bytes of {visible(version.key)!r} cannot be read: {error.strerror or error}.")
    response = Response(_pieces(reader), content_type="application/octet-stream", direct_passthrough=True)
    response.call_on_close(reader.close)
    response.content_length = version.size
    response.headers["Content-Disposition"] = disposition(version.key.rpartition("/")[2])
    response.headers["Content-Security-Policy"] = _HARMLESS
    return response


@pages.get("/s3/<bucket>/raw")
def raw(bucket: str) -> Response:
    """Send an image as one, and text as plain text; nothing that a browser could run."""
    bucket_named(bucket)
    version = _required_version(bucket)
    budget = Budget()
    file = ObjectFile(emulator().objects, version, budget)
    try:
        content = content_of(version.key, file.read(_HEAD))
        file.seek(0)
        source: Source = Inflated(file, budget) if content.is_gzip else file
        body = source.read(MOST_RAW + 1)
    except (UnreadableError, VersionGoneError, OSError) as error:
        abort(404, f"It cannot be shown: {error}")
    if content.kind is Kind.IMAGE:
        media_type = content.media_type
    elif Kind.TEXT in content.views:
        media_type = "text/plain; charset=utf-8"
    else:
        abort(404, "This is neither an image nor text. Download it instead.")
    if len(body) > MOST_RAW:
        abort(413, f"It has more than {MOST_RAW // 1024**2} MiB, which no page shows at once. Download it instead.")
    response = Response(body, content_type=media_type)
    response.headers["Content-Security-Policy"] = _HARMLESS
    return response


def _pieces(reader: Reader) -> Iterator[bytes]:
    yield from reader


def _required_version(bucket: str) -> ObjectVersion:
    key = request.args.get("key", "")
    version = _version(bucket, key)
    if version is None or version.is_delete_marker:
        abort(404, f"There is no object {visible(key)!r} in the bucket {bucket}.")
    return version


def _version(bucket: str, key: str) -> ObjectVersion | None:
    return emulator().objects.get(bucket, key, request.args.get("version") or None)


def _versions_of(bucket: str, key: str) -> list[ObjectVersion]:
    listing = emulator().objects.list_versions(bucket, prefix=key, limit=_MOST_VERSIONS)
    return [one for one in listing.objects if one.key == key]


def _preview(version: ObjectVersion) -> tuple[Member | None, Preview | None]:
    """Return what is to be seen of an object, or of the member that the page's address names."""
    if version.is_delete_marker or not version.size:
        return None, None
    budget = Budget()
    file = ObjectFile(emulator().objects, version, budget)
    unknown = Content(kind=Kind.BYTES, views=(Kind.BYTES,))
    member = None
    try:
        content = unknown = content_of(version.key, file.read(_HEAD))
        file.seek(0)
        number = request.args.get("member", type=int)
        if number is None or content.kind not in _ARCHIVES:
            return None, _of_content(content, file, version.key, budget)
        member, inner = _member(content, file, number, budget)
        return member, _of_member(member, inner)
    except VersionGoneError:
        problem = "It was deleted or replaced at this moment. Load the page again."
    except UnreadableError as error:
        problem = str(error)
    except OSError as error:
        problem = f"Its bytes cannot be read: {error.strerror or error}."
    return member, Preview(content=unknown, view=_view(unknown), problem=problem)


def _of_content(content: Content, file: ObjectFile, name: str, budget: Budget) -> Preview:
    view = _view(content)
    if view is Kind.ZIP:
        return Preview(content=content, view=view, members=zip_contents(file))
    source: Source = Inflated(file, budget) if content.is_gzip and view is not Kind.BYTES else file
    if view is Kind.TAR:
        return Preview(content=content, view=view, members=tar_contents(source))
    if view in (Kind.IMAGE, Kind.PARQUET):
        return Preview(content=content, view=view)
    return Preview(content=content, view=view, shown=shown(view, source, name, _start()))


def _member(content: Content, file: ObjectFile, number: int, budget: Budget) -> tuple[Member, Source]:
    if content.kind is Kind.ZIP:
        return zip_member(file, number, budget)
    return tar_member(Inflated(file, budget) if content.is_gzip else file, number)


def _of_member(member: Member, inner: Source) -> Preview | None:
    """Return what is to be seen of a member, whose content can be read once: what is inside of it stays packed."""
    if not member.is_file or not member.size:
        return None
    again = _Begun(inner)
    found = content_of(member.name, again.head)
    if found.is_gzip or found.kind in (*_ARCHIVES, Kind.IMAGE, Kind.PARQUET):
        found = Content(kind=Kind.BYTES, views=(Kind.BYTES,), note="Download the archive to open this member.")
    view = _view(found)
    return Preview(content=found, view=view, shown=shown(view, again, member.name, _start()))


class _Begun:
    """A source whose beginning was read already."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.head = self._left = source.read(WINDOW)

    def read(self, size: int) -> bytes:
        found, self._left = self._left[:size], self._left[size:]
        return found + self._source.read(size - len(found)) if len(found) < size else found

    def skip(self, count: int) -> None:
        known = len(self._left)
        self._left = self._left[count:]
        self._source.skip(max(0, count - known))


def _view(content: Content) -> Kind:
    asked: Any = request.args.get("view")
    return Kind(asked) if asked in content.views else content.kind


def _start() -> int:
    return max(0, min(request.args.get("from", default=0, type=int), 2**62))
