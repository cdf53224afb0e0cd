"""The two kinds of jobs, and what tells them apart."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.api.service_model import input_shape, output_members
from emulator.contract.kinds import KINDS, PROCESSING, TRAINING, JobKind, is_job, job_kind, kind_of
from tests.builders import SCOPE, job_record, processing_record


def test_an_arn_tells_the_kind() -> None:
    assert kind_of(TRAINING.arn(SCOPE, "j")) is job_record().kind is TRAINING
    assert kind_of(PROCESSING.arn(SCOPE, "j")) is processing_record().kind is PROCESSING


def test_an_arn_of_a_job_is_told_from_others() -> None:
    assert all(is_job(kind.arn(SCOPE, "j")) for kind in KINDS)
    assert not is_job("arn:aws:sagemaker:us-east-1:123456789012:model/m")


def test_any_text_is_asked_for_its_kind() -> None:
    assert [job_kind(kind.arn(SCOPE, "j")) for kind in KINDS] == list(KINDS)
    for text in ("", "x", "arn:aws:s3:::bucket", "arn:aws:sagemaker:us-east-1:123456789012:model/m"):
        assert job_kind(text) is None


def test_a_processing_job_arn_is_in_lower_case_too() -> None:
    assert PROCESSING.arn(SCOPE, "Prep-A") == "arn:aws:sagemaker:us-east-1:123456789012:processing-job/prep-a"


@pytest.mark.parametrize("kind", KINDS)
def test_members_are_those_of_the_model(kind: JobKind) -> None:
    shape: Any = input_shape(f"Create{kind.noun}")
    assert kind.name_member in shape.members
    assert {kind.name_member, kind.arn_member, kind.status_member} <= set(output_members(f"Describe{kind.noun}"))
