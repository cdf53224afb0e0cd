"""Running a job again."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.rerun import request_of, rerun_name
from tests.builders import job_record, processing_record

NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


def test_a_rerun_has_the_name_of_the_job_and_a_number() -> None:
    assert rerun_name("train", 1) == "train-rerun-1"
    assert rerun_name("train-rerun-1", 2) == "train-rerun-2"
    assert rerun_name("a" * 63, 12) == "a" * 54 + "-rerun-12"


@given(st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= 63), st.integers(1, 10**6))
def test_every_such_name_is_one_that_the_service_takes(name: str, number: int) -> None:
    made = rerun_name(name, number)
    assert re.fullmatch(NAME, made)
    assert len(made) <= 63


def test_the_request_is_the_recorded_one_with_the_tags_of_now() -> None:
    record = job_record("train", tags={"team": "ads"}, HyperParameters={"a": "1"})
    request = request_of(record, "train-rerun-1")
    assert request == {**record.request, "TrainingJobName": "train-rerun-1", "Tags": [{"Key": "team", "Value": "ads"}]}
    assert record.request["TrainingJobName"] == "train"


def test_without_tags_there_is_no_list_of_them() -> None:
    record = processing_record("prep")
    assert request_of(record, "again") == {**record.request, "ProcessingJobName": "again"}
