"""`sagemaker-emulator run` with several job files: order, what feeds what, what is skipped, what is shown."""

from __future__ import annotations

import json
import re
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest

from emulator.endpoint import Endpoint
from tests.cli.commands import (
    SECONDS,
    go,
    job_file,
    processing_job_file,
    read_until,
    sagemaker_emulator,
    started,
    without_colors,
)
from tests.cli.terminals import exit_code, see, typed_into, written
from tests.docker_engine import UNTIL_SIGN, containers_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

OBEYS = "trap 'echo asked to stop; exit 0' TERM; echo ready; while :; do sleep 0.05; done"


def output(bucket: str, name: str) -> dict[str, Any]:
    """Return a ProcessingOutputConfig of one output."""
    place = {"S3Uri": f"s3://{bucket}/{name}/", "LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": name, "S3Output": place}]}


def channel(uri: object) -> dict[str, Any]:
    return {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """A folder in which a processing job's output is a training job's input, and one more job is on its own."""
    return write_pipeline(tmp_path)


def write_pipeline(folder: Path, waiting: str = "") -> Path:
    """Write the pipeline's job files. With `waiting` two jobs, whose names end so, wait for `go` before their work."""
    before = UNTIL_SIGN if waiting else "true"
    prepare = {"ProcessingJobName": f"prepare-{waiting}"} if waiting else {}
    fit = {"TrainingJobName": f"fit-{waiting}"} if waiting else {}
    processing_job_file(
        folder,
        f"{before}; echo 42 > /opt/ml/processing/features/part.csv; echo prepared",
        name="prepare",
        ProcessingOutputConfig=output("several", "features"),
        expect={"outputs": {"features": ["part.csv"]}},
        **prepare,
    )
    job_file(
        folder,
        f'{before}; cp /opt/ml/input/data/train/part.csv /opt/ml/model/; echo "acc=0.$(cat /opt/ml/model/part.csv)"',
        name="fit",
        after=["prepare"],
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "acc", "Regex": "acc=([0-9.]+)"}]},
        InputDataConfig=[
            channel({"Get": "Steps.prepare.ProcessingOutputConfig.Outputs['features'].S3Output.S3Uri"}),
        ],
        expect={"model": ["part.csv"], "metrics": {"acc": ">= 0.4"}, "logs": ["acc=0.42"]},
        **fit,
    )
    job_file(folder, "echo bad row > /opt/ml/output/failure; exit 3", name="broken", expect={"failure": "bad row"})
    return folder


def test_what_one_job_makes_is_what_the_next_one_reads(pipeline: Path) -> None:
    done = sagemaker_emulator("run", pipeline)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    told = done.stdout.splitlines()
    assert sum(" image     " in line for line in told) == 1
    assert "prepare  log       algo-1 prepared" in told
    assert "broken   passed    Failed, as expected" in told
    assert told.index("prepare  passed    Completed") < told.index("fit      log       algo-1 acc=0.42")
    head = next(
        number
        for number, line in enumerate(told)
        if line.split() == ["job", "status", "seconds", "artifacts", "metrics"]
    )
    rows = [re.sub(r"\d+\.\d\b", "N", " ".join(line.split()), count=1) for line in told[head + 2 : head + 5]]
    assert rows == [
        "broken Failed, as expected N",
        "prepare Completed N features: 1 file, 3 bytes",
        rows[2],
    ]
    assert re.fullmatch(r"fit Completed N model: 1 file, \d+ bytes acc = 0.42", rows[2])
    assert told[head + 5 :] == ["broken   reason    AlgorithmError: bad row, exit code: 3", "passed    3 jobs"]


def test_the_ends_as_json(pipeline: Path, endpoint: Endpoint) -> None:
    done = sagemaker_emulator("run", "--port", endpoint.port, "--json", *sorted(pipeline.glob("*.yaml")))

    assert done.returncode == 0, done.stderr
    broken, prepare, fit = json.loads(done.stdout)
    assert [Path(one["job_file"]).stem for one in (broken, prepare, fit)] == ["broken", "prepare", "fit"]
    assert [one["passed"] for one in (broken, prepare, fit)] == [True, True, True]
    assert prepare["processing_job_status"] == "Completed"
    assert prepare["artifacts"] == [
        {"name": "features", "uri": "s3://several/features/", "bytes": 3, "files": {"part.csv": 3}}
    ]
    assert fit["metrics"] == {"acc": pytest.approx(0.42)}
    assert "fit      status    Training" in done.stderr


def test_behind_a_job_that_failed_nothing_runs_but_the_others_do(pipeline: Path, endpoint: Endpoint) -> None:
    processing_job_file(
        pipeline, "echo why; exit 4", name="prepare", ProcessingOutputConfig=output("failing", "features")
    )
    job_file(pipeline, "true", name="score", after=["fit"])

    done = sagemaker_emulator("run", "--port", endpoint.port, pipeline)

    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^ fit +skipped: prepare failed$", done.stdout, re.MULTILINE)
    assert re.search(r"^ score +skipped: fit was skipped$", done.stdout, re.MULTILINE)
    end = done.stdout[done.stdout.index("artifacts ") :]
    for line in (
        "prepare  result    Failed after ",
        "prepare  reason    AlgorithmError: , exit code: 4\n",
        "prepare  log       why\n",
        "prepare  unmet     status: expected Completed, found Failed (AlgorithmError: , exit code: 4).\n",
        "broken   reason    AlgorithmError: bad row, exit code: 3\n",
    ):
        assert line in end, end
    assert end.endswith("\nfailed    prepare, fit, score\n")

    done = sagemaker_emulator("run", "--port", endpoint.port, "--json", pipeline)
    ends = {Path(one["job_file"]).stem: one for one in json.loads(done.stdout)}
    assert ends["fit"]["passed"] is False
    assert ends["fit"]["unmet"] == ["skipped: prepare failed"]


def test_a_request_that_is_refused_when_its_turn_comes(pipeline: Path, endpoint: Endpoint) -> None:
    processing_job_file(pipeline, "true", name="prepare", ProcessingOutputConfig=output("empty", "features"))

    done = sagemaker_emulator("run", "--port", endpoint.port, pipeline)

    assert done.returncode == 2, done.stdout + done.stderr
    assert re.search(r"^fit +error +\S+/fit.yaml, line \d+: request: .*No S3 objects", done.stdout, re.MULTILINE), done
    assert "broken   passed    Failed, as expected" in done.stdout
    assert re.search(r"^ fit +not run$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("after: [nobody]\n", ", line 3: after[0]: there is no job file called nobody in this run, but broken"),
        ("after: [wrong]\n", ", line 3: after: these jobs wait for each other: wrong after wrong. Remove"),
        (
            "after: [fit]\nrequest: {RoleArn: {Get: Steps.fit.RoleArm}}\n",
            ", line 4: request.RoleArn: DescribeTrainingJobResponse has no RoleArm. Did you mean RoleArn?",
        ),
        ("request: {Role: a}\n", ", line 3: request.Role: CreateTrainingJobRequest has no such member."),
    ],
)
def test_what_is_wrong_in_one_file_is_told_before_any_job_runs(
    pipeline: Path, endpoint: Endpoint, text: str, message: str
) -> None:
    (pipeline / "wrong.yaml").write_text(f"kind: training\nimage: {{name: a}}\n{text}")
    done = sagemaker_emulator("run", "--port", endpoint.port, pipeline)
    assert done.returncode == 2
    assert f"{pipeline}/wrong.yaml{message}" in done.stderr
    assert done.stdout == ""


def test_ctrl_c_stops_all_that_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    job_file(tmp_path, OBEYS, name="first", TrainingJobName="several-interrupted")
    job_file(tmp_path, "true", name="second", after=["first"])
    with started("run", tmp_path) as running:
        read_until(running, "first   log       algo-1 ready")
        running.send_signal(signal.SIGINT)
        written = read_until(running, "failed    first, second")
        assert running.wait(SECONDS) == 1

    assert "second  failed    skipped: interrupted" in written
    assert "first   log       algo-1 asked to stop" in written
    assert "first   unmet     The job was stopped: interrupted." in written
    assert containers_of("several-interrupted") == []


def test_the_live_table(tmp_path: Path, endpoint: Endpoint) -> None:
    end_of_names = uuid.uuid4().hex[:8]
    pipeline = write_pipeline(tmp_path, waiting=end_of_names)
    with typed_into("run", "--port", endpoint.port, pipeline, TERM="xterm-256color") as terminal:
        see(terminal, r"fit +training +waits for prepare")
        see(terminal, r"prepare +processing +InProgress: Its containers run +\d+\.\d")
        see(terminal, r"broken +training +Failed, as expected +\d+\.\d")
        go(f"prepare-{end_of_names}")
        see(terminal, r"fit +training +Training: Training image download completed")
        go(f"fit-{end_of_names}")
        assert exit_code(terminal) == 0, written(terminal)

    assert "\x1b[" in written(terminal)
    text = without_colors(written(terminal))
    assert re.search(r"job +kind +status +seconds", text), text
    end = text[text.rindex("artifacts") :]
    assert re.search(r"fit +Completed +\d+\.\d +model: 1 file, \d+ bytes +acc = 0.42", end)
    assert re.search(r"broken +reason +AlgorithmError: bad row, exit code: 3", end)
    assert "passed    3 jobs" in end
