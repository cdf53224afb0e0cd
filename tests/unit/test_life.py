"""The life of a job of either kind."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.contract import life, status
from emulator.contract.kinds import KINDS, PROCESSING, TRAINING, JobKind
from emulator.contract.life import Stage
from emulator.contract.outcome import Ended, failed_outcome, settle
from emulator.contract.status import is_terminal, status_of
from emulator.errors import ValidationError
from tests.builders import SCOPE, processing_request, training_request

REQUESTS = {TRAINING: training_request(), PROCESSING: processing_request()}
COMPLETED = settle(Ended.BY_ITSELF, (), "")


def running(kind: JobKind) -> dict[str, Any]:
    """Return the facts of a job that was created at second 10 and entered one stage a second."""
    facts = life.created(kind, 10)
    for at, stage in enumerate(Stage, start=11):
        facts = life.entered(kind, facts, stage, at)
        if stage is Stage.RUNNING:
            break
    return facts


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_is_checked_and_read_by_its_own_rules(kind: JobKind) -> None:
    request = REQUESTS[kind]
    life.check(kind, request)
    job = life.parse(kind, request, SCOPE)
    assert (job.kind, job.name, job.arn) == (kind, request[kind.name_member], kind.arn(SCOPE, job.name))
    with pytest.raises(ValidationError, match="Tag keys must be unique"):
        life.check(kind, {**request, "Tags": [{"Key": "a", "Value": ""}] * 2})


@pytest.mark.parametrize("kind", KINDS)
def test_from_creation_to_the_end(kind: JobKind) -> None:
    facts = running(kind)
    assert (status_of(facts), facts["CreationTime"], life.running_since(kind, facts)) == ("InProgress", 10, 15)
    facts = life.ended(kind, life.entered(kind, facts, Stage.UPLOADING, 16), COMPLETED, 17)
    assert is_terminal(facts)
    assert (status_of(facts), facts["LastModifiedTime"], life.running_since(kind, facts)) == ("Completed", 17, 15)


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_that_is_being_stopped_does_not_start(kind: JobKind) -> None:
    facts = life.stop_requested(kind, life.created(kind, 10), 11)
    assert status_of(facts) == "Stopping"
    assert life.stop_requested(kind, facts, 12) == facts
    for stage in list(Stage)[: list(Stage).index(Stage.UPLOADING)]:
        assert life.entered(kind, facts, stage, 12) == facts
    assert life.running_since(kind, facts) is None
    assert status_of(life.ended(kind, facts, settle(Ended.STOP_REQUESTED, (), ""), 13)) == "Stopped"


def test_a_training_job_tells_every_stage() -> None:
    facts = life.entered(TRAINING, running(TRAINING), Stage.UPLOADING, 16)
    told = [(one["Status"], one["StartTime"], one["StatusMessage"]) for one in facts["SecondaryStatusTransitions"]]
    assert told == [
        ("Starting", 10, status.STARTING),
        ("Pending", 11, status.PREPARING_INSTANCES),
        ("Downloading", 13, status.DOWNLOADING_IMAGE),
        ("Training", 15, status.TRAINING),
        ("Uploading", 16, status.UPLOADING),
    ]
    waiting = life.entered(TRAINING, life.created(TRAINING, 10), Stage.WAITING_FOR_CAPACITY, 11)
    assert waiting["SecondaryStatusTransitions"][-1]["StatusMessage"] == status.WAITING_FOR_CAPACITY


def test_of_a_processing_job_only_the_start_shows() -> None:
    facts = life.created(PROCESSING, 10)
    for stage in Stage:
        changed = life.entered(PROCESSING, facts, stage, 11)
        started = {"ProcessingStartTime": 11, "LastModifiedTime": 11} if stage is Stage.RUNNING else {}
        assert changed == {**facts, **started}


def test_a_training_job_ends_when_its_failure_was_seen_and_a_processing_job_when_all_is_stored() -> None:
    failed = failed_outcome("AlgorithmError: , exit code: 1")
    training, processing = (life.ended(kind, running(kind), failed, 20, failed_at=18) for kind in KINDS)
    assert (training["TrainingEndTime"], processing["ProcessingEndTime"]) == (18, 20)
    assert training["FailureReason"] == processing["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert life.ended(TRAINING, running(TRAINING), COMPLETED, 20, failed_at=18)["TrainingEndTime"] == 20
