"""Log groups and their streams. What is in a stream is `log_viewer`'s."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, abort, render_template, request

from ..contract.job import StreamName
from ..contract.log_groups import PREFIX
from ..contract.log_pages import LogStream
from .arguments import whole_number
from .log_choice import kind_of_group
from .scopes import emulator, scope

pages = Blueprint("logs", __name__)
PAGE_SIZE: Final = 50


@pages.get("/logs")
def index() -> str:
    """Show all groups: those below /aws/sagemaker/ with what is in them, and those that other services keep."""
    others = sorted(emulator().services.log_groups(scope()), key=lambda group: str(group["logGroupName"]))
    return render_template(
        "logs/index.html",
        groups=emulator().logs.groups(scope()),
        others=[group for group in others if not str(group["logGroupName"]).startswith(PREFIX)],
    )


@pages.get("/logs/streams")
def streams() -> str:
    """Show the streams of a group that begin with a text, those with the newest events first."""
    group, prefix = request.args.get("group", ""), request.args.get("prefix", "").strip()
    if not group:
        abort(400, "Name a log group: /logs/streams?group=/aws/sagemaker/TrainingJobs")
    emulator().logs.require_group(scope(), group)
    found = emulator().logs.streams_by_last_event(
        scope(), group, after=_place(request.args.get("after", "")), descending=True, limit=PAGE_SIZE + 1, prefix=prefix
    )
    shown = found[:PAGE_SIZE]
    template = "logs/streams_table.html" if _wants_part() else "logs/streams.html"
    return render_template(
        template,
        group=group,
        prefix=prefix,
        is_later_page="after" in request.args,
        kind=kind_of_group(group),
        streams=shown,
        following=f"{shown[-1].last_event or 0}/{shown[-1].name}" if len(found) > PAGE_SIZE else None,
        job_of=_job_of,
    )


def _job_of(stream: LogStream) -> str:
    """Return the job that a stream is of. One that a client has made is its own, and its job is not found."""
    named = StreamName.parse(stream.name)
    return stream.name if named is None else named.job


def _place(after: str) -> tuple[Any, ...] | None:
    time, _, name = after.partition("/")
    newest = whole_number(time)
    return (newest, name) if newest is not None else None


def _wants_part() -> bool:
    """Tell whether htmx asks for a part; going back in the history asks for the whole page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
