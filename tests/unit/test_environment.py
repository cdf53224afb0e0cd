"""The variables of a container: training.md 2.2, processing.md 4.2."""

from __future__ import annotations

import re

from emulator.contract.arns import Scope
from emulator.contract.environment import PlatformAccess, container_environment, platform_environment
from emulator.contract.training_job import TrainingJob
from tests.builders import processing_job, training_request

EUROPE = Scope(account="123456789012", region="eu-west-1")

ACCESS = PlatformAccess(
    endpoint_url="http://172.17.0.1:4750", credentials={"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/id"}
)


def variables(access: PlatformAccess | None = ACCESS) -> dict[str, str]:
    request = training_request(TrainingJobName="Task1-f4j22Gh0")
    return platform_environment(TrainingJob.parse(request, EUROPE), access)


def test_variables_of_the_platform() -> None:
    found = variables()
    for version in ("v3", "v4"):
        name = "ECS_CONTAINER_METADATA_URI" + ("_V4" if version == "v4" else "")
        assert re.fullmatch(rf"http://169\.254\.170\.2/{version}/[0-9a-f-]{{36}}", found.pop(name))
    assert found == {
        "TRAINING_JOB_NAME": "Task1-f4j22Gh0",
        "TRAINING_JOB_ARN": "arn:aws:sagemaker:eu-west-1:123456789012:training-job/task1-f4j22gh0",
        "AWS_REGION": "eu-west-1",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/id",
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
        "DMLC_INTERFACE": "eth0",
        "NVIDIA_VISIBLE_DEVICES": "void",
        "AWS_ENDPOINT_URL": "http://172.17.0.1:4750",
        "S3_ENDPOINT_URL": "http://172.17.0.1:4750",
    }


def test_an_isolated_container_gets_no_credentials_and_no_endpoint() -> None:
    isolated = variables(access=None)
    assert set(variables()) - set(isolated) == {
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_ENDPOINT_URL",
        "S3_ENDPOINT_URL",
    }


def test_a_bare_image_sees_no_variables_of_the_toolkit() -> None:
    assert not [name for name in variables() if name.startswith(("SM_", "SAGEMAKER_")) or name == "CURRENT_HOST"]


def test_the_requests_environment_comes_on_top() -> None:
    joined = container_environment(variables(), {"AWS_REGION": "mine", "EMPTY": "", "Case": "kept"})
    assert joined == {**variables(), "AWS_REGION": "mine", "EMPTY": "", "Case": "kept"}


def test_a_processing_container_has_nothing_of_a_training_job() -> None:
    found = platform_environment(processing_job(), ACCESS)
    assert set(variables()) - set(found) == {"TRAINING_JOB_NAME", "TRAINING_JOB_ARN", "DMLC_INTERFACE"}
    assert set(found) <= set(variables())
    assert found["AWS_REGION"] == "us-east-1"
