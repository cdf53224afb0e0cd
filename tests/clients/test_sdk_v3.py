"""SageMaker SDK V3, unmodified, with its validation of roles."""

from __future__ import annotations

import io
import json
import tarfile
from concurrent.futures import Future

import pytest

from tests.clients.programs import Finished, Programs
from tests.jobs import Clients

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-sdk"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def scripts(programs: Programs, toolkit_image: str, own_image: str) -> dict[str, Future[Finished]]:
    """Every script, started; a test awaits the one that it is about."""
    images = {"v3_own_image.py": own_image, "v3_source_code.py": toolkit_image, "v3_failing.py": toolkit_image}
    return {name: programs.script("sdk-v3", name, TRAIN_IMAGE=tag) for name, tag in images.items()}


def model_of(aws: Clients, uri: str, member: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    stored = aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(stored)) as tar:
        content = tar.extractfile(member)
        assert content is not None
        return content.read()


def test_an_image_of_one_s_own(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    finished = scripts["v3_own_image.py"].result().succeeded()
    assert "stage: experiment" in finished.lines
    assert [line for line in finished.lines if line.startswith("loss=")] == ["loss=0.875", "loss=0.5", "loss=0.125"]
    assert model_of(aws, finished.result["model_data"], "train/data.csv") == b"1,2,3\n4,5,6\n"


def test_the_role_is_validated_and_found(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    scripts["v3_own_image.py"].result().succeeded()
    roles = {role["Arn"] for page in aws.iam.get_paginator("list_roles").paginate() for role in page["Roles"]}
    assert "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole" in roles


def test_source_code(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    finished = scripts["v3_source_code.py"].result().succeeded()
    result = finished.result
    assert result["status"] == "Completed"
    assert result["hyperparameters"]["epochs"] == "3"
    assert result["statuses"][0] == "Starting"
    assert result["statuses"][-1] == "Completed"
    assert result["listed"] == [result["job"]]
    assert result["role"] == "arn:aws:iam::123456789012:role/sagemaker-emulator"  # nobody named one
    described = aws.sagemaker.describe_training_job(TrainingJobName=result["job"])
    assert described["AlgorithmSpecification"]["ContainerEntrypoint"] == ["/bin/bash"]
    kept = json.loads(model_of(aws, described["ModelArtifacts"]["S3ModelArtifacts"], "told.json"))
    assert kept["environment"]["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert kept["environment"]["SM_HP_LEARNING_RATE"] == "0.1"
    assert kept["train"] == {"data.csv": "1,2,3\n"}
    assert kept["hyperparameters"] == {
        "epochs": "3",
        "learning-rate": "0.1",
        "optimizer": "adam",
        "layers": '{"hidden": 8}',
    }


def test_a_failing_program_raises_with_its_own_reason(scripts: dict[str, Future[Finished]]) -> None:
    error = scripts["v3_failing.py"].result().succeeded().result["error"]
    assert "Failure Reason: AlgorithmError: row 7: the label is missing, exit code: 1" in error
