"""`shell JOBFILE`: a shell in the prepared container, before the program starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.commands import eventually, job_file, sagemaker_emulator
from tests.cli.terminals import exit_code, typed_into
from tests.docker_engine import containers_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def prepared(folder: Path, name: str, **changes: Any) -> Path:
    """A job file whose job has data and whose program must not run."""
    (folder / "data").mkdir()
    (folder / "data/a.csv").write_text("1,2\n")
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://numbers/in/"}},
    }
    path = job_file(
        folder,
        "echo the program ran; exit 1",
        TrainingJobName=name,
        InputDataConfig=[channel],
        HyperParameters={"epochs": "3"},
        StoppingCondition={"MaxRuntimeInSeconds": 1},
        **changes,
    )
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "data": {"s3://numbers/in/": "data/"}}))
    return path


def test_one_command(tmp_path: Path) -> None:
    path = prepared(tmp_path, "one-command")
    done = sagemaker_emulator(
        "shell",
        path,
        "--",
        "sh",
        "-c",
        "cat /opt/ml/input/data/train/a.csv /opt/ml/input/config/hyperparameters.json; echo; "
        "echo $TRAINING_JOB_NAME; sleep 2; exit 9",
    )
    assert done.returncode == 9, done.stderr
    assert done.stdout == '1,2\n{"epochs":"3"}\none-command\n'
    assert "the program ran" not in done.stderr
    assert eventually(lambda: containers_of("one-command") == [])


def test_in_a_terminal_on_the_second_of_two_hosts(tmp_path: Path) -> None:
    path = prepared(tmp_path, "typed", ResourceConfig=CLUSTER)
    with typed_into("shell", "--host", "algo-2", path) as terminal:
        terminal.expect("This is algo-2 of typed, before its program starts, which is")
        terminal.sendline("grep -o 'current_host\":\"[a-z0-9-]*' /opt/ml/input/config/resourceconfig.json")
        terminal.expect('current_host":"algo-2')
        terminal.sendline("getent hosts algo-1 | wc -l; tty && echo is-a-$(echo terminal)")
        terminal.expect("is-a-terminal.*[#$] $")
        terminal.sendintr()  # is the shell's own, which takes nothing for a command that it has read before
        terminal.expect("[#$] $")
        terminal.sendline("exit 4")
        assert exit_code(terminal) == 4
    assert eventually(lambda: containers_of("typed") == [])


def test_a_host_that_is_not_there(tmp_path: Path) -> None:
    done = sagemaker_emulator("shell", "--host", "algo-9", prepared(tmp_path, "no-host"), "--", "true")
    assert done.returncode == 2
    assert "no-host has no host algo-9, but algo-1" in done.stderr


def test_the_jobs_before_it_run(tmp_path: Path) -> None:
    job_file(tmp_path, "echo m > /opt/ml/model/m", name="first", OutputDataConfig={"S3OutputPath": "s3://made/"})
    uri = {"Get": "Steps.first.ModelArtifacts.S3ModelArtifacts"}
    channel = {"ChannelName": "model", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}
    path = job_file(tmp_path, "exit 1", name="second", after=["first"], InputDataConfig=[channel])
    done = sagemaker_emulator("shell", path, "--", "ls", "/opt/ml/input/data/model")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "model.tar.gz\n"


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    path = job_file(tmp_path, "true")
    document = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**document, "image": {"name": "no/such-image"}}))
    done = sagemaker_emulator("shell", path)
    assert done.returncode == 1
    assert "Cannot find the image no/such-image" in done.stderr
