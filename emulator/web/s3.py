"""The buckets and what is in them, to look at: nothing is changed here.

Keys are text. In a page's address they stand in its query, where no `..` and no slash has a meaning.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..contract.arns import S3Uri
from ..errors import ValidationError
from ..storage.buckets import BucketSettings
from ..storage.objects.model import Listing, NoSuchBucketError, ObjectVersion, Versioning
from .scopes import emulator, scope
from .unseen import visible

pages = Blueprint("s3", __name__)
pages.app_template_filter("visible")(visible)
pages.app_template_filter("quoted")(repr)
PAGE_SIZE: Final = 200
MOST_COUNTED: Final = 100_000
_ITSELF: Final = "(the folder itself)"
_COUNTING_SECONDS: Final = 0.15


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of a listing: a folder (whose key ends with a slash) or a version of an object."""

    key: str
    name: str
    version: ObjectVersion | None = None


@dataclass(frozen=True, kw_only=True)
class Crumb:
    """A folder on the way to what is shown."""

    name: str
    prefix: str


@pages.get("/s3")
def index() -> str:
    """Show the buckets of the account. Objects are counted as far as that takes no time."""
    buckets = emulator().buckets.of_account(scope())
    deadline = time.monotonic() + _COUNTING_SECONDS
    totals = {}
    for one in buckets:
        with suppress(NoSuchBucketError):  # deleted at this moment
            if time.monotonic() < deadline:
                totals[one.name] = emulator().objects.totals(one.name, MOST_COUNTED)
    return render_template("s3/index.html", buckets=buckets, totals=totals, most=MOST_COUNTED)


@pages.get("/s3/<bucket>")
def browse(bucket: str) -> str:
    """Show one folder of a bucket, or what in it begins with some letters; htmx asks for the table alone."""
    settings = bucket_named(bucket)
    prefix = request.args.get("prefix", "")
    folder = prefix[: prefix.rfind("/") + 1]
    # A prefix that is no folder's is one whose last letters were searched for.
    search = request.args.get("q") or prefix.removeprefix(folder)
    with_versions = bool(request.args.get("versions")) and settings.versioning is not Versioning.OFF
    try:
        listing = _listing(bucket, folder + search, with_versions)
    except NoSuchBucketError:
        abort(404, f"The bucket {bucket} was deleted at this moment.")
    template = "s3/listing.html" if request.headers.get("HX-Target") == "listing" else "s3/browse.html"
    return render_template(
        template,
        bucket=settings,
        folder=folder,
        search=search,
        crumbs=crumbs_of(folder),
        entries=_entries(listing, folder),
        listing=listing,
        with_versions=with_versions,
        can_have_versions=settings.versioning is not Versioning.OFF,
        is_continued=bool(request.args.get("after")),
        uri=S3Uri(bucket=bucket, key=folder),
    )


@pages.get("/s3-uri")
def show() -> Response:
    """Lead to what an S3 URI names: an object, or a folder, or what begins so."""
    try:
        uri = S3Uri.parse(request.args.get("uri", ""))
    except ValidationError as error:
        abort(404, error.message)
    bucket_named(uri.bucket)
    if uri.key and not uri.key.endswith("/"):
        if emulator().objects.get(uri.bucket, uri.key) is not None:
            return redirect(_here("s3.object", bucket=uri.bucket, key=uri.key))
        if _has_any(uri.bucket, f"{uri.key}/"):
            return redirect(_here("s3.browse", bucket=uri.bucket, prefix=f"{uri.key}/"))
        if not _has_any(uri.bucket, uri.key):
            abort(404, f"There is nothing at {uri}. If a job is to write it, it has not done so yet.")
    return redirect(_here("s3.browse", bucket=uri.bucket, prefix=uri.key))


def bucket_named(name: str) -> BucketSettings:
    """Return a bucket of the page's account; another is not shown, 404."""
    found = emulator().buckets.find(scope(), name)
    if found is None:
        abort(404, f"There is no bucket {name!r}. Make it with: aws s3 mb s3://{name}")
    if found.account != scope().account:
        abort(404, f"The bucket {name} is account {found.account}'s. Choose that account above to see it.")
    return found


def crumbs_of(folder: str) -> list[Crumb]:
    """Return the folders down to one; a folder may have an empty name."""
    names = folder.split("/")[:-1]
    return [Crumb(name=shown_name(name), prefix="/".join(names[: count + 1]) + "/") for count, name in enumerate(names)]


def shown_name(name: str) -> str:
    """Return a part of a key to be read."""
    return visible(name) or "(empty name)"


def _here(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, account=scope().account, region=scope().region, **values)


def _has_any(bucket: str, prefix: str) -> bool:
    return bool(emulator().objects.list_objects(bucket, prefix=prefix, limit=1).objects)


def _listing(bucket: str, prefix: str, with_versions: bool) -> Listing:
    after = request.args.get("after", "")
    objects = emulator().objects
    if not with_versions:
        return objects.list_objects(bucket, prefix=prefix, delimiter="/", after=after, limit=PAGE_SIZE)
    older = request.args.get("after_version", "")
    return objects.list_versions(
        bucket, prefix=prefix, delimiter="/", after_key=after, after_version=older, limit=PAGE_SIZE
    )


def _entries(listing: Listing, folder: str) -> Sequence[Entry]:
    """Return folders and objects in one order, that of the keys, as pages follow it."""
    folders = [
        Entry(key=key, name=f"{shown_name(key.removeprefix(folder).removesuffix('/'))}/") for key in listing.prefixes
    ]
    objects = [
        Entry(key=one.key, name=shown_name(one.key.removeprefix(folder)) if one.key != folder else _ITSELF, version=one)
        for one in listing.objects
    ]
    return sorted([*folders, *objects], key=lambda one: one.key.encode())
