"""The list of jobs of both kinds, kept up to date while one looks at it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from flask import Blueprint, render_template, request

from ..contract.kinds import KINDS, JobKind
from ..contract.listing import JobQuery
from ..contract.record import JobRecord
from ..contract.status import JobStatus, is_terminal, status_of
from .arguments import whole_number
from .scopes import emulator, scope

pages = Blueprint("jobs", __name__)
PAGE_SIZE: Final = 50
_TIME: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,20})?")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a list shows of one job. Times in epoch seconds."""

    kind: JobKind
    name: str
    status: str
    detail: str
    image: str
    created: float
    seconds: float | None
    has_ended: bool

    @classmethod
    def of(cls, record: JobRecord, now: float) -> Self:
        """Return the row of a job; a job that goes on has lasted until `now`."""
        facts, ended = record.facts, is_terminal(record.facts)
        return cls(
            kind=record.kind,
            name=record.name,
            status=status_of(facts),
            detail=facts.get("SecondaryStatus", ""),
            image=record.image,
            created=facts["CreationTime"],
            seconds=(facts["LastModifiedTime"] if ended else now) - facts["CreationTime"],
            has_ended=ended,
        )


@pages.get("/jobs")
def index() -> str:
    """Show the newest jobs that a search wants; htmx asks for the table alone."""
    rows, following = page(request.args)
    template = "jobs/table.html" if request.headers.get("HX-Target") == "jobs" else "jobs/index.html"
    return render_template(
        template, rows=rows, following=following, wanted=request.args, statuses=list(JobStatus), kinds=KINDS
    )


def page(wanted: Mapping[str, str]) -> tuple[list[Row], str | None]:
    """Return the jobs of a page, and the place behind its last one if more follow."""
    records = sorted(_first(wanted), key=lambda one: (one.facts["CreationTime"], one.number), reverse=True)
    shown = records[:PAGE_SIZE]
    now = emulator().clock.now()
    following = f"{shown[-1].facts['CreationTime']}_{shown[-1].number}" if len(records) > PAGE_SIZE else None
    return [Row.of(record, now) for record in shown], following


def _first(wanted: Mapping[str, str]) -> Iterator[JobRecord]:
    for kind in KINDS:
        if wanted.get("kind") in (None, "", kind.resource):
            yield from emulator().records.first(scope(), _query(wanted, kind))


def _query(wanted: Mapping[str, str], kind: JobKind) -> JobQuery:
    return JobQuery(
        kind=kind,
        size=PAGE_SIZE,
        status=wanted.get("status") or None,
        name_or_image_contains=wanted.get("q", "").strip().lower(),
        after=_place(wanted.get("after", "")),
    )


def _place(text: str) -> tuple[float, int] | None:
    """Return the place in the list that an address names; a text that names none leads to the newest jobs."""
    created, _, digits = text.partition("_")
    number = whole_number(digits)
    return None if number is None or not _TIME.fullmatch(created) else (float(created), number)
