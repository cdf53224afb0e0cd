"""The request of a job file: what is filled in, and where an error in it is found."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.model import Shape
from botocore.session import Session

from emulator.contract.arns import Scope
from emulator.errors import UsageError
from emulator.jobfiles.document import JobFile
from emulator.jobfiles.request import check, complete, refused
from emulator.jobfiles.yaml_source import YamlSource

HEAD = "kind: training\nimage: {name: my/image:1}\n"
NOW = datetime(2024, 5, 6, 7, 8, 9, 10_000, tzinfo=UTC)


@cache
def input_shape(operation: str = "CreateTrainingJob") -> Shape:
    """Return the request's shape, as a client has it."""
    shape = Session().get_service_model("sagemaker").operation_model(operation).input_shape
    assert shape is not None
    return shape


def job_file(text: str, path: str = "/jobs/iris_training/job.yaml") -> JobFile:
    return JobFile.parse(YamlSource.parse(Path(path), HEAD + text))


def completed(text: str, path: str = "/jobs/iris_training/job.yaml", scope: Scope | None = None) -> dict[str, Any]:
    return complete(job_file(text, path), image="an/image", scope=scope or Scope(), now=NOW)


def error_of(text: str) -> str:
    loaded = job_file(text)
    request = complete(loaded, image="an/image", scope=Scope(), now=NOW)
    with pytest.raises(UsageError) as raised:
        check(loaded.yaml, request, input_shape())
    return str(raised.value)


def test_all_that_is_required_is_filled_in() -> None:
    request = completed("")

    assert request == {
        "TrainingJobName": "iris-training-20240506-070809-010",
        "RoleArn": "arn:aws:iam::123456789012:role/sagemaker-emulator",
        "AlgorithmSpecification": {"TrainingImage": "an/image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://sagemaker-us-east-1-123456789012/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    check(job_file("").yaml, request, input_shape())


def test_what_is_written_stays() -> None:
    request = completed(
        "request:\n"
        "  TrainingJobName: mine\n"
        "  RoleArn: arn:aws:iam::123456789012:role/mine\n"
        "  AlgorithmSpecification: {TrainingInputMode: Pipe}\n"
        "  OutputDataConfig: {S3OutputPath: s3://mine/out}\n"
        "  ResourceConfig: {InstanceType: ml.p3.2xlarge, InstanceCount: 2, VolumeSizeInGB: 1}\n"
        "  StoppingCondition: {MaxRuntimeInSeconds: 5}\n"
        "  EnableNetworkIsolation: true\n"
    )

    assert request == {
        "TrainingJobName": "mine",
        "RoleArn": "arn:aws:iam::123456789012:role/mine",
        "AlgorithmSpecification": {"TrainingImage": "an/image", "TrainingInputMode": "Pipe"},
        "OutputDataConfig": {"S3OutputPath": "s3://mine/out"},
        "ResourceConfig": {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 5},
        "EnableNetworkIsolation": True,
    }


def test_instance_groups_stand_for_the_instance() -> None:
    groups = "[{InstanceGroupName: a, InstanceType: ml.m5.large, InstanceCount: 1}]"
    resources = completed(f"request: {{ResourceConfig: {{InstanceGroups: {groups}}}}}\n")["ResourceConfig"]
    assert resources.keys() == {"InstanceGroups", "VolumeSizeInGB"}


def test_all_that_a_processing_job_requires_is_filled_in() -> None:
    text = "kind: processing\nimage: {name: my/image:1}\nrequest: {AppSpecification: {ContainerArguments: [a]}}\n"
    loaded = JobFile.parse(YamlSource.parse(Path("/jobs/ctr/preprocess.yaml"), text))

    request = complete(loaded, image="an/image", scope=Scope(), now=NOW)

    assert request == {
        "ProcessingJobName": "ctr-preprocess-20240506-070809-010",
        "RoleArn": "arn:aws:iam::123456789012:role/sagemaker-emulator",
        "AppSpecification": {"ImageUri": "an/image", "ContainerArguments": ["a"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    check(loaded.yaml, request, input_shape("CreateProcessingJob"))


def test_instance_preferences_stand_for_the_instance() -> None:
    cluster = "{InstancePreferences: [{InstanceType: ml.m5.large}]}"
    text = f"kind: processing\nimage: {{name: a}}\nrequest: {{ProcessingResources: {{ClusterConfig: {cluster}}}}}\n"
    loaded = JobFile.parse(YamlSource.parse(Path("/jobs/ctr/preprocess.yaml"), text))
    request = complete(loaded, image="an/image", scope=Scope(), now=NOW)
    assert request["ProcessingResources"]["ClusterConfig"].keys() == {"InstancePreferences", "VolumeSizeInGB"}


def test_account_and_region_are_in_the_defaults() -> None:
    request = completed("", scope=Scope(account="000000000042", region="cn-north-1"))
    assert request["RoleArn"] == "arn:aws-cn:iam::000000000042:role/sagemaker-emulator"
    assert request["OutputDataConfig"]["S3OutputPath"] == "s3://sagemaker-cn-north-1-000000000042/"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/jobs/iris_training/bad_data.yaml", "iris-training-bad-data-20240506-070809-010"),
        ("/jobs/-- ü --/job.yaml", "job-20240506-070809-010"),
        (f"/jobs/{'long' * 30}/job.yaml", f"{'long' * 10}-20240506-070809-010"),
    ],
)
def test_jobs_are_named_after_folder_and_file(path: str, name: str) -> None:
    assert completed("", path)["TrainingJobName"] == name


WRONG = {
    "unknown member": (
        "request:\n  HyperParameter: {}\n",
        'job.yaml, line 4: request.HyperParameter: Unknown parameter in input: "HyperParameter", must be one of',
    ),
    "unknown member below": (
        "request:\n  InputDataConfig:\n    - ChannelName: a\n      DataSource: {}\n      Mode: File\n",
        'job.yaml, line 7: request.InputDataConfig[0].Mode: Unknown parameter in InputDataConfig[0]: "Mode"',
    ),
    "missing member": (
        "request:\n  InputDataConfig:\n    - DataSource: {}\n",
        "job.yaml, line 5: request.InputDataConfig[0].ChannelName: Missing required parameter",
    ),
    "text wanted": (
        "request:\n  Tags:\n    - Key: number\n      Value: 012\n",
        "job.yaml, line 6: request.Tags[0].Value: Invalid type for parameter Tags[0].Value, value: 10",
    ),
    "quotes": ("request: {Tags: [{Key: a, Value: 012}]}\n", 'Put it in quotes: "012"'),
    "structure wanted": (
        "request:\n  ResourceConfig: ml.m5.large\n",
        "job.yaml, line 4: request.ResourceConfig: Invalid type for parameter ResourceConfig, value: ml.m5.large",
    ),
    "nothing there": ("request:\n  OutputDataConfig:\n", "job.yaml, line 4: request.OutputDataConfig: Invalid type"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_the_service_model_does_not_allow_is_found_in_the_file(text: str, message: str) -> None:
    assert message in error_of(text)


def test_every_error_has_its_line() -> None:
    assert [line.partition(": request.")[0] for line in error_of("request:\n  A: 1\n  B: 2\n").splitlines()] == [
        "/jobs/iris_training/job.yaml, line 4",
        "/jobs/iris_training/job.yaml, line 5",
    ]


CHANNELS = """\
request:
  TrainingJobName: bad_name
  AlgorithmSpecification: {TrainingInputMode: Pipe}
  InputDataConfig:
    - ChannelName: a
      InputMode: File
    - ChannelName: b
      InputMode: Fast
  HyperParameters:
    epochs: "3"
"""


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (
            "1 validation error detected: Value 'bad_name' at 'trainingJobName' failed to",
            "line 4: request.TrainingJobName",
        ),
        (
            "Value 'Fast' at 'inputDataConfig.2.member.inputMode' failed to satisfy",
            "line 10: request.InputDataConfig[1].InputMode",
        ),
        ("Value at 'hyperParameters.epochs' failed to satisfy", "line 12: request.HyperParameters.epochs"),
        (
            "Not emulated: AlgorithmSpecification.TrainingInputMode: there are no FIFOs",
            "line 5: request.AlgorithmSpecification.TrainingInputMode",
        ),
        ("Not emulated: InputDataConfig[1].InputMode: there", "line 10: request.InputDataConfig[1].InputMode"),
        (
            "Value null at 'inputDataConfig.9.member.channelName' failed",
            "line 6: request.InputDataConfig[8].ChannelName",
        ),
        ("No S3 objects found under S3 URL", "line 3: request"),
    ],
)
def test_what_the_service_refuses_is_found_in_the_file(message: str, place: str) -> None:
    assert str(refused(job_file(CHANNELS).yaml, message)) == f"/jobs/iris_training/job.yaml, {place}: {message}"
