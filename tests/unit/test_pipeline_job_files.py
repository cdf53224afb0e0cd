"""The job files of the sample pipeline: each request is one that the service takes, each reference has an origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator

JOBS = Path(__file__).parents[2] / "sample_jobs/ctr_pipeline/jobs"
OPERATIONS = {"training": "CreateTrainingJob", "processing": "CreateProcessingJob"}
FILLED_IN = {
    "training": {"TrainingJobName": "job", "RoleArn": "arn:aws:iam::123456789012:role/any"},
    "processing": {"ProcessingJobName": "job", "RoleArn": "arn:aws:iam::123456789012:role/any"},
}
IMAGE_AT = {"training": ("AlgorithmSpecification", "TrainingImage"), "processing": ("AppSpecification", "ImageUri")}
DOCUMENTS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(JOBS.glob("*.yaml"))}


def with_references_resolved(value: Any) -> Any:
    if isinstance(value, dict):
        return (
            "s3://of/another" if "Get" in value else {key: with_references_resolved(one) for key, one in value.items()}
        )
    return [with_references_resolved(one) for one in value] if isinstance(value, list) else value


def references(value: Any) -> Iterator[str]:
    """Yield the steps that a request refers to: `{Get: Steps.train.ModelArtifacts.S3ModelArtifacts}`."""
    if isinstance(value, dict) and "Get" in value:
        match = re.fullmatch(r"Steps\.(\w+)\.[\w.]+", value["Get"])
        assert match is not None, value
        yield match[1]
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from references(one)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_service_takes_the_request(name: str) -> None:
    document = DOCUMENTS[name]
    kind = document["kind"]
    request = {**FILLED_IN[kind], **with_references_resolved(document["request"])}
    structure, member = IMAGE_AT[kind]
    request[structure] = {**request[structure], member: "image"}

    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model(OPERATIONS[kind]).input_shape
    assert shape is not None
    assert ParamValidator().validate(request, shape).generate_report() == ""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_job_needs_comes_from_the_jobs_before_it(name: str) -> None:
    after = DOCUMENTS[name].get("after", [])
    assert set(after) <= DOCUMENTS.keys() - {name}
    assert set(references(DOCUMENTS[name]["request"])) <= set(after)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_its_image_is_a_target_of_the_dockerfile(name: str) -> None:
    image = DOCUMENTS[name]["image"]
    dockerfile = (JOBS / image["build"] / "Dockerfile").read_text()
    assert f" AS {image['target']}\n" in dockerfile
