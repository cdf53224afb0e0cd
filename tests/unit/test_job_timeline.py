"""The steps of a job as its page shows them."""

from __future__ import annotations

import pytest

from emulator.contract import life
from emulator.contract.kinds import PROCESSING, TRAINING
from emulator.contract.life import Stage
from emulator.contract.outcome import Outcome
from emulator.contract.status import JobStatus
from emulator.web.timeline import steps_of
from tests.builders import job_record, processing_record


def test_each_secondary_status_is_a_step_with_its_place_in_the_whole() -> None:
    facts = life.created(TRAINING, 1000.0)
    facts = life.entered(TRAINING, facts, Stage.DOWNLOADING_INPUT, 1001.0)
    facts = life.entered(TRAINING, facts, Stage.RUNNING, 1002.0)
    facts = life.ended(TRAINING, facts, Outcome(status=JobStatus.COMPLETED), 1004.0)
    steps = steps_of(job_record(facts=facts), now=9999.0)
    assert [(one.name, one.seconds, one.offset, one.share) for one in steps] == [
        ("Starting", 1.0, 0.0, 0.25),
        ("Downloading", 1.0, 0.25, 0.25),
        ("Training", 2.0, 0.5, 0.5),
        ("Completed", 0.0, 1.0, 0.0),
    ]
    assert [one.is_end for one in steps] == [False, False, False, True]
    assert not any(one.is_running for one in steps)
    assert steps[0].message == "Starting the training job"


def test_the_last_step_of_a_job_that_goes_on_lasts_until_now() -> None:
    facts = life.entered(TRAINING, life.created(TRAINING, 1000.0), Stage.RUNNING, 1001.0)
    last = steps_of(job_record(facts=facts), now=1004.0)[-1]
    assert (last.name, last.seconds, last.is_running, last.is_end) == ("Training", 3.0, True, False)
    assert (last.offset, last.share) == pytest.approx((0.25, 0.75))


def test_a_processing_job_has_the_steps_that_its_times_tell() -> None:
    facts = life.created(PROCESSING, 1000.0)
    assert [one.name for one in steps_of(processing_record(facts=facts), now=1001.0)] == ["Preparing"]
    facts = life.entered(PROCESSING, facts, Stage.RUNNING, 1001.0)
    steps = steps_of(processing_record(facts=facts), now=1003.0)
    assert [(one.name, one.seconds, one.is_running) for one in steps] == [
        ("Preparing", 1.0, False),
        ("Processing", 2.0, True),
    ]
    facts = life.stop_requested(PROCESSING, facts, 1003.0)
    steps = steps_of(processing_record(facts=facts), now=1004.0)
    assert [(one.name, one.seconds) for one in steps][1:] == [("Processing", 2.0), ("Stopping", 1.0)]
    facts = life.ended(PROCESSING, facts, Outcome(status=JobStatus.STOPPED), 1005.0)
    steps = steps_of(processing_record(facts=facts), now=9999.0)
    assert [(one.name, one.seconds) for one in steps] == [("Preparing", 1.0), ("Processing", 4.0), ("Stopped", 0.0)]


def test_a_processing_job_that_never_ran_has_no_step_of_running() -> None:
    facts = life.created(PROCESSING, 1000.0)
    facts = life.ended(PROCESSING, facts, Outcome(status=JobStatus.FAILED, failure_reason="x"), 1002.0)
    steps = steps_of(processing_record(facts=facts), now=9999.0)
    assert [(one.name, one.seconds) for one in steps] == [("Preparing", 2.0), ("Failed", 0.0)]


def test_a_job_of_no_length_divides_by_nothing() -> None:
    (step,) = steps_of(job_record(), now=1000.0)
    assert (step.seconds, step.offset, step.share) == (0.0, 0.0, 0.0)
