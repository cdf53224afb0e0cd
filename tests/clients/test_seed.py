"""The script of the user that this project was made for, as it came to us."""

from __future__ import annotations

import io
import re
import tarfile

import pytest

from tests.clients.programs import Finished, Programs
from tests.jobs import Clients

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-sdk"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def estimator_fit(programs: Programs, own_image: str) -> Finished:
    return programs.script("sdk-v2", "estimator_fit.py", TRAIN_IMAGE=own_image).result().succeeded()


def test_the_job_s_log_is_on_the_screen(estimator_fit: Finished) -> None:
    for line in (
        "stage: experiment",
        'hyperparameters: {"epochs":"3","learning-rate":"0.1"}',
        "loss=0.875",
        "loss=0.5",
        "loss=0.125",
    ):
        assert estimator_fit.stdout.count(line + "\n") == 1, estimator_fit
    assert "Training job completed" in estimator_fit.stdout
    assert re.search(r"Training seconds: [1-9]", estimator_fit.stdout)


def test_the_model_is_where_the_script_says(estimator_fit: Finished, aws: Clients) -> None:
    address = re.fullmatch(
        r"s3://(sagemaker-us-east-1-123456789012)/(models/own-[-0-9]+/output/model\.tar\.gz)", estimator_fit.lines[-1]
    )
    assert address is not None, estimator_fit

    stored = aws.s3.get_object(Bucket=address[1], Key=address[2])["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(stored)) as model:
        data = model.extractfile("train/data.csv")
        assert data is not None
        assert data.read() == b"1,2,3\n4,5,6\n"
        assert "weights" in model.getnames()


def test_the_metric_is_in_the_job(estimator_fit: Finished, aws: Clients) -> None:
    name = estimator_fit.lines[-1].split("/")[-3]
    described = aws.sagemaker.describe_training_job(TrainingJobName=name)

    assert [(one["MetricName"], one["Value"]) for one in described["FinalMetricDataList"]] == [("loss", 0.125)]
    assert described["Environment"] == {"STAGE": "experiment"}
    assert described["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
