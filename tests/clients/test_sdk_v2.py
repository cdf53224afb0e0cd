"""SageMaker SDK V2, unmodified.

fit(logs="All") takes most of a minute by its own polling, so all scripts run at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from tests.clients.programs import Finished, Programs
from tests.jobs import Clients, Job

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-sdk"), pytest.mark.timeout(900)]

SCRIPT_MODE = "v2_script_mode.py"


@pytest.fixture(scope="module")
def scripts(
    programs: Programs, toolkit_image: str, own_image: str, image: Callable[[str], str]
) -> dict[str, Future[Finished]]:
    """Every script, started; a test awaits the one that it is about."""
    images = {
        "v2_long_job.py": own_image,  # the longest goes first
        SCRIPT_MODE: toolkit_image,
        "v2_isolated.py": toolkit_image,
        "v2_failing.py": toolkit_image,
        "v2_model_channel.py": own_image,
        "v2_stopping.py": image("behaviour"),
    }
    return {name: programs.script("sdk-v2", name, TRAIN_IMAGE=tag) for name, tag in images.items()}


def told(aws: Clients, job: str) -> dict[str, object]:
    """Return what the script-mode program kept as its model."""
    described = aws.sagemaker.describe_training_job(TrainingJobName=job)
    bucket, _, prefix = described["OutputDataConfig"]["S3OutputPath"].removeprefix("s3://").partition("/")
    result: dict[str, object] = json.loads(Job(aws, job, bucket, prefix.rstrip("/")).read("model.tar.gz", "told.json"))
    return result


def test_script_mode(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    finished = scripts[SCRIPT_MODE].result().succeeded()
    result = finished.result
    assert result["status"] == "Completed"
    assert "loss=0.125" in finished.lines
    seen = told(aws, result["job"])
    assert seen["arguments"] == [
        "--epochs", "3", "--layers", "hidden=8", "--learning-rate", "0.1", "--optimizer", "adam",
    ]  # fmt: skip
    assert seen["train"] == {"data.csv": "1,2,3\n"}
    hyperparameters = seen["hyperparameters"]
    assert isinstance(hyperparameters, dict)
    assert hyperparameters["sagemaker_program"] == '"train.py"'
    assert hyperparameters["sagemaker_submit_directory"].endswith('/source/sourcedir.tar.gz"')
    environment = seen["environment"]
    assert isinstance(environment, dict)
    assert environment["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert environment["SM_CURRENT_INSTANCE_TYPE"] == "ml.m5.large"


def test_the_code_is_stored_as_the_sdk_asks(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    result = scripts[SCRIPT_MODE].result().succeeded().result
    address = json.loads(result["attached"]["hyperparameters"]["sagemaker_submit_directory"])
    bucket, _, key = address.removeprefix("s3://").partition("/")
    assert bucket == "sagemaker-us-east-1-123456789012"
    assert aws.s3.head_object(Bucket=bucket, Key=key)["ServerSideEncryption"] == "aws:kms"


def test_attach_finds_the_job_again(scripts: dict[str, Future[Finished]]) -> None:
    attached = scripts[SCRIPT_MODE].result().succeeded().result["attached"]
    assert attached["hyperparameters"]["epochs"] == "3"
    assert attached["hyperparameters"]["optimizer"] == '"adam"'
    assert attached["tags"] == [{"Key": "team", "Value": "ranking"}]
    assert attached["model_data"].endswith("/output/model.tar.gz")


def test_the_metrics_are_a_data_frame(scripts: dict[str, Future[Finished]]) -> None:
    """All values fall into the first minute, whose average is what the SDK asks for."""
    metrics = scripts[SCRIPT_MODE].result().succeeded().result["metrics"]
    assert metrics == [{"timestamp": 0.0, "metric_name": "loss", "value": 0.5}]


def test_the_role_is_the_caller_s(scripts: dict[str, Future[Finished]]) -> None:
    result = scripts[SCRIPT_MODE].result().succeeded().result
    assert result["role"] == "arn:aws:iam::123456789012:role/sagemaker-emulator"
    assert result["attached"]["role"] == result["role"]


def test_script_mode_without_a_network(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    job = scripts["v2_isolated.py"].result().succeeded().result["job"]
    described = aws.sagemaker.describe_training_job(TrainingJobName=job)
    assert described["EnableNetworkIsolation"] is True
    assert [channel["ChannelName"] for channel in described["InputDataConfig"]] == ["code"]
    seen = told(aws, job)
    assert seen["arguments"] == []
    environment = seen["environment"]
    assert isinstance(environment, dict)
    assert environment["SM_MODULE_DIR"] == "/opt/ml/input/data/code/sourcedir.tar.gz"


def test_a_failing_script_raises_with_its_own_reason(scripts: dict[str, Future[Finished]]) -> None:
    result = scripts["v2_failing.py"].result().succeeded().result
    assert result["status"] == "Failed"
    assert "Reason: AlgorithmError: row 7: the label is missing, exit code: 1" in result["error"]


def test_fit_follows_the_log_of_a_long_job(scripts: dict[str, Future[Finished]]) -> None:
    finished = scripts["v2_long_job.py"].result().succeeded()
    assert [line for line in finished.lines if line.startswith("loss=")] == ["loss=0.875", "loss=0.5", "loss=0.125"]


def test_a_role_by_name_and_a_model_channel(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    finished = scripts["v2_model_channel.py"].result().succeeded()
    result = finished.result
    assert "loss=" not in finished.stdout
    assert "Training job completed" in finished.stdout
    described = aws.sagemaker.describe_training_job(TrainingJobName=result["job"])
    assert described["RoleArn"] == "arn:aws:iam::123456789012:role/SageMakerRole"
    channels = {channel["ChannelName"]: channel for channel in described["InputDataConfig"]}
    assert channels["model"]["ContentType"] == "application/x-sagemaker-model"
    assert Job(aws, result["job"], "pretrained").read("model.tar.gz", "model/model.tar.gz") == b"an earlier model"
    assert result["model_data"] == f"s3://pretrained/out/{result['job']}/output/model.tar.gz"


def test_jobs_are_stopped(scripts: dict[str, Future[Finished]]) -> None:
    finished = scripts["v2_stopping.py"].result().succeeded()
    assert finished.result["statuses"] == ["Stopped", "Stopped"]
    assert "asked to stop" in finished.stdout
