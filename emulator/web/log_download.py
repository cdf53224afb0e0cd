"""A log as a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from flask import Response, abort, request

from ..contract import log_merge
from ..storage.merged_log import MergedLog
from . import logs
from .files import disposition
from .log_choice import LogChoice
from .log_text import raw
from .scopes import emulator, scope

pages: Final = logs.pages
_BLOCK: Final = 256 * 1024
"""Characters that are sent at once."""


@pages.get("/logs/download")
def download() -> Response:
    """Return the whole log as a file. Where it has several streams, each line begins with its host."""
    choice = LogChoice.of(request.args)
    if choice.has_more:
        abort(400, f"More than {len(choice.shown)} streams begin with {choice.prefix!r}. Download them one by one.")
    log = emulator().logs.merged(scope(), choice.shown)
    hosts = {one.id: f"[{choice.hosts[one.name]}] " for one in choice.shown} if len(choice.shown) > 1 else {}
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", choice.name).strip("-.") or "log"
    answer = Response(_file(log, hosts), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = disposition(f"{name}.log")
    answer.call_on_close(log.close)
    return answer


def _file(log: MergedLog, hosts: Mapping[int, str]) -> Iterator[bytes]:
    with log:
        block, size = [], 0
        for one in log.lines({}, log_merge.ends(log.indexes)):
            text = f"{hosts.get(one.stream.id, '')}{one.event.message}\n"
            block.append(text)
            size += len(text)
            if size >= _BLOCK:
                yield raw("".join(block))
                block, size = [], 0
        yield raw("".join(block))
