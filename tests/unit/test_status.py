"""Statuses, their history and the times that follow from it: training.md 5.2 to 5.4."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract import status
from emulator.contract.status import JobStatus, SecondaryStatus

STAGES = (
    (SecondaryStatus.PENDING, status.PREPARING_INSTANCES),
    (SecondaryStatus.DOWNLOADING, status.DOWNLOADING_INPUT),
    (SecondaryStatus.DOWNLOADING, status.DOWNLOADING_IMAGE),
    (SecondaryStatus.TRAINING, status.TRAINING),
    (SecondaryStatus.UPLOADING, status.UPLOADING),
)
ENDS = (
    (JobStatus.COMPLETED, SecondaryStatus.COMPLETED),
    (JobStatus.FAILED, SecondaryStatus.FAILED),
    (JobStatus.STOPPED, SecondaryStatus.STOPPED),
    (JobStatus.STOPPED, SecondaryStatus.MAX_RUNTIME_EXCEEDED),
)


def running(stages: int = len(STAGES), at: float = 1000.0) -> dict[str, Any]:
    """Return the facts of a job that is in its n-th stage; one stage takes one second."""
    facts = status.created(at)
    for number, (stage, message) in enumerate(STAGES[:stages], start=1):
        facts = status.entered(facts, stage, message, at + number)
    return facts


def completed(facts: dict[str, Any], at: float) -> dict[str, Any]:
    return status.ended(facts, JobStatus.COMPLETED, SecondaryStatus.COMPLETED, at=at)


def history(facts: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["Status"], one["StatusMessage"]) for one in facts["SecondaryStatusTransitions"]]


def test_a_job_just_created() -> None:
    assert status.created(5.25) == {
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "CreationTime": 5.25,
        "LastModifiedTime": 5.25,
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": 5.25, "StatusMessage": "Starting the training job"}
        ],
    }


def test_the_history_of_a_job_that_completes() -> None:
    assert history(completed(running(), 1010)) == [
        ("Starting", "Starting the training job"),
        ("Pending", "Preparing the instances for training"),
        ("Downloading", "Downloading the training image"),
        ("Training", "Training image download completed. Training in progress."),
        ("Uploading", "Uploading generated training model"),
        ("Completed", "Training job completed"),
    ]


@pytest.mark.parametrize(
    ("end", "message"),
    list(zip(ENDS[:3], ["Training job completed", "Training job failed", "Training job stopped"], strict=True)),
)
def test_messages_of_the_end(end: tuple[JobStatus, SecondaryStatus], message: str) -> None:
    facts = status.ended(running(), *end, at=1010)
    assert (facts["TrainingJobStatus"], facts["SecondaryStatus"]) == end
    assert history(facts)[-1] == (end[1], message)


def test_a_new_message_of_the_same_stage_changes_its_record_in_place() -> None:
    facts = running(stages=3)
    assert history(facts)[-1] == ("Downloading", "Downloading the training image")
    assert facts["SecondaryStatusTransitions"][-1]["StartTime"] == 1002
    assert facts["LastModifiedTime"] == 1003


def test_a_change_leaves_the_facts_before_it_alone() -> None:
    facts = running(stages=2)
    before = repr(facts)
    status.stop_requested(status.entered(facts, SecondaryStatus.DOWNLOADING, "other", 1009), 1009)
    completed(facts, 1010)
    assert repr(facts) == before


# Stopping


def test_a_stop_request_takes_both_statuses_to_stopping_at_once() -> None:
    facts = status.stop_requested(running(stages=4), 1050)
    assert (facts["TrainingJobStatus"], facts["SecondaryStatus"]) == ("Stopping", "Stopping")
    assert history(facts)[-1] == ("Stopping", "Stopping the training job")


def test_a_second_stop_request_changes_nothing() -> None:
    facts = status.stop_requested(running(stages=4), 1050)
    assert status.stop_requested(facts, 1060) == facts


def test_a_stopped_job_uploads_while_it_is_stopping() -> None:
    facts = status.stop_requested(running(stages=4), 1050)
    facts = status.entered(facts, SecondaryStatus.UPLOADING, status.UPLOADING, 1051)
    assert facts["TrainingJobStatus"] == "Stopping"
    facts = status.ended(facts, JobStatus.STOPPED, SecondaryStatus.STOPPED, at=1052)
    assert [name for name, _ in history(facts)[-4:]] == ["Training", "Stopping", "Uploading", "Stopped"]


@pytest.mark.parametrize("stages", [0, 1, 2, 3])
def test_a_job_stopped_before_training_goes_through_no_further_stage(stages: int) -> None:
    facts = status.stop_requested(running(stages), 1050)
    for stage, message in STAGES[stages:4]:
        assert status.entered(facts, stage, message, 1051) == facts
    facts = status.ended(facts, JobStatus.STOPPED, SecondaryStatus.STOPPED, at=1052)
    assert [name for name, _ in history(facts)[-2:]] == ["Stopping", "Stopped"]


# Times


def test_training_starts_with_downloading_and_ends_with_the_job() -> None:
    facts = completed(running(), 1010)
    assert facts["TrainingStartTime"] == 1002
    assert facts["TrainingEndTime"] == facts["LastModifiedTime"] == 1010
    assert facts["CreationTime"] == facts["SecondaryStatusTransitions"][0]["StartTime"] == 1000


@pytest.mark.parametrize(
    ("took", "seconds"), [(671.36, 672), (0.0, 1), (0.001, 1), (1.0, 1), (1.001, 2), (60.0, 60), (0.3, 1)]
)
def test_training_time_is_rounded_up_to_at_least_a_second(took: float, seconds: int) -> None:
    facts = completed(running(at=1644400000.123), round(1644400002.123 + took, 3))
    assert facts["TrainingTimeInSeconds"] == facts["BillableTimeInSeconds"] == seconds


def test_a_failed_job_ended_training_when_the_failure_was_seen() -> None:
    facts = status.ended(
        running(),
        JobStatus.FAILED,
        SecondaryStatus.FAILED,
        at=1020,
        failure_reason="AlgorithmError: , exit code: 1",
        failed_at=1004,
    )
    assert facts["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert facts["TrainingEndTime"] == 1004
    assert facts["TrainingTimeInSeconds"] == 2
    assert facts["LastModifiedTime"] == facts["SecondaryStatusTransitions"][-1]["StartTime"] == 1020


def test_a_job_that_ends_before_downloading_has_no_training_times() -> None:
    facts = status.ended(running(stages=1), JobStatus.FAILED, SecondaryStatus.FAILED, at=1005)
    assert not {name for name in facts if name.startswith(("Training", "Billable"))} - {"TrainingJobStatus"}


def test_only_ended_jobs_are_terminal() -> None:
    assert not status.is_terminal(status.created(1))
    assert not status.is_terminal(status.stop_requested(running(), 1050))
    for end in ENDS:
        assert status.is_terminal(status.ended(running(), *end, at=1010))


@given(
    st.lists(st.tuples(st.sampled_from(STAGES), st.integers(0, 5)), max_size=12),
    st.integers(0, 12),
    st.sampled_from(ENDS),
)
def test_records_of_the_history_join(
    steps: list[tuple[tuple[SecondaryStatus, str], int]],
    stop_before: int,
    end: tuple[JobStatus, SecondaryStatus],
) -> None:
    at, facts = 1000, status.created(1000)
    for number, ((stage, message), seconds) in enumerate(steps):
        at += seconds
        facts = status.stop_requested(facts, at) if number == stop_before else status.entered(facts, stage, message, at)
        assert "EndTime" not in facts["SecondaryStatusTransitions"][-1]
        assert facts["SecondaryStatus"] == facts["SecondaryStatusTransitions"][-1]["Status"]
    facts = status.ended(facts, *end, at=at + 1)

    transitions = facts["SecondaryStatusTransitions"]
    assert [one["EndTime"] for one in transitions[:-1]] == [one["StartTime"] for one in transitions[1:]]
    assert transitions[-1]["EndTime"] == transitions[-1]["StartTime"] == at + 1
    assert all(first["Status"] != second["Status"] for first, second in pairwise(transitions))
