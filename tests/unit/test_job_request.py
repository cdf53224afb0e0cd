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
from emulator.jobfiles.yaml_source import At, YamlSource

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


def error_of(text: str, image: str = "an/image") -> str:
    loaded = job_file(text)
    request = complete(loaded, image=image, scope=Scope(), now=NOW)
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


@pytest.mark.parametrize("wrong", ["true", "3", "[a]", "text", ""])
def test_what_is_of_a_wrong_type_is_left_for_the_check(wrong: str) -> None:
    request = f"request: {{ProcessingResources: {{ClusterConfig: {wrong}}}}}\n"
    loaded = JobFile.parse(YamlSource.parse(Path("job.yaml"), f"kind: processing\nimage: {{name: a}}\n{request}"))
    with pytest.raises(UsageError) as raised:
        check(loaded.yaml, complete(loaded, image="a", scope=Scope()), input_shape("CreateProcessingJob"))
    assert "line 3: request.ProcessingResources.ClusterConfig: must be keys and values below it" in str(raised.value)


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
        "line 4: request.HyperParameter: CreateTrainingJobRequest has no such member. Did you mean HyperParameters?",
    ),
    "unknown member below": (
        "request:\n  InputDataConfig:\n    - ChannelName: a\n      DataSource: {}\n      Mode: File\n",
        "line 7: request.InputDataConfig[0].Mode: Channel has no such member. Did you mean InputMode?",
    ),
    "unknown member, deep, like no other": (
        "request:\n  InputDataConfig:\n    - ChannelName: a\n      DataSource:\n        Xyz: 1\n",
        "line 7: request.InputDataConfig[0].DataSource.Xyz: DataSource has no such member. There is: S3DataSource, ",
    ),
    "missing member": (
        "request:\n  InputDataConfig:\n    - DataSource: {}\n",
        "line 5: request.InputDataConfig[0].ChannelName: is missing; Channel requires it.",
    ),
    "text wanted": (
        "request:\n  Tags:\n    - Key: number\n      Value: 012\n",
        'line 6: request.Tags[0].Value: must be a text, not 012 (a number in YAML). Put it in quotes: "012"',
    ),
    "text wanted in a list": (
        "request:\n  AlgorithmSpecification:\n    ContainerArguments:\n      - a\n      - 1.0\n",
        "line 7: request.AlgorithmSpecification.ContainerArguments[1]: must be a text, not 1.0 (a number in YAML). Put",
    ),
    "whole number wanted": (
        "request:\n  ResourceConfig:\n    InstanceCount: yes\n",
        "line 5: request.ResourceConfig.InstanceCount: must be a whole number, not yes (true or false in YAML).",
    ),
    "structure wanted": (
        "request:\n  ResourceConfig: ml.m5.large\n",
        "line 4: request.ResourceConfig: must be keys and values below it, not the text 'ml.m5.large'.",
    ),
    "list wanted": (
        "request:\n  InputDataConfig: {ChannelName: a}\n",
        "line 4: request.InputDataConfig: must be a list, not keys and values.",
    ),
    "nothing there": ("request:\n  OutputDataConfig:\n", "line 4: request.OutputDataConfig: must be keys and values"),
    "none of a closed set": (
        "request:\n  InputDataConfig:\n    - ChannelName: a\n      DataSource: {}\n      InputMode: file\n",
        "line 7: request.InputDataConfig[0].InputMode: there is no 'file'. Did you mean File? There is: Pipe, ",
    ),
    "none of a large closed set": (
        "request:\n  ResourceConfig:\n    InstanceType: ml.m5.largest\n",
        "line 5: request.ResourceConfig.InstanceType: there is no 'ml.m5.largest'. Did you mean ml.m5.large?",
    ),
    "a name's pattern": (
        "request:\n  TrainingJobName: a_b\n",
        "line 4: request.TrainingJobName: 'a_b' must satisfy regular expression pattern: [a-zA-Z0-9]",
    ),
    "a bound": (
        "request:\n  StoppingCondition: {MaxRuntimeInSeconds: 0}\n",
        "line 4: request.StoppingCondition.MaxRuntimeInSeconds: 0 must have value greater than or equal to 1.",
    ),
    "an entry of a map": (
        f"request:\n  HyperParameters:\n    a: b\n    c: {'d' * 2501}\n",
        "line 6: request.HyperParameters.c: 'ddd",
    ),
    "a key of a map": (
        "request:\n  Environment:\n    ok: b\n    1st: c\n",
        "line 6: request.Environment.1st: the key '1st' must satisfy regular expression pattern: ",
    ),
    "too many entries": (
        f"request:\n  Tags: [{', '.join(f'{{Key: k{number}, Value: v}}' for number in range(51))}]\n",
        "line 4: request.Tags: has 51 entries and must have no more than 50.",
    ),
    "the image's own name": ("", "job.yaml, line 2: image.name: 'iii"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_the_service_model_does_not_allow_is_found_in_the_file(text: str, message: str) -> None:
    assert message in error_of(text, image="an/image" if text else "i" * 256)


def test_every_error_has_its_line() -> None:
    assert [line.partition(": request.")[0] for line in error_of("request:\n  A: 1\n  B: 2\n").splitlines()] == [
        "/jobs/iris_training/job.yaml, line 4",
        "/jobs/iris_training/job.yaml, line 5",
    ]


def test_of_a_value_that_another_job_gives_only_the_type_is_looked_at() -> None:
    loaded = job_file(
        "after: [a]\nrequest:\n  RoleArn: {Get: Steps.a.RoleArn}\n  Tags: {Get: Steps.a.TrainingJobName}\n"
        "  VpcConfig: {Get: Steps.a.VpcConfig}\n"
    )
    values: dict[At, Any] = {("request", "RoleArn"): "x", ("request", "Tags"): "x", ("request", "VpcConfig"): {}}
    request = complete(loaded, image="an/image", scope=Scope(), values=values, now=NOW)
    with pytest.raises(UsageError) as raised:
        check(loaded.yaml, request, input_shape())
    problem = "line 6: request.Tags: must be a list, and that member of the other job is not."
    assert str(raised.value) == f"/jobs/iris_training/job.yaml, {problem}"


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
