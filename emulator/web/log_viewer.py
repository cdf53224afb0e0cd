"""Pages and parts with the lines of a log: its end that grows, older ones, those around a place or a match."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, abort, render_template, request, url_for

from ..contract import log_merge
from ..contract.log_merge import LinePlace, parse_counts
from ..errors import ServiceError
from ..storage.merged_log import MergedLog
from . import logs
from .arguments import whole_number
from .htmx import STOP_POLLING
from .log_choice import LogChoice
from .log_matches import Matches
from .log_text import raw, segments
from .log_window import shown_lines, window
from .scopes import emulator, scope

pages: Final = logs.pages
AT_ONCE: Final = 500
"""Lines of one answer."""
_ABOVE: Final = 100
"""Of them so many above the line that is wanted."""
# One who looks at the end of a log that grows faster is shown its new end.
_MOST_BEHIND: Final = 2 * AT_ONCE


@pages.context_processor
def _for_templates() -> dict[str, Any]:
    return {"link": link_to}


def link_to(choice: LogChoice, **more: Any) -> str:
    """Return the address of a log's viewer."""
    return url_for("logs.viewer", account=scope().account, region=scope().region, **choice.address, **more)


@pages.get("/logs/viewer")
def viewer() -> str | Response:
    """Show the streams that begin alike (a job's hosts) as one log: a part for htmx, else a page."""
    return _viewer(LogChoice.of(request.args))


@pages.get("/logs/stream")
def stream() -> str | Response:
    """Show one stream as a page of its own, or a part of it: `at`, `line` and `time` lead to a line."""
    choice = LogChoice.of(request.args)
    if not choice.shown:
        abort(404, f"There is no log stream {choice.name!r} in {choice.group}. The page of the group lists what is.")
    return _viewer(choice)


@pages.get("/logs/lines")
def lines() -> str | Response | tuple[str, int]:
    """Return lines alone: older ones before a line, or what was added after a place."""
    choice = LogChoice.of(request.args)
    is_live, follows, searched = choice.is_live, "follow" in request.args, _searched()
    try:
        log = emulator().logs.merged(scope(), choice.shown)
    except ServiceError:  # deleted while one looks at it
        return render_template("logs/end.html", choice=choice), STOP_POLLING
    with log:
        if "before" in request.args:
            stops = log_merge.counts_before(log.indexes, LinePlace.parse(request.args["before"]))
            shown = window(choice, log, log_merge.back(log.indexes, stops, AT_ONCE), stops, searched)
            return render_template("logs/older.html", choice=choice, window=shown, searched=searched)
        starts = parse_counts(request.args.get("after", ""))
        end = log_merge.ends(log.indexes)
        if "skip" in request.args and sum(end.values()) - sum(starts.values()) > _MOST_BEHIND:
            shown = window(choice, log, log_merge.back(log.indexes, end, AT_ONCE), end, searched)
            page = render_template("logs/newest.html", choice=choice, window=shown, searched=searched, is_live=is_live)
            return Response(page, headers={"HX-Retarget": "#log-viewer .log", "HX-Reswap": "innerHTML"})
        shown = window(choice, log, starts, log_merge.onward(log.indexes, starts, AT_ONCE), searched)
    if follows and is_live and not shown.lines:
        return Response(status=204)
    return render_template(
        "logs/newer.html",
        choice=choice,
        window=shown,
        searched=searched,
        is_live=is_live,
        follows=follows,
        has_other_hosts=follows and request.args.get("hosts") != str(len(choice.streams)),
    )


@pages.get("/logs/line")
def line() -> str | Response:
    """Return all of one line: marked up for htmx, else as plain text."""
    choice, place = LogChoice.of(request.args), LinePlace.parse(request.args.get("at", ""))
    with emulator().logs.merged(scope(), choice.shown) as log:
        starts = log_merge.counts_before(log.indexes, place)
        found = next(log.lines(starts, log_merge.onward(log.indexes, starts, 1)), None)
    if found is None or found.place != place:
        abort(404, "That line is no longer in the log. Open the log anew.")
    if "HX-Request" in request.headers:
        return render_template("logs/line_text.html", segments=segments(found.event.message, _searched()))
    return Response(raw(found.event.message), content_type="text/plain; charset=utf-8")


def _viewer(choice: LogChoice) -> str | Response:
    is_live = choice.is_live
    searched = _searched()
    with emulator().logs.merged(scope(), choice.shown) as log:
        matches = Matches.of(log, searched, request.args.get("at", "")) if searched else None
        at = matches.place if matches is not None and matches.place is not None else request.args.get("at", "")
        target = _target(log, at)
        if "before" in request.args:
            stops = log_merge.counts_before(log.indexes, LinePlace.parse(request.args["before"]))
            starts = log_merge.back(log.indexes, stops, AT_ONCE)
        elif target is not None:
            starts = log_merge.back(log.indexes, target, _ABOVE)
            stops = log_merge.onward(log.indexes, target, AT_ONCE - _ABOVE)
        else:
            stops = log_merge.ends(log.indexes)
            starts = log_merge.back(log.indexes, stops, AT_ONCE)
        shown = window(choice, log, starts, stops, searched)
        total = sum(log_merge.ends(log.indexes).values())
        above = sum(target.values()) - sum(starts.values()) if target is not None else None
        listed = shown_lines(choice, matches.lines, matches.numbers, searched) if matches is not None else []
    current = shown.lines[above].place if above is not None and above < len(shown.lines) else ""
    own = is_own_page()
    is_part = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    return render_template(
        "logs/viewer.html" if is_part else "logs/stream.html",
        choice=choice,
        window=shown,
        searched=searched,
        matches=matches,
        listed=listed,
        total=total,
        current=current,
        is_live=is_live,
        is_own_page=own,
        brings_files=is_part and request.headers.get("HX-Target") != "log-viewer",
        show=request.args.getlist("show") or ["numbers", "times", "hosts"],
    )


def is_own_page() -> bool:
    """Tell whether the viewer is a page of its own, whose address tells what is shown; else it is part of a job's."""
    if "HX-Request" not in request.headers:
        return True
    return urlsplit(request.headers.get("HX-Current-URL", "")).path.endswith(("/logs/viewer", "/logs/stream"))


def _target(log: MergedLog, at: str) -> dict[int, int] | None:
    """Return the place that the address leads to; None: the log's end."""
    wanted = request.args
    if at:
        return log_merge.counts_before(log.indexes, LinePlace.parse(at))
    goal = wanted.get("goto", "").strip()
    number = whole_number(wanted.get("line", "") or goal)
    if number is not None:
        return log_merge.counts_at_line(log.indexes, number)
    if time := (wanted.get("time", "") or goal):
        return log_merge.counts_at_time(log.indexes, _milliseconds(time))
    return None


def _milliseconds(text: str) -> int:
    """Read a time: epoch milliseconds, or ISO 8601, which is UTC if it does not say otherwise."""
    number = whole_number(text)
    if number is not None:
        return number
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        abort(400, f"{text[:60]!r} is neither a line's number nor a time. Write 120, or 2026-01-31T12:00:00.")
    return max(0, int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000))


def _searched() -> str:
    return request.args.get("q", "")[:200].strip("\r\n")
