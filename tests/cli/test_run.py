"""`sagemaker-emulator run`, with an emulator of its own and on one that runs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from emulator.endpoint import Endpoint
from tests.cli.commands import (
    SECONDS,
    eventually,
    go,
    in_a_terminal,
    job_file,
    lines,
    processing_job_file,
    read_until,
    sagemaker_emulator,
    started,
    without_colors,
)
from tests.cli.terminals import exit_code, see, typed_into, written
from tests.docker_engine import UNTIL_SIGN, containers_of
from tests.jobs import Clients

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

WRITES = "echo acc=0.9; echo m > /opt/ml/model/model.txt; echo r > /opt/ml/output/data/report.json"
METRIC = {"MetricDefinitions": [{"Name": "acc", "Regex": "acc=([0-9.]+)"}]}
OBEYS = "trap 'echo asked to stop; exit 0' TERM; echo ready; while :; do sleep 0.05; done"


def test_a_job_that_meets_its_expectations(tmp_path: Path) -> None:
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/deep/a.csv").write_text("1,2\n")
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://numbers/in/"}},
    }
    path = job_file(
        tmp_path,
        f"cat /opt/ml/input/data/train/deep/a.csv; {WRITES}",
        AlgorithmSpecification=METRIC,
        InputDataConfig=[channel],
        OutputDataConfig={"S3OutputPath": "s3://results/out"},
        TrainingJobName="good-job",
        expect={
            "model": ["model.txt"],
            "output": ["*.json"],
            "metrics": {"acc": ">= 0.9"},
            "logs": ["^1,2$"],
            "exit_code": 0,
            "max_seconds": SECONDS,
        },
    )
    document = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**document, "data": {"s3://numbers/in/": "data/"}}))
    (tmp_path / "temporary").mkdir()

    done = sagemaker_emulator("run", path, TMPDIR=str(tmp_path / "temporary"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert lines(done.stdout, "image")[0].startswith("sagemaker-emulator-build/behaviour:")
    assert lines(done.stdout, "data") == ["s3://numbers/in/ 1 file, 4 bytes"]
    assert lines(done.stdout, "job") == ["good-job"]
    assert lines(done.stdout, "status") == ["Starting", "Pending", "Downloading", "Training", "Uploading", "Completed"]
    assert lines(done.stdout, "log") == ["algo-1 1,2", "algo-1 acc=0.9"]
    assert re.fullmatch(r"Completed after [\d.]+ s, billable \d+ s", lines(done.stdout, "result")[0])
    assert lines(done.stdout, "metric") == ["acc = 0.9"]
    model, output = lines(done.stdout, "artifact")
    assert re.fullmatch(r"s3://results/out/good-job/output/model.tar.gz \d+ bytes: model.txt \(2 bytes\)", model)
    assert re.fullmatch(r"s3://results/out/good-job/output/output.tar.gz \d+ bytes: report.json \(2 bytes\)", output)
    assert lines(done.stdout, "passed") == [str(path)]
    # Told in the order in which it happened.
    names = [line.split()[0] for line in done.stdout.splitlines() if not line.startswith("build")]
    before = ["image", "data", "job"]
    during = [*(["status"] * 4), "log", "log", "status", "status"]
    assert names == [*before, *during, "result", "stages", "metric", "artifact", "artifact", "passed"]
    assert list((tmp_path / "temporary").iterdir()) == []
    assert containers_of("good-job") == []


def test_expectations_that_do_not_hold(tmp_path: Path, endpoint: Endpoint) -> None:
    path = job_file(
        tmp_path,
        "echo bad row > /opt/ml/output/failure; exit 3",
        expect={"model": ["model.txt"], "logs": ["epoch"]},
    )

    done = sagemaker_emulator("run", "--port", endpoint.port, path)

    assert done.returncode == 1, done.stdout + done.stderr
    assert lines(done.stdout, "reason") == ["AlgorithmError: bad row, exit code: 3"]
    assert lines(done.stdout, "unmet") == [
        "status: expected Completed, found Failed (AlgorithmError: bad row, exit code: 3).",
        "model: expected model.txt in model.tar.gz, found no model.tar.gz.",
        "logs: expected a line that matches 'epoch', found none among 0.",
    ]
    assert lines(done.stdout, "failed") == [str(path)]


def test_a_failure_that_is_expected(tmp_path: Path, endpoint: Endpoint) -> None:
    path = job_file(
        tmp_path,
        "echo bad row > /opt/ml/output/failure; exit 3",
        expect={"failure": "bad r.w", "exit_code": 3, "model": []},
    )
    done = sagemaker_emulator("run", "--endpoint-url", endpoint.url, path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_end_as_json(tmp_path: Path, endpoint: Endpoint) -> None:
    path = job_file(tmp_path, WRITES, AlgorithmSpecification=METRIC, expect={"model": ["other.txt"]})

    done = sagemaker_emulator("run", "--port", endpoint.port, "--json", path)

    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["passed"] is False
    assert document["unmet"] == ["model: expected other.txt in model.tar.gz, found model.txt."]
    assert document["training_job_status"] == "Completed"
    assert document["failure_reason"] is None
    assert document["metrics"] == {"acc": pytest.approx(0.9)}
    assert [list(one["files"]) for one in document["artifacts"]] == [["model.txt"], ["report.json"]]
    assert "Training" in [one["status"] for one in document["secondary_statuses"]]
    assert lines(done.stderr, "log") == ["algo-1 acc=0.9"]


def test_a_processing_job(tmp_path: Path, endpoint: Endpoint) -> None:
    path = processing_job_file(
        tmp_path,
        "cd /opt/ml/processing; cp -r in/. out; echo 1 file > /opt/ml/output/message; echo copied",
        ProcessingInputs=[
            {
                "InputName": "in",
                "S3Input": {
                    "S3Uri": "s3://to-process/in/",
                    "LocalPath": "/opt/ml/processing/in",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "copy",
                    "S3Output": {
                        "S3Uri": "s3://processed/out/",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        expect={"exit_code": 0, "exit_message": "^1 file", "outputs": {"copy": ["deep/a.csv"]}, "logs": ["copied"]},
    )
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/deep/a.csv").write_text("1,2\n")
    path.write_text(f"{path.read_text()}data: {{s3://to-process/in/: data}}\n")

    done = sagemaker_emulator("run", "--port", endpoint.port, path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert lines(done.stdout, "status") == ["InProgress", "Completed"]
    assert lines(done.stdout, "message") == ["1 file"]
    assert lines(done.stdout, "artifact") == ["s3://processed/out/ 4 bytes: deep/a.csv (4 bytes)"]


def test_another_account_and_region(tmp_path: Path, endpoint: Endpoint) -> None:
    done = sagemaker_emulator(
        *("run", "--port", endpoint.port, "--account", "000000000042", "--region", "eu-west-1"),
        job_file(tmp_path, "echo $AWS_REGION; echo m > /opt/ml/model/m"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines(done.stdout, "log") == ["algo-1 eu-west-1"]
    assert lines(done.stdout, "artifact")[0].startswith("s3://sagemaker-eu-west-1-000000000042/")


def test_the_users_own_aws_configuration_is_not_used(tmp_path: Path, endpoint: Endpoint, clients: Clients) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = nowhere\ns3 =\n  addressing_style = virtual\nretry_mode = bad\n")
    path = job_file(tmp_path, WRITES, TrainingJobName="not-the-users")

    done = sagemaker_emulator(
        *("run", "--port", endpoint.port, path),
        AWS_CONFIG_FILE=str(config),
        AWS_SHARED_CREDENTIALS_FILE=str(config),
        AWS_PROFILE="no-such-profile",
        AWS_ACCESS_KEY_ID="AKIAREAL",
        AWS_SECRET_ACCESS_KEY="real",
        AWS_SESSION_TOKEN="real",
        AWS_ENDPOINT_URL="http://127.0.0.1:1",
        AWS_ENDPOINT_URL_S3="http://127.0.0.1:1",
        AWS_USE_FIPS_ENDPOINT="true",
        AWS_RETRY_MODE="bad",
        HTTP_PROXY="http://127.0.0.1:1",
        http_proxy="http://127.0.0.1:1",
    )

    assert done.returncode == 0, done.stdout + done.stderr
    described = clients.sagemaker.describe_training_job(TrainingJobName="not-the-users")
    assert ":us-east-1:123456789012:" in described["TrainingJobArn"]


# What goes wrong before a job runs


def test_a_wrong_job_file(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("kind: training\nimage: {build: .}\n")
    done = sagemaker_emulator("run", path)
    assert done.returncode == 2
    assert done.stderr == (
        f"sagemaker-emulator: {path}, line 2: image.build: there is no file {tmp_path}/Dockerfile. "
        "Write one, or name it: dockerfile: NAME\n"
    )
    assert done.stdout == ""


def test_a_request_that_the_model_does_not_allow_is_refused_before_anything_is_done(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    path = job_file(tmp_path, "true", HyperParameter={"a": "1"})
    done = sagemaker_emulator("run", "--port", endpoint.port, path)
    assert done.returncode == 2
    assert f"{path}, line 7: request.HyperParameter: CreateTrainingJobRequest has no such member." in done.stderr
    assert done.stdout == ""


def test_a_value_that_the_service_would_refuse(tmp_path: Path, endpoint: Endpoint) -> None:
    path = job_file(tmp_path, "true", AlgorithmSpecification={"TrainingInputMode": "Fast"})
    done = sagemaker_emulator("run", "--port", endpoint.port, path)
    assert done.returncode == 2
    assert f"{path}, line 8: request.AlgorithmSpecification.TrainingInputMode: there is no 'Fast'." in done.stderr


def test_a_name_that_is_taken(tmp_path: Path, endpoint: Endpoint) -> None:
    path = job_file(tmp_path, "true", TrainingJobName="taken")
    assert sagemaker_emulator("run", "--port", endpoint.port, path).returncode == 0
    done = sagemaker_emulator("run", "--port", endpoint.port, path)
    assert done.returncode == 1
    assert "already exists" in done.stderr
    assert "Leave TrainingJobName out of the job file for a new one." in done.stderr


def test_an_image_that_cannot_be_built_shows_why(tmp_path: Path, endpoint: Endpoint) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM sagemaker-emulator/python:3.11\nRUN echo first; echo the reason >&2; exit 9\n"
    )
    path = tmp_path / "job.yaml"
    path.write_text("kind: training\nimage: {build: .}\n")

    done = sagemaker_emulator("run", "--port", endpoint.port, path)

    assert done.returncode == 2, done.stdout + done.stderr
    assert f"The image of {tmp_path} cannot be built: " in done.stderr
    assert "returned a non-zero code: 9" in done.stderr
    assert "\n  the reason\n" in done.stderr
    assert "write image: {name: IMAGE} into the job file" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_image_is_built_once(tmp_path: Path, endpoint: Endpoint) -> None:
    context = tmp_path / "once"
    context.mkdir()
    (context / "Dockerfile").write_text(
        f'FROM sagemaker-emulator/python:3.11\nENV MADE={time.time_ns()}\nENTRYPOINT ["echo"]\n'
    )
    path = context / "job.yaml"
    path.write_text("kind: training\nimage: {build: .}\n")
    images: list[str] = []
    builds: list[list[str]] = []
    try:
        for _ in range(2):
            done = sagemaker_emulator("run", "--port", endpoint.port, path)
            assert done.returncode == 0, done.stdout + done.stderr
            assert lines(done.stdout, "log") == ["algo-1 train"]
            images += lines(done.stdout, "image")
            builds.append(lines(done.stdout, "build"))
        assert re.fullmatch(rf"{re.escape(images[1])} built in [\d.]+ s", images[0])
        assert builds[0]
        assert not builds[1]
    finally:
        if images:
            subprocess.run(["docker", "rmi", images[0].split()[0]], capture_output=True, timeout=SECONDS, check=False)


def test_nobody_answers(tmp_path: Path) -> None:
    path = job_file(tmp_path, "true")
    for option in (["--port", "1"], ["--endpoint-url", "http://127.0.0.1:1"]):
        done = sagemaker_emulator("run", *option, path)
        assert done.returncode == 4
        assert "The endpoint does not answer at http://127.0.0.1:1: " in done.stderr
        assert "Start it first: sagemaker-emulator up" in done.stderr


def test_there_is_no_engine(tmp_path: Path) -> None:
    no_docker = f"unix://{tmp_path}/no.sock"
    done = sagemaker_emulator("run", "--engine", "docker", job_file(tmp_path, "true"), DOCKER_HOST=no_docker)
    assert done.returncode == 3
    assert "The docker engine cannot be used" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "1", "--endpoint-url", "http://127.0.0.1:1"], "Give --port or --endpoint-url, not both."),
        (["--port", "1", "--time-scale", "2"], "--time-scale is for the emulator that `run` starts by itself."),
        (["--endpoint-url", "https://sagemaker.us-east-1.amazonaws.com"], "is no address of an emulator"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = sagemaker_emulator("run", *arguments, job_file(tmp_path, "true"))
    assert done.returncode == 2
    assert message in done.stderr


# Ctrl-C


def test_ctrl_c_stops_the_job_and_waits_for_its_end(tmp_path: Path) -> None:
    path = job_file(tmp_path, OBEYS, TrainingJobName="interrupted")
    with started("run", path) as running:
        read_until(running, "log       algo-1 ready")
        running.send_signal(signal.SIGINT)
        output = read_until(running, "failed    ")
        assert running.wait(SECONDS) == 1

    assert lines(output, "stop") == [
        "The job is being stopped: interrupted. Ctrl-C leaves without waiting for its end."
    ]
    assert lines(output, "log") == ["algo-1 asked to stop"]
    assert lines(output, "result")[0].startswith("Stopped after ")
    assert lines(output, "unmet") == [
        "The job was stopped: interrupted.",
        "status: expected Completed, found Stopped.",
    ]
    assert containers_of("interrupted") == []


def test_a_job_that_was_interrupted_has_not_passed(tmp_path: Path) -> None:
    with started("run", job_file(tmp_path, OBEYS, expect={"status": "Stopped"})) as running:
        read_until(running, "log       algo-1 ready")
        running.send_signal(signal.SIGTERM)
        assert lines(read_until(running, "failed    "), "unmet") == ["The job was stopped: interrupted."]
        assert running.wait(SECONDS) == 1


def test_a_second_ctrl_c_leaves_and_nothing_stays(tmp_path: Path) -> None:
    path = job_file(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.1; done", TrainingJobName="stubborn")
    (tmp_path / "temporary").mkdir()
    with started("run", path, TMPDIR=str(tmp_path / "temporary")) as running:
        read_until(running, "log       algo-1 ready")
        running.send_signal(signal.SIGINT)
        read_until(running, "The job is being stopped")
        running.send_signal(signal.SIGINT)
        assert running.wait(SECONDS) == 1
        assert running.stdout is not None
        assert "Traceback" not in running.stdout.read()

    assert eventually(lambda: containers_of("stubborn") == [])
    assert list((tmp_path / "temporary").iterdir()) == []


# The live display


def test_the_live_display(tmp_path: Path) -> None:
    path = job_file(
        tmp_path,
        f"echo '[red]not a colour[/red]'; {UNTIL_SIGN}; {WRITES}",
        AlgorithmSpecification=METRIC,
        TrainingJobName="shown-live",
        expect={"metrics": {"acc": "> 1"}},
    )

    with typed_into("run", path, TERM="xterm-256color") as terminal:
        see(terminal, r"Training: Training image download completed\. Training in progress\.")
        see(terminal, r"algo-1 \[red\]not a colour\[/red\]")
        go("shown-live")
        assert exit_code(terminal) == 1, written(terminal)

    assert "\x1b[" in written(terminal)
    text = without_colors(written(terminal))
    for part in (r"✓ job +shown-live", r"✓ Downloading +\d+\.\d s", "algo-1 acc=0.9"):
        assert re.search(part, text), text
    end = text[text.rindex("result") :]
    assert re.match(r"result +Completed after \d+\.\d s, billable \d+ s", end)
    assert re.search(r"metric +acc = 0.9", end)
    assert re.search(r"artifact +s3://sagemaker-us-east-1-123456789012/shown-live/output/model.tar.gz", end)
    assert re.search(r"unmet +metrics: expected acc > 1, found 0.9", end)
    assert "failed " in end


def test_plain_lines_can_be_asked_for_in_a_terminal(tmp_path: Path, endpoint: Endpoint) -> None:
    text, code = in_a_terminal("run", "--plain", "--port", endpoint.port, job_file(tmp_path, "echo hello"))
    assert code == 0, text
    assert "\x1b" not in text
    assert "log       algo-1 hello" in text
