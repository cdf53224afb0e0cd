"""What the few words of a test become: requests, names, accounts, snapshots."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.contract.plan import Program
from emulator.errors import UsageError
from emulator.testing.programs import program_of
from emulator.testing.requests import JobWords, job_name, output_folders, processing_request, training_request
from emulator.testing.sagemaker_emulator import Identity
from emulator.testing.snapshots import normal

ME = Identity(
    region="us-east-1",
    account="123456789012",
    role_arn="",
    instance_type="ml.m5.large",
    image="",
    program="",
    max_wait=600,
)


def test_what_is_not_said_is_not_sent() -> None:
    words = JobWords(name="mine", image="my/image")
    assert training_request(words, ME, "bucket", hyperparameters={}, metrics={}, input_mode="File") == {
        "TrainingJobName": "mine",
        "RoleArn": "arn:aws:iam::123456789012:role/sagemaker-emulator",
        "AlgorithmSpecification": {"TrainingImage": "my/image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def test_hyperparameters_are_texts_and_metrics_are_definitions() -> None:
    words = JobWords(name="mine", image="my/image", inputs={"train": "s3://b/p/"}, arguments=["train", "-v"])
    request = training_request(
        words, ME, "bucket", hyperparameters={"epochs": 3, "flag": True}, metrics={"auc": "auc=(.*)"}, input_mode="Pipe"
    )
    assert request["HyperParameters"] == {"epochs": "3", "flag": "True"}
    assert request["AlgorithmSpecification"]["MetricDefinitions"] == [{"Name": "auc", "Regex": "auc=(.*)"}]
    assert request["AlgorithmSpecification"]["ContainerArguments"] == ["train", "-v"]
    assert request["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe"
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p/"}}
    assert request["InputDataConfig"] == [{"ChannelName": "train", "DataSource": source}]


def test_members_of_the_request_win_and_none_removes_one() -> None:
    changes = {"ResourceConfig": {"InstanceCount": 2}, "RoleArn": "arn:mine", "StoppingCondition": None}
    words = JobWords(name="mine", image="my/image", request=changes)
    request = training_request(words, ME, "bucket", hyperparameters={}, metrics={}, input_mode="File")
    assert request["ResourceConfig"] == {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 30}
    assert request["RoleArn"] == "arn:mine"
    assert "StoppingCondition" not in request


def test_processing_outputs_are_names_or_folders_or_members() -> None:
    words = JobWords(name="mine", image="my/image", inputs={"raw": {"AppManaged": True}})
    outputs: dict[str, str | dict[str, Any]] = {
        **output_folders(["clean"]),
        "other": "/opt/ml/processing/o",
        "mine": {"AppManaged": True},
    }
    request = processing_request(words, ME, "bucket", outputs=outputs)
    assert request["ProcessingInputs"] == [{"InputName": "raw", "AppManaged": True}]
    clean, other, mine = request["ProcessingOutputConfig"]["Outputs"]
    assert clean["S3Output"] == {
        "S3Uri": "s3://bucket/mine/output/clean",
        "LocalPath": "/opt/ml/processing/output/clean",
        "S3UploadMode": "EndOfJob",
    }
    assert other["S3Output"]["LocalPath"] == "/opt/ml/processing/o"
    assert mine == {"OutputName": "mine", "AppManaged": True}


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("test_it_trains", "test-it-trains-0a"),
        ("test_it[docker-x/y]", "test-it-docker-x-y-0a"),
        ("test_" + "x" * 60, "test-" + "x" * 35 + "-0a"),
        ("___", "job-0a"),
    ],
)
def test_a_job_is_called_after_its_test(test: str, name: str) -> None:
    assert job_name(test, "0a") == name


def test_a_program_is_a_file_a_command_or_what_a_job_file_says(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training/train.py").write_text("")
    by_file = Program(command=("python3", "train.py"), source=tmp_path / "training")
    assert program_of("training/train.py", tmp_path) == by_file
    assert program_of("train.py", tmp_path, beside=tmp_path / "training") == by_file
    assert program_of(["sh", "-c", "true"], tmp_path) == Program(command=("sh", "-c", "true"))
    said = {"command": ["python3", "t.py"], "arguments": ["train"], "source": "training", "environment": {"A": "b"}}
    assert program_of(said, tmp_path) == Program(
        command=("python3", "t.py"), arguments=("train",), source=tmp_path / "training", environment={"A": "b"}
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train.py", "there is no file"),
        ({"source": "."}, "it has no command"),
        ({"command": ["a"], "shell": True}, "there is no key 'shell'. Known: command,"),
    ],
)
def test_what_is_no_program_is_told(tmp_path: Path, words: str | dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        program_of(words, tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"environment": ["A"]}, "environment=['A']: give it by name"),
        ({"request": "x"}, "request='x': give it by name"),
        (
            {"entrypoint": "python3 a.py"},
            "entrypoint='python3 a.py': give a list of texts, as in entrypoint=['python3'",
        ),
        ({"arguments": b"-v"}, "arguments=b'-v': give a list of texts"),
    ],
)
def test_words_of_another_type_are_refused(words: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        JobWords(name="mine", image="my/image", **words)


def test_outputs_are_not_the_letters_of_a_name() -> None:
    with pytest.raises(UsageError, match=r"outputs='clean': give a list of texts, as in outputs=\['clean'\]"):
        processing_request(JobWords(name="mine", image="my/image"), ME, "bucket", outputs="clean")


METADATA = "AWS_CONTAINER_CREDENTIALS"
STANDARD = "/usr/local/sbin:/usr/bin"


@pytest.mark.parametrize(
    ("seen", "kept"),
    [
        (f"{METADATA}_RELATIVE_URI=/v2/credentials/0a1", f"{METADATA}_RELATIVE_URI=/v2/credentials/<id>"),
        (f"{METADATA}_FULL_URI=http://10.0.0.1:90/v2/credentials/0a1", f"{METADATA}_RELATIVE_URI=/v2/credentials/<id>"),
        (f"PATH={Path(sys.executable).parent}:{STANDARD}", f"PATH=<python>/bin:{STANDARD}"),
        (
            f"PATH=/home/me/.cache/sagemaker-emulator/environments/0a/bin:{STANDARD}",
            f"PATH=<environment>/bin:{STANDARD}",
        ),
        (f"PATH=/opt/conda/bin:{STANDARD}", f"PATH=/opt/conda/bin:{STANDARD}"),
        ("job-1 of 123456789012 at 2026-01-02T03:04:05Z", "<job> of <account> at <time>"),
    ],
)
def test_a_snapshot_has_nothing_that_differs_from_run_to_run_or_machine_to_machine(seen: str, kept: str) -> None:
    result: Any = SimpleNamespace(name="job-1", account="123456789012")
    assert normal(seen, result) == kept
