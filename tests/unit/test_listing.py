"""ListTrainingJobs and ListProcessingJobs: training.md 5.7, processing.md 3."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.kinds import PROCESSING, TRAINING, JobKind
from emulator.contract.listing import JobQuery, Page
from emulator.contract.listing import page_of as page_of_query
from emulator.contract.record import JobRecord
from emulator.errors import ValidationError
from tests.builders import job_record, processing_record, without_none

STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")


def job(
    name: str, *, number: int = 0, created: float = 0.0, modified: float | None = None, status: str = "Completed"
) -> JobRecord:
    facts = {
        "CreationTime": created,
        "LastModifiedTime": created if modified is None else modified,
        "TrainingJobStatus": status,
    }
    return job_record(name, number=number, facts=facts)


def page_of(records: Sequence[JobRecord], request: dict[str, Any], kind: JobKind = TRAINING) -> Page:
    return page_of_query(records, JobQuery.parse(request, kind))


def names(page: Page) -> list[str]:
    return [record.name for record in page.records]


def walked(records: Sequence[JobRecord], request: dict[str, Any]) -> list[Page]:
    """Return all pages, as a client that follows NextToken sees them."""
    pages = [page_of(records, request)]
    while (token := pages[-1].next_token) is not None:
        assert len(pages) <= len(records)
        pages.append(page_of(records, {**request, "NextToken": token}))
    return pages


JOBS = (
    job("b-train", number=1, created=10, status="Failed"),
    job("A-train", number=2, created=30, status="Completed"),
    job("c-test", number=3, created=20, modified=40, status="InProgress"),
)


def test_without_a_wish_the_newest_job_is_first() -> None:
    assert names(page_of(JOBS, {})) == ["A-train", "c-test", "b-train"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"SortOrder": "Ascending"}, ["b-train", "c-test", "A-train"]),
        ({"SortBy": "Name", "SortOrder": "Ascending"}, ["A-train", "b-train", "c-test"]),
        ({"SortBy": "Name", "SortOrder": "Descending"}, ["c-test", "b-train", "A-train"]),
        ({"SortBy": "Status", "SortOrder": "Ascending"}, ["A-train", "b-train", "c-test"]),
        ({"NameContains": "train"}, ["A-train", "b-train"]),
        ({"NameContains": "nothing"}, []),
        ({"StatusEquals": "Failed"}, ["b-train"]),
        ({"CreationTimeAfter": 10}, ["A-train", "c-test"]),
        ({"CreationTimeBefore": 30}, ["c-test", "b-train"]),
        ({"CreationTimeAfter": 10, "CreationTimeBefore": 30}, ["c-test"]),
        ({"LastModifiedTimeAfter": 30}, ["c-test"]),
        ({"LastModifiedTimeBefore": 30}, ["b-train"]),
        ({"WarmPoolStatusEquals": "Available"}, []),
        ({"TrainingPlanArnEquals": "arn"}, []),
    ],
)
def test_orders_and_filters(request_: dict[str, Any], expected: list[str]) -> None:
    assert names(page_of(JOBS, request_)) == expected


def test_jobs_of_a_training_plan() -> None:
    plan = {"TrainingPlanArn": "arn", "InstanceType": "ml.m5.large", "InstanceCount": 1}
    assert names(page_of([*JOBS, job_record("planned", ResourceConfig=plan)], {"TrainingPlanArnEquals": "arn"})) == [
        "planned"
    ]


def test_jobs_of_one_instant_are_in_the_order_of_their_creation() -> None:
    jobs = [job(f"job-{number}", number=number, created=5) for number in (2, 1, 3)]
    assert names(page_of(jobs, {"SortOrder": "Ascending"})) == ["job-1", "job-2", "job-3"]


def test_a_page_has_ten_jobs_unless_the_request_says_another_number() -> None:
    jobs = [job(f"job-{number:02}", number=number) for number in range(25)]
    assert [len(page.records) for page in walked(jobs, {})] == [10, 10, 5]
    assert [len(page.records) for page in walked(jobs, {"MaxResults": 20})] == [20, 5]


def test_a_full_last_page_has_no_token() -> None:
    jobs = [job(f"job-{number:02}", number=number) for number in range(10)]
    assert page_of(jobs, {}).next_token is None


def test_the_status_is_filtered_after_the_page_is_cut() -> None:
    pages = walked(JOBS, {"StatusEquals": "Failed", "MaxResults": 1})
    assert [names(page) for page in pages] == [[], [], ["b-train"]]


def test_a_job_that_comes_between_two_pages_moves_none_of_the_others() -> None:
    first = page_of(JOBS, {"MaxResults": 1})
    newer = job("newer", number=4, created=50)
    second = page_of([*JOBS, newer], {"MaxResults": 1, "NextToken": first.next_token})
    assert names(second) == ["c-test"]


def test_a_token_whose_job_was_deleted_still_leads_on() -> None:
    first = page_of(JOBS, {"MaxResults": 1})
    rest = [one for one in JOBS if one.name not in names(first)]
    assert names(page_of(rest, {"NextToken": first.next_token})) == ["c-test", "b-train"]


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "é",
        "not base64!",
        encoded("no json"),
        encoded("null"),
        encoded("5"),
        encoded("{}"),
        encoded('["CreationTime", 1]'),
        encoded('["CreationTime", "1", 1]'),
        encoded('["CreationTime", 1, "1"]'),
        encoded('["Name", "a", 1]'),
        encoded(f'["CreationTime", 1, {2**63}]'),
        encoded(f'["CreationTime", {2**63}, 1]'),
        encoded("[" * 6000),
        base64.urlsafe_b64encode(b"\xff").decode(),
    ],
)
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="Invalid NextToken"):
        page_of(JOBS, {"NextToken": token})


@given(
    st.text() | st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists).map(json.dumps).map(encoded)
)
def test_any_token_is_a_place_in_the_list_or_refused(token: str) -> None:
    try:
        page_of(JOBS, {"NextToken": token})
    except ValidationError:
        return


TIMES = st.integers(0, 5).map(float)


@st.composite
def job_lists(draw: st.DrawFn) -> list[JobRecord]:
    different = st.lists(st.text("abAB", min_size=1, max_size=3), unique_by=str.lower, max_size=12)
    return [
        job(name, number=number, created=draw(TIMES), modified=draw(TIMES), status=draw(st.sampled_from(STATUSES)))
        for number, name in enumerate(draw(different))
    ]


REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "SortBy": st.sampled_from(["Name", "CreationTime", "Status"]),
        "SortOrder": st.sampled_from(["Ascending", "Descending"]),
        "MaxResults": st.integers(1, 5),
        "NameContains": st.sampled_from(["a", "ab", "B"]),
        "StatusEquals": st.sampled_from(STATUSES),
        "CreationTimeAfter": TIMES,
        "CreationTimeBefore": TIMES,
        "LastModifiedTimeAfter": TIMES,
        "LastModifiedTimeBefore": TIMES,
    },
)


def expected_jobs(records: Sequence[JobRecord], request: dict[str, Any]) -> list[JobRecord]:
    """Say once more, in other words, which jobs a request asks for and in which order."""
    keys = {
        "Name": lambda record: record.name.lower(),
        "CreationTime": lambda record: record.facts["CreationTime"],
        "Status": lambda record: record.facts["TrainingJobStatus"],
    }
    chosen = [record for record in records if _is_asked_for(record, request)]
    chosen.sort(key=lambda record: (keys[request.get("SortBy", "CreationTime")](record), record.number))
    return chosen if request.get("SortOrder") == "Ascending" else chosen[::-1]


def _is_asked_for(record: JobRecord, request: dict[str, Any]) -> bool:
    for moment in ("CreationTime", "LastModifiedTime"):
        if not request.get(f"{moment}After", -1) < record.facts[moment] < request.get(f"{moment}Before", 99):
            return False
    return (
        request.get("NameContains", "").lower() in record.name.lower()
        and request.get("StatusEquals", record.facts["TrainingJobStatus"]) == record.facts["TrainingJobStatus"]
    )


@given(job_lists(), REQUESTS)
def test_all_pages_together_are_the_jobs_asked_for_once_and_in_order(
    records: list[JobRecord], request_: dict[str, Any]
) -> None:
    pages = walked(records, request_)
    assert [record for page in pages for record in page.records] == expected_jobs(records, request_)
    size = request_.get("MaxResults", 10)
    assert all(len(page.records) <= size for page in pages)
    if "StatusEquals" not in request_:
        assert all(len(page.records) == size for page in pages[:-1])
    assert page_of(records, without_none({**request_, "NextToken": None})) == pages[0]


# Processing jobs


def processing(name: str, number: int, status: str) -> JobRecord:
    facts = {"CreationTime": number, "LastModifiedTime": number, "ProcessingJobStatus": status}
    return processing_record(name, number=number, facts=facts)


PROCESSING_JOBS = (processing("b", 1, "Failed"), processing("A", 2, "Completed"), processing("c", 3, "Failed"))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["b", "A", "c"]),
        ({"SortOrder": "Descending"}, ["c", "A", "b"]),
        ({"SortBy": "Name"}, ["A", "b", "c"]),
        ({"SortBy": "Status"}, ["A", "b", "c"]),
        ({"NameContains": "a"}, ["A"]),
        ({"StatusEquals": "Failed"}, ["b", "c"]),
    ],
)
def test_orders_and_filters_of_processing_jobs(request_: dict[str, Any], expected: list[str]) -> None:
    assert names(page_of(PROCESSING_JOBS, request_, PROCESSING)) == expected


def test_the_status_of_processing_jobs_is_filtered_before_the_page_is_cut() -> None:
    request: dict[str, Any] = {"StatusEquals": "Failed", "MaxResults": 1}
    first = page_of(PROCESSING_JOBS, request, PROCESSING)
    second = page_of(PROCESSING_JOBS, {**request, "NextToken": first.next_token}, PROCESSING)
    assert [names(first), names(second), second.next_token] == [["b"], ["c"], None]


def test_each_list_has_the_jobs_of_its_kind() -> None:
    both = [*JOBS, *PROCESSING_JOBS]
    assert names(page_of(both, {"SortBy": "Name", "SortOrder": "Ascending"})) == ["A-train", "b-train", "c-test"]
    assert names(page_of(both, {}, PROCESSING)) == ["b", "A", "c"]
