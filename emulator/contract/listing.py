"""ListTrainingJobs and ListProcessingJobs: filters, order and pages.

Source: BC `ListTrainingJobsRequest`, `ListProcessingJobsRequest`. The default page size of 10 is unconfirmed.
Without SortOrder the newest training job comes first, as that operation's own documentation says (its
member's says Ascending), and the oldest processing job, as is documented there.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from .kinds import TRAINING, JobKind
from .pages import NUMBERS, Position, first_page, follows, place_in, token
from .record import JobRecord
from .status import status_of

DEFAULT_MAX_RESULTS: Final = 10

_SORT_VALUES: Final[dict[str, Callable[[JobRecord], Any]]] = {
    "Name": lambda record: record.name.lower(),
    "CreationTime": lambda record: record.facts["CreationTime"],
    "Status": lambda record: status_of(record.facts),
}
_LOWER_CASE: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, kw_only=True)
class JobQuery:
    """A list request, read. Times are epoch seconds; None does not filter.

    A store uses it to find the first jobs without reading them all. What is asked for is said by
    `wants` and `position`; a store must agree with them. `status` filters the whole list, `status_on_page`
    what is left of a page after it was cut. Texts to look for are in lower case.
    """

    kind: JobKind = TRAINING
    sort_by: str = "CreationTime"
    descending: bool = True
    size: int = DEFAULT_MAX_RESULTS
    after: Position | None = None
    status: str | None = None
    status_on_page: str | None = None
    name_contains: str = ""
    name_or_image_contains: str = ""
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    training_plan: str | None = None
    warm_pool: str | None = None

    @classmethod
    def parse(cls, request: Mapping[str, Any], kind: JobKind) -> Self:
        """Read a request that has the right shape.

        Only training jobs have the documented oddity that StatusEquals is applied after the page is cut.

        Raises:
            ValidationError: the token is not one of ours.
        """
        sort_by = request.get("SortBy", "CreationTime")
        status = request.get("StatusEquals")
        return cls(
            kind=kind,
            sort_by=sort_by,
            descending=request.get("SortOrder", "Descending" if kind is TRAINING else "Ascending") == "Descending",
            size=request.get("MaxResults", DEFAULT_MAX_RESULTS),
            after=_position(request["NextToken"], sort_by) if "NextToken" in request else None,
            status=None if kind is TRAINING else status,
            status_on_page=status if kind is TRAINING else None,
            name_contains=request.get("NameContains", "").lower(),
            created_after=request.get("CreationTimeAfter"),
            created_before=request.get("CreationTimeBefore"),
            modified_after=request.get("LastModifiedTimeAfter"),
            modified_before=request.get("LastModifiedTimeBefore"),
            training_plan=request.get("TrainingPlanArnEquals"),
            warm_pool=request.get("WarmPoolStatusEquals"),
        )

    def position(self, record: JobRecord) -> Position:
        """Return a job's place in the list."""
        return _SORT_VALUES[self.sort_by](record), record.number

    def wants(self, record: JobRecord) -> bool:
        """Tell whether a job belongs to the list, on this page or a later one."""
        return (
            record.kind is self.kind
            and self.name_contains in record.name.lower()
            and (self.name_or_image_contains in record.name.lower() or self.name_or_image_contains in image_key(record))
            and self.status in (None, status_of(record.facts))
            and _within(record.facts["CreationTime"], self.created_after, self.created_before)
            and _within(record.facts["LastModifiedTime"], self.modified_after, self.modified_before)
            # Warm pools and training plans do not exist here, so no job is in one.
            and self.warm_pool is None
            and self.training_plan in (None, training_plan(record))
            and follows(self.position(record), self.after, descending=self.descending)
        )


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of jobs, and the token of the next one if there is one."""

    records: tuple[JobRecord, ...]
    next_token: str | None


def page_of(records: Iterable[JobRecord], query: JobQuery) -> Page:
    """Return the page that a query asks for.

    `records` are all jobs, or at least the first `size + 1` that the query wants. StatusEquals of training
    jobs is applied after the page is cut: a page can be short, or empty, and still have a token.
    """
    page, last = first_page(records, query)
    return Page(
        records=tuple(record for record in page if query.status_on_page in (None, status_of(record.facts))),
        next_token=None if last is None else token(query.sort_by, last),
    )


def image_key(record: JobRecord) -> str:
    """Return a job's image as it is looked for: A to Z in lower case, as a database has it too."""
    return record.image.translate(_LOWER_CASE)


def training_plan(record: JobRecord) -> str | None:
    """Return the ARN of the training plan that a job's request names."""
    arn: str | None = record.request.get("ResourceConfig", {}).get("TrainingPlanArn")
    return arn


def _within(moment: float, after: float | None, before: float | None) -> bool:
    return (after is None or moment > after) and (before is None or moment < before)


def _position(text: str, sort_by: str) -> Position:
    def is_position(value: object, number: object) -> bool:
        return _is_number(number) and _is_sort_value(value, sort_by)

    value, number = place_in(text, sort_by, is_position)
    return value, number


def _is_number(value: object) -> bool:
    return isinstance(value, int) and value in NUMBERS


def _is_sort_value(value: object, sort_by: str) -> bool:
    if sort_by == "CreationTime":
        return isinstance(value, float) or _is_number(value)
    return isinstance(value, str) and value.isascii()
