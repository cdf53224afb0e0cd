"""Job records in the database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.contract import life, status
from emulator.contract.arns import Scope
from emulator.contract.kinds import KINDS, PROCESSING, TRAINING, JobKind
from emulator.contract.listing import JobQuery, page_of
from emulator.contract.record import JobRecord
from emulator.contract.status import JobStatus, SecondaryStatus
from emulator.errors import ResourceInUseError
from emulator.storage.database import FILE_NAME, Database
from emulator.storage.job_records import SqliteJobStore
from tests.builders import SCOPE, algorithm, job_record, processing_record, without_none
from tests.cpu_time import quickest

ELSEWHERE = Scope(account="210987654321", region="eu-west-1")
STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")


@contextmanager
def opened(folder: Path) -> Iterator[SqliteJobStore]:
    database = Database(folder / FILE_NAME)
    try:
        yield SqliteJobStore(database)
    finally:
        database.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteJobStore]:
    with opened(tmp_path) as one:
        yield one


def arn(name: str, kind: JobKind = TRAINING) -> str:
    return kind.arn(SCOPE, name)


def counted(record: JobRecord) -> JobRecord:
    return record.with_facts({**record.facts, "count": record.facts.get("count", 0) + 1})


def ended(record: JobRecord, at: float) -> JobRecord:
    return record.with_facts(status.ended(record.facts, JobStatus.COMPLETED, SecondaryStatus.COMPLETED, at=at))


def all_of(store: SqliteJobStore, scope: Scope = SCOPE) -> list[JobRecord]:
    found = store.first(scope, JobQuery(size=1_000_000, descending=False))
    return sorted(found, key=lambda record: record.number)


def test_a_job_is_found_without_regard_to_case(store: SqliteJobStore) -> None:
    created = store.create(job_record("Job-A"))
    assert store.get(arn("job-a")) == store.get(arn("JOB-A")) == created
    assert created.name == "Job-A"
    assert store.get(arn("other")) is None


def test_a_name_is_taken_in_whatever_case(store: SqliteJobStore) -> None:
    store.create(job_record("Job-A"))
    with pytest.raises(ResourceInUseError, match="training-job/job-a"):
        store.create(job_record("job-A"))


def test_each_kind_has_names_of_its_own(store: SqliteJobStore) -> None:
    training = store.create(job_record("Same"))
    processing = store.create(processing_record("Same"))
    with pytest.raises(ResourceInUseError, match="processing-job/same"):
        store.create(processing_record("same"))
    assert store.get(arn("same")) == training
    assert store.get(arn("same", PROCESSING)) == processing
    assert [store.first(SCOPE, JobQuery(kind=kind)) for kind in KINDS] == [[training], [processing]]
    store.delete(training)
    assert store.unfinished() == [processing]


def test_accounts_and_regions_do_not_see_each_other(store: SqliteJobStore) -> None:
    here = store.create(job_record("job"))
    there = store.create(job_record("job", scope=ELSEWHERE))
    assert all_of(store) == [here]
    assert all_of(store, ELSEWHERE) == [there]
    store.delete(there)
    assert store.get(arn("job")) == here


def test_a_number_is_never_given_twice(tmp_path: Path) -> None:
    numbers = []
    with opened(tmp_path) as store:
        created = [store.create(job_record(name)) for name in ("a", "b")]
        numbers += [one.number for one in created]
        store.delete(created[1])
    with opened(tmp_path) as store:
        numbers.append(store.create(job_record("b")).number)
        store.clear()
        assert all_of(store) == []
    with opened(tmp_path) as store:
        numbers.append(store.create(job_record("a")).number)
    assert numbers == sorted(set(numbers))


def test_an_update_replaces_the_record(store: SqliteJobStore) -> None:
    before = store.create(job_record("Job-A"))
    after = store.update(before.arn, counted)
    assert after is not None
    assert after.facts["count"] == 1
    assert store.get(before.arn) == after
    assert "count" not in before.facts


def test_an_update_of_a_job_that_is_gone_changes_nothing(store: SqliteJobStore) -> None:
    assert store.update(arn("job"), counted) is None
    assert all_of(store) == []


def test_an_update_that_raises_leaves_the_record_and_the_store_usable(store: SqliteJobStore) -> None:
    created = store.create(job_record("job"))

    def refuse(_: JobRecord) -> JobRecord:
        raise ResourceInUseError("no")

    with pytest.raises(ResourceInUseError):
        store.update(created.arn, refuse)
    assert store.get(arn("job")) == created


def test_a_name_is_free_after_a_deletion_and_deleting_twice_is_fine(store: SqliteJobStore) -> None:
    created = store.create(job_record("Job"))
    store.delete(created)
    store.delete(created)
    again = store.create(job_record("job"))
    store.delete(created)  # as one does who found it before the other deletion
    assert store.get(created.arn) == again


def test_of_many_at_once_one_gets_the_name_and_no_update_is_lost(store: SqliteJobStore) -> None:
    def created(number: int) -> bool:
        try:
            store.create(job_record(f"{'jJ'[number % 2]}ob"))
        except ResourceInUseError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(created, range(50))) == 1
        list(pool.map(lambda _: store.update(arn("job"), counted), range(200)))
    found = store.get(arn("job"))
    assert found is not None
    assert found.facts["count"] == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=50, deadline=None)
@given(
    request=st.dictionaries(st.text(), JSON),
    facts=st.dictionaries(st.text(), JSON),
    tags=st.dictionaries(st.text(st.characters(codec=None)), st.text(st.characters(codec=None))),
)
def test_any_document_comes_back_as_it_was_from_another_process_life(
    request: dict[str, Any], facts: dict[str, Any], tags: dict[str, str]
) -> None:
    record = job_record("job", facts={**facts, **status.created(1000.25)}, tags=tags, Request=request)
    with TemporaryDirectory() as folder:
        with opened(Path(folder)) as store:
            created = store.create(record)
        with opened(Path(folder)) as store:
            assert store.get(arn("job")) == created


def test_what_has_not_ended_is_found_in_the_order_of_creation(store: SqliteJobStore) -> None:
    records = [store.create(job_record(name, scope=scope)) for name in "ab" for scope in (SCOPE, ELSEWHERE)]
    store.update(arn("a"), lambda record: ended(record, 2000.0))
    assert store.unfinished() == records[1:]
    assert [record.name for record in store.ended_before(2000.5)] == ["a"]
    assert store.ended_before(2000.0) == []


def test_unfinished_jobs_are_those_that_have_not_ended_oldest_first(store: SqliteJobStore) -> None:
    store.create(job_record("ended"))
    store.update(arn("ended"), lambda record: ended(record, 2000.0))
    store.create(job_record("running"))
    store.create(processing_record("waiting"))
    store.create(job_record("stopping", facts=status.stop_requested(status.created(1000.0), 1001.0)))
    assert [one.name for one in store.unfinished()] == ["running", "waiting", "stopping"]


TIMES = st.integers(0, 5).map(float)
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
        "TrainingPlanArnEquals": st.sampled_from(["plan-a", "plan-b"]),
        "WarmPoolStatusEquals": st.just("Available"),
    },
)


def training_records(name: str) -> st.SearchStrategy[JobRecord]:
    plans = st.sampled_from([None, "plan-a", "plan-b"])
    configurations = plans.map(lambda plan: without_none({"TrainingPlanArn": plan}))
    algorithms = IMAGES.map(lambda image: algorithm(TrainingImage=image))
    return st.builds(
        job_record,
        st.just(name),
        facts=facts(TRAINING),
        scope=SCOPES,
        ResourceConfig=configurations,
        AlgorithmSpecification=algorithms,
    )


def processing_records(name: str) -> st.SearchStrategy[JobRecord]:
    applications = st.fixed_dictionaries({"ImageUri": IMAGES})
    return st.builds(
        processing_record, st.just(name), facts=facts(PROCESSING), scope=SCOPES, AppSpecification=applications
    )


IMAGES = st.sampled_from([None, "Images/A:1", "IMAGES/B\u00c4", "images/b"])
SCOPES = st.sampled_from([SCOPE, SCOPE, SCOPE, ELSEWHERE])
RECORDS = {TRAINING: training_records, PROCESSING: processing_records}


def facts(kind: JobKind) -> st.SearchStrategy[dict[str, Any]]:
    statuses = st.sampled_from(STATUSES)
    return st.fixed_dictionaries({"CreationTime": TIMES, "LastModifiedTime": TIMES, kind.status_member: statuses})


@st.composite
def job_lists(draw: st.DrawFn) -> list[JobRecord]:
    """Jobs of both kinds in the order of their creation, some of which have the name of one of the other kind."""
    names = st.text("abAB", min_size=1, max_size=3)
    jobs = st.tuples(st.sampled_from(KINDS), names)
    unique = draw(st.lists(jobs, unique_by=lambda job: (job[0], job[1].lower()), max_size=14))
    return [draw(RECORDS[kind](name)) for kind, name in unique]


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteJobStore]:
    """One store for many examples, each of which empties it first."""
    with opened(tmp_path_factory.mktemp("emptied")) as one:
        yield one


@settings(max_examples=200)
@given(job_lists(), st.sampled_from(KINDS), REQUESTS, st.sampled_from(["", "", "a", "images/b"]))
def test_the_database_finds_the_pages_that_the_rule_of_the_service_says(
    emptied: SqliteJobStore, records: list[JobRecord], kind: JobKind, request_: dict[str, Any], text: str
) -> None:
    emptied.clear()
    stored = [record for record in map(emptied.create, records) if record.scope == SCOPE]
    for _ in range(len(records) + 1):
        query = replace(JobQuery.parse(request_, kind), name_or_image_contains=text)
        page = page_of(emptied.first(SCOPE, query), query)
        assert page == page_of(stored, query)
        if page.next_token is None:
            return
        request_ = {**request_, "NextToken": page.next_token}
    pytest.fail("the pages have no end")


def test_ten_thousand_jobs_are_opened_described_and_listed_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        values = {f"value-{one}": "x" * 40 for one in range(50)}
        for number in range(5_000):
            at, name = 1000.0 + number, f"Job-{number:05}"
            store.create(job_record(name, facts=life.created(TRAINING, at), HyperParameters=values))
            store.create(processing_record(name, facts=life.created(PROCESSING, at), Environment=values))
    assert quickest(lambda: described_at_once(tmp_path)) < 0.2
    with opened(tmp_path) as store:
        requests: list[dict[str, Any]] = [
            {},
            {"MaxResults": 100},
            {"SortBy": "Name", "SortOrder": "Ascending"},
            {"SortBy": "Name", "LastModifiedTimeAfter": 90_000.0},
            {"SortBy": "Status"},
            {"StatusEquals": "InProgress"},
            {"StatusEquals": "Failed"},
            {"NameContains": "zzz"},
            {"CreationTimeAfter": 3500.0, "SortOrder": "Ascending"},
        ]
        slowest = max(
            *(
                quickest(partial(store.first, SCOPE, JobQuery.parse(request, kind)))
                for request in requests
                for kind in KINDS
            ),
            quickest(partial(store.get, arn("job-02500"))),
        )
    assert slowest < 0.02, f"{slowest:.3f} s"


def described_at_once(folder: Path) -> None:
    with opened(folder) as store:
        assert store.get(arn("job-00000")) is not None
