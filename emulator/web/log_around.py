"""The lines of a log that explain why its job failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flask import render_template, request

from ..contract.log_pages import LogStream
from ..storage.merged_log import MergedLine, MergedLog
from . import log_viewer
from .log_choice import LogChoice
from .log_text import LONGEST_SHOWN, Segment, segments
from .log_tracebacks import last_traceback
from .scopes import emulator, scope

pages: Final = log_viewer.pages
_LOOKED_AT: Final = 2000
"""Last lines of a host in which a traceback is looked for."""
_LAST_LINES: Final = 30
_LONGEST_TRACEBACK: Final = 200
_MOST_HOSTS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What one host says: its last traceback, or its last lines. `skipped` lines in the middle are left out."""

    host: str
    stream: str
    is_traceback: bool
    place: str
    lines: list[list[Segment]]
    skipped: int
    time: int


@pages.get("/logs/around")
def around() -> str:
    """Show each host's last traceback, that of the first host first; or its last lines, if no host has one."""
    choice = LogChoice.of(request.args)
    with emulator().logs.merged(scope(), choice.shown) as log:
        said = [one for stream in choice.shown if (one := _explanation(choice, log, stream)) is not None]
    tracebacks = sorted((one for one in said if one.is_traceback), key=lambda one: one.time)
    others = [one for one in said if not one.is_traceback]
    return render_template(
        "logs/around.html", choice=choice, tracebacks=tracebacks[:_MOST_HOSTS], others=others[:_MOST_HOSTS]
    )


def _explanation(choice: LogChoice, log: MergedLog, stream: LogStream) -> Explanation | None:
    stop = {stream.id: len(log.indexes[stream.id])}
    start = {stream.id: max(0, stop[stream.id] - _LOOKED_AT)}
    lines = list(log.lines(start, stop))
    if not lines:
        return None
    span = last_traceback([line.event.message for line in lines])
    chosen = lines[span.start : span.stop] if span is not None else lines[-_LAST_LINES:]
    skipped = max(0, len(chosen) - _LONGEST_TRACEBACK)
    shown = chosen[: _LONGEST_TRACEBACK // 2] + chosen[_LONGEST_TRACEBACK // 2 + skipped :] if skipped else chosen
    return Explanation(
        host=choice.hosts[stream.name],
        stream=stream.name,
        is_traceback=span is not None,
        place=str(chosen[0].place),
        lines=list(_texts(shown)),
        skipped=skipped,
        time=chosen[-1].event.timestamp,
    )


def _texts(lines: list[MergedLine]) -> Iterator[list[Segment]]:
    for line in lines:
        message = line.event.message
        yield [*segments(message[:LONGEST_SHOWN], ""), *([Segment("", "…")] if len(message) > LONGEST_SHOWN else [])]
