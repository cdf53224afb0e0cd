"""ListTrainingJobs: filters, order and pages.

Source: BC `ListTrainingJobsRequest`. The default page size of 10 is unconfirmed; without SortOrder the
newest job comes first, as the operation's own documentation says (its member's says Ascending).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import ValidationError
from .record import JobRecord

DEFAULT_MAX_RESULTS: Final = 10

Position = tuple[Any, int]

_SORT_VALUES: Final[dict[str, Callable[[JobRecord], Any]]] = {
    "Name": lambda record: record.name.lower(),
    "CreationTime": lambda record: record.facts["CreationTime"],
    "Status": lambda record: record.facts["TrainingJobStatus"],
}


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of jobs, and the token of the next one if there is one."""

    records: tuple[JobRecord, ...]
    next_token: str | None


def page_of(records: Iterable[JobRecord], request: Mapping[str, Any]) -> Page:
    """Return the page that a validated ListTrainingJobs request asks for.

    StatusEquals is applied after the page is cut, as documented: a page can be short, or empty, and
    still have a token.

    Raises:
        ValidationError: the token is not one of ours.
    """
    sort_by = request.get("SortBy", "CreationTime")
    sort_value = _SORT_VALUES[sort_by]
    descending = request.get("SortOrder", "Descending") == "Descending"

    def position(record: JobRecord) -> Position:
        return sort_value(record), record.number

    chosen = [record for record in records if _chosen(record, request)]
    chosen.sort(key=position, reverse=descending)
    if "NextToken" in request:
        after = _position(request["NextToken"], sort_by)
        chosen = [record for record in chosen if (position(record) < after if descending else position(record) > after)]
    size = request.get("MaxResults", DEFAULT_MAX_RESULTS)
    page, rest = chosen[:size], chosen[size:]
    status = request.get("StatusEquals")
    return Page(
        records=tuple(record for record in page if status in (None, record.facts["TrainingJobStatus"])),
        next_token=_token(sort_by, position(page[-1])) if rest else None,
    )


def _chosen(record: JobRecord, request: Mapping[str, Any]) -> bool:
    facts = record.facts
    return (
        request.get("NameContains", "").lower() in record.name.lower()
        and _within(facts["CreationTime"], request, "CreationTime")
        and _within(facts["LastModifiedTime"], request, "LastModifiedTime")
        # Warm pools and training plans do not exist here, so no job is in one.
        and "WarmPoolStatusEquals" not in request
        and request.get("TrainingPlanArnEquals")
        in (None, record.request.get("ResourceConfig", {}).get("TrainingPlanArn"))
    )


def _within(moment: float, request: Mapping[str, Any], name: str) -> bool:
    after, before = request.get(f"{name}After"), request.get(f"{name}Before")
    return (after is None or moment > after) and (before is None or moment < before)


def _token(sort_by: str, position: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps([sort_by, *position]).encode()).decode()


def _position(token: str, sort_by: str) -> Position:
    try:
        made_for, value, number = json.loads(base64.urlsafe_b64decode(token.encode()))
        valid = made_for == sort_by and isinstance(number, int) and isinstance(value, _token_type(sort_by))
    except (ValueError, TypeError, RecursionError):  # a binascii.Error is a ValueError
        valid = False
        value = number = None
    if not valid:
        raise ValidationError("Invalid NextToken: use the token of the previous page, with the same SortBy.")
    return value, number


def _token_type(sort_by: str) -> type | tuple[type, ...]:
    return (int, float) if sort_by == "CreationTime" else str
