"""Job records in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.contract.arns import Scope
from emulator.contract.record import JobRecord
from emulator.errors import ResourceInUseError
from emulator.jobs.store import MemoryJobStore
from tests.builders import SCOPE, job_record

ELSEWHERE = Scope(account="210987654321", region="eu-west-1")


def counted(record: JobRecord) -> JobRecord:
    return record.with_facts({**record.facts, "count": record.facts.get("count", 0) + 1})


def test_a_job_is_found_without_regard_to_case() -> None:
    store = MemoryJobStore()
    created = store.create(job_record("Job-A"))
    assert store.get(SCOPE, "job-a") == store.get(SCOPE, "JOB-A") == created
    assert created.name == "Job-A"
    assert store.get(SCOPE, "other") is None


def test_a_name_is_taken_in_whatever_case() -> None:
    store = MemoryJobStore()
    store.create(job_record("Job-A"))
    with pytest.raises(ResourceInUseError, match="training-job/job-a"):
        store.create(job_record("job-A"))


def test_accounts_and_regions_do_not_see_each_other() -> None:
    store = MemoryJobStore()
    here = store.create(job_record("job"))
    there = store.create(job_record("job", scope=ELSEWHERE))
    assert store.all(SCOPE) == [here]
    assert store.all(ELSEWHERE) == [there]
    store.delete(ELSEWHERE, "job")
    assert store.get(SCOPE, "job") == here


def test_jobs_are_numbered_in_order_of_creation_also_after_a_deletion() -> None:
    store = MemoryJobStore()
    numbers = [store.create(job_record(name)).number for name in ("a", "b")]
    store.delete(SCOPE, "b")
    numbers.append(store.create(job_record("b")).number)
    assert numbers == sorted(set(numbers))


def test_an_update_replaces_the_record() -> None:
    store = MemoryJobStore()
    before = store.create(job_record("Job-A"))
    after = store.update(SCOPE, "job-a", counted)
    assert after is not None
    assert after.facts["count"] == 1
    assert store.get(SCOPE, "Job-A") == after
    assert "count" not in before.facts


def test_an_update_of_a_job_that_is_gone_changes_nothing() -> None:
    store = MemoryJobStore()
    assert store.update(SCOPE, "job", counted) is None
    assert store.all(SCOPE) == []


def test_an_update_that_raises_leaves_the_record_and_the_store_usable() -> None:
    store = MemoryJobStore()
    created = store.create(job_record("job"))

    def refuse(_: JobRecord) -> JobRecord:
        raise ResourceInUseError("no")

    with pytest.raises(ResourceInUseError):
        store.update(SCOPE, "job", refuse)
    assert store.get(SCOPE, "job") == created


def test_a_name_is_free_after_a_deletion_and_deleting_twice_is_fine() -> None:
    store = MemoryJobStore()
    store.create(job_record("Job"))
    store.delete(SCOPE, "JOB")
    store.delete(SCOPE, "JOB")
    assert store.create(job_record("job")).name == "job"


def test_of_many_at_once_one_gets_the_name_and_no_update_is_lost() -> None:
    store = MemoryJobStore()

    def created(number: int) -> bool:
        try:
            store.create(job_record(f"{'jJ'[number % 2]}ob"))
        except ResourceInUseError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(created, range(50))) == 1
        list(pool.map(lambda _: store.update(SCOPE, "job", counted), range(200)))
    found = store.get(SCOPE, "job")
    assert found is not None
    assert found.facts["count"] == 200
