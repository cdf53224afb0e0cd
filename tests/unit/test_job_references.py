"""References to members of other jobs, in the requests of job files."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.model import Shape
from botocore.session import Session

from emulator.errors import UsageError
from emulator.jobfiles.document import JobFile
from emulator.jobfiles.references import Reference
from emulator.jobfiles.yaml_source import YamlSource

ANSWERS: dict[str, dict[str, Any]] = {
    "train": {
        "ModelArtifacts": {"S3ModelArtifacts": "s3://models/model.tar.gz"},
        "HyperParameters": {"epochs": "3"},
        "InputDataConfig": [{"ChannelName": "a"}, {"ChannelName": "b", "ContentType": "text/csv"}],
        "FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.5}],
    },
    "pre-process": {
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://features/train/"}}]}
    },
}
OPERATIONS = {"train": "DescribeTrainingJob", "pre-process": "DescribeProcessingJob"}


@cache
def output_shape(step: str) -> Shape:
    """Return the shape of a step's Describe answer, as a client has it."""
    shape = Session().get_service_model("sagemaker").operation_model(OPERATIONS[step]).output_shape
    assert shape is not None
    return shape


def job_file(text: str) -> JobFile:
    head = "kind: training\nimage: {name: a}\nafter: [train, pre-process]\nrequest:\n"
    return JobFile.parse(YamlSource.parse(Path("/jobs/evaluate.yaml"), head + text))


def reference(path: str) -> tuple[JobFile, Reference]:
    loaded = job_file(f'  Environment:\n    VALUE: {{Get: "Steps.{path}"}}\n')
    (found,) = loaded.references
    return loaded, found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("train.ModelArtifacts.S3ModelArtifacts", "s3://models/model.tar.gz"),
        ("train.HyperParameters['epochs']", "3"),
        ("train.HyperParameters.epochs", "3"),
        ("train.InputDataConfig[1].ContentType", "text/csv"),
        ("train.InputDataConfig['b'].ContentType", "text/csv"),
        ("train.FinalMetricDataList['validation:auc'].Value", 0.5),
        ("pre-process.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", "s3://features/train/"),
    ],
)
def test_members_of_another_job(path: str, value: Any) -> None:
    loaded, found = reference(path)
    assert found.value(loaded.yaml, ANSWERS[found.step]) == value
    assert type(found.stand_in(loaded.yaml, output_shape(found.step))) is type(value)


def test_values_stand_at_their_places() -> None:
    loaded = job_file(
        "  RoleArn: {Get: Steps.train.RoleArn}\n  InputDataConfig: [{S3Uri: {Get: Steps.train.A.B}}, {a: 1}]\n"
    )
    values = {one.at: one.members[-1] for one in loaded.references}
    assert loaded.request_with(values) == {"RoleArn": "RoleArn", "InputDataConfig": [{"S3Uri": "B"}, {"a": 1}]}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("train.ModelArtifact", "DescribeTrainingJobResponse has no ModelArtifact. Did you mean ModelArtifacts?"),
        ("train.ModelArtifacts.S3", "has no ModelArtifacts.S3. There is: S3ModelArtifacts."),
        ("train.RoleArn.Name", "has no RoleArn.Name."),
        (
            "train.AlgorithmSpecification.ContainerEntrypoint['a']",
            "has no AlgorithmSpecification.ContainerEntrypoint.a",
        ),
        ("pre-process.ModelArtifacts", "DescribeProcessingJobResponse has no ModelArtifacts. "),
    ],
)
def test_no_answer_can_have_such_a_member(path: str, message: str) -> None:
    loaded, found = reference(path)
    with pytest.raises(UsageError) as raised:
        found.stand_in(loaded.yaml, output_shape(found.step))
    assert str(raised.value).startswith("/jobs/evaluate.yaml, line 6: request.Environment.VALUE: Describe")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("train.FailureReason", "FailureReason"),
        ("train.InputDataConfig[2].ContentType", "InputDataConfig[2]"),
        ("train.InputDataConfig['c'].ContentType", "InputDataConfig.c"),
        ("train.InputDataConfig['a'].ContentType", "InputDataConfig.a.ContentType"),
    ],
)
def test_the_answer_has_no_such_member(path: str, missing: str) -> None:
    loaded, found = reference(path)
    with pytest.raises(UsageError) as raised:
        found.value(loaded.yaml, ANSWERS[found.step])
    assert str(raised.value) == (
        f"/jobs/evaluate.yaml, line 6: request.Environment.VALUE: the Describe answer of train has no {missing}."
    )


def test_a_stand_in_has_the_members_type() -> None:
    loaded, found = reference("train.CreationTime")
    assert isinstance(found.stand_in(loaded.yaml, output_shape("train")), datetime)
