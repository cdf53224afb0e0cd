"""A processing job's status and times: processing.md 1 and 3.1."""

from __future__ import annotations

import pytest

from emulator.contract import processing_status as status
from emulator.contract.outcome import Outcome, failed_outcome
from emulator.contract.status import JobStatus, is_terminal, status_of


def test_a_job_just_created() -> None:
    facts = status.created(5.25)
    assert facts == {"ProcessingJobStatus": "InProgress", "CreationTime": 5.25, "LastModifiedTime": 5.25}
    assert status_of(facts) == "InProgress"
    assert not is_terminal(facts)


def test_a_job_that_completes() -> None:
    facts = status.ended(status.started(status.created(1), 2), Outcome(status=JobStatus.COMPLETED), 3)
    assert facts == {
        "ProcessingJobStatus": "Completed",
        "CreationTime": 1,
        "ProcessingStartTime": 2,
        "ProcessingEndTime": 3,
        "LastModifiedTime": 3,
    }
    assert is_terminal(facts)


def test_what_the_container_said_and_why_it_failed() -> None:
    outcome = Outcome(status=JobStatus.FAILED, failure_reason="AlgorithmError: , exit code: 1", exit_message="bad rows")
    facts = status.ended(status.started(status.created(1), 2), outcome, 3)
    assert (facts["FailureReason"], facts["ExitMessage"]) == ("AlgorithmError: , exit code: 1", "bad rows")


def test_a_job_that_fails_before_its_start_has_an_end_and_no_start() -> None:
    facts = status.ended(status.created(1), failed_outcome("ClientError: no data"), 3)
    assert (facts["ProcessingEndTime"], facts["FailureReason"]) == (3, "ClientError: no data")
    assert "ProcessingStartTime" not in facts


def test_a_stop_request_changes_the_status_at_once_and_only_once() -> None:
    facts = status.stop_requested(status.started(status.created(1), 2), 3)
    assert (facts["ProcessingJobStatus"], facts["LastModifiedTime"]) == ("Stopping", 3)
    assert not is_terminal(facts)
    assert status.stop_requested(facts, 4) == facts


@pytest.mark.parametrize("timed_out", [False, True])
def test_a_stopped_job_has_no_failure_reason(timed_out: bool) -> None:
    facts = status.ended(status.created(1), Outcome(status=JobStatus.STOPPED, timed_out=timed_out), 3)
    assert facts["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in facts


def test_a_change_leaves_the_facts_before_it_alone() -> None:
    facts = status.created(1)
    before = dict(facts)
    status.stop_requested(status.started(facts, 2), 3)
    status.ended(facts, Outcome(status=JobStatus.COMPLETED), 4)
    assert facts == before


def test_steps_follow_from_the_times() -> None:
    facts = status.stop_requested(status.started(status.created(1), 2), 3)
    assert [(one["Status"], one["StartTime"], one.get("EndTime")) for one in status.steps(facts)] == [
        ("Preparing", 1, 2),
        ("Processing", 2, None),
        ("Stopping", 3, None),
    ]
    facts = status.ended(facts, Outcome(status=JobStatus.STOPPED), 4)
    assert [(one["Status"], one["StartTime"], one.get("EndTime")) for one in status.steps(facts)] == [
        ("Preparing", 1, 2),
        ("Processing", 2, 4),
        ("Stopped", 4, 4),
    ]
