"""The job files of the sample pipeline: each request is one that the service takes, each reference has an origin."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from botocore.model import OperationModel
from botocore.session import Session

from emulator.contract.arns import Scope
from emulator.jobfiles.document import ImageBuild, JobFile
from emulator.jobfiles.plan import load_all
from emulator.jobfiles.request import check, complete

JOBS = {one.name: one for one in load_all([Path(__file__).parents[2] / "sample_jobs/ctr_pipeline/jobs"])}


@cache
def operation(name: str) -> OperationModel:
    """Return an operation of SageMaker, as a client has it."""
    return Session().get_service_model("sagemaker").operation_model(name)


def test_they_run_in_the_order_of_the_data() -> None:
    order = list(JOBS)
    assert sorted(order) == ["dirty_day", "evaluate", "predict", "preprocess", "train"]
    assert order.index("preprocess") < order.index("train") < min(order.index("evaluate"), order.index("predict"))


@pytest.mark.parametrize("job_file", JOBS.values(), ids=JOBS)
def test_the_service_takes_the_request(job_file: JobFile) -> None:
    values = {}
    for one in job_file.references:
        answer = operation(f"Describe{JOBS[one.step].kind.noun}").output_shape
        assert answer is not None
        values[one.at] = one.stand_in(job_file.yaml, answer)
    shape = operation(f"Create{job_file.kind.noun}").input_shape
    assert shape is not None
    check(job_file.yaml, complete(job_file, image="image", scope=Scope(), values=values), shape)


@pytest.mark.parametrize("job_file", JOBS.values(), ids=JOBS)
def test_its_image_is_a_target_of_the_dockerfile(job_file: JobFile) -> None:
    assert isinstance(job_file.image, ImageBuild)
    dockerfile = (job_file.image.context / "Dockerfile").read_text()
    assert f" AS {job_file.image.target}\n" in dockerfile
