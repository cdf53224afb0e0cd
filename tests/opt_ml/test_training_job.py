"""Training jobs in the test's own process: what the function finds, and what becomes of what it leaves."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import UsageError
from emulator.opt_ml.opt_ml import OptMl
from emulator.testing.results import JobEndError

MODEL = Path("/opt/ml/model")
INPUT = Path("/opt/ml/input")


def write_seen() -> None:
    """Leave what a container finds as its model."""
    tree = sorted(str(path) for path in Path("/opt/ml").rglob("*"))
    configs = {path.name: json.loads(path.read_text()) for path in (INPUT / "config").iterdir()}
    seen = {"tree": tree, "configs": configs, "env": dict(os.environ), "argv": sys.argv, "cwd": str(Path.cwd())}
    (MODEL / "seen.json").write_text(json.dumps(seen))


def seen_by(job: Any, **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = job.run(write_seen, **how).model.load("seen.json")
    return found


def test_the_tree_and_the_files_are_the_contracts(opt_ml: OptMl) -> None:
    seen = seen_by(opt_ml.training_job(channels={"train": {"a/b.csv": "1\n"}}, hyperparameters={"n": 3}))
    assert seen["tree"] == [
        "/opt/ml/code",
        "/opt/ml/input",
        "/opt/ml/input/config",
        "/opt/ml/input/config/hyperparameters.json",
        "/opt/ml/input/config/init-config.json",
        "/opt/ml/input/config/inputdataconfig.json",
        "/opt/ml/input/config/metric-definition-regex.json",
        "/opt/ml/input/config/resourceconfig.json",
        "/opt/ml/input/data",
        "/opt/ml/input/data/train",
        "/opt/ml/input/data/train-manifest",
        "/opt/ml/input/data/train/a",
        "/opt/ml/input/data/train/a/b.csv",
        "/opt/ml/model",
        "/opt/ml/output",
        "/opt/ml/output/data",
        "/opt/ml/output/metrics",
        "/opt/ml/output/metrics/sagemaker",
        "/opt/ml/output/profiler",
    ]
    assert seen["configs"]["hyperparameters.json"] == {"n": "3"}
    assert seen["configs"]["resourceconfig.json"]["hosts"] == ["algo-1"]
    assert seen["cwd"] == "/opt/ml/code"
    assert seen["argv"] == ["train", "-n", "3"]


def test_the_environment_is_the_containers_and_clean(opt_ml: OptMl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_DEVELOPER", "1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    environment = seen_by(opt_ml.training_job(name="My-Job", environment={"MINE": "2"}))["env"]
    assert "OF_THE_DEVELOPER" not in environment
    assert environment["MINE"] == "2"
    assert environment["TRAINING_JOB_NAME"] == "My-Job"
    assert environment["SM_MODEL_DIR"] == "/opt/ml/model"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9", "nothing can reach AWS"
    assert json.loads(environment["SM_TRAINING_ENV"])["job_name"] == "My-Job"


def test_an_image_without_the_toolkit_has_none_of_its_variables(opt_ml: OptMl) -> None:
    seen = seen_by(opt_ml.training_job(toolkit=False, hyperparameters={"n": 3}, arguments=["--fast", "1"]))
    assert not [name for name in seen["env"] if name.startswith("SM_")]
    assert seen["argv"] == ["train", "--fast", "1"]
    assert seen["cwd"] == "/"
    assert seen_by(opt_ml.training_job(toolkit=False))["argv"] == ["train"]


@pytest.mark.parametrize("on_disk", [False, True])
def test_everything_is_put_back(opt_ml: OptMl, on_disk: bool) -> None:
    def disturb() -> None:
        os.environ["LEFT"] = "1"
        os.environ.pop("PATH")
        os.chdir("/")
        sys.argv.append("x")
        logging.basicConfig(level=logging.DEBUG)
        raise RuntimeError("in the middle")

    def state() -> tuple[object, ...]:
        root = logging.getLogger()
        return dict(os.environ), Path.cwd(), sys.argv[:], sys.stdout, root.handlers[:], root.level, open, os, __import__

    before = state()
    opt_ml.training_job(expect="Failed").run(disturb, on_disk=on_disk)
    assert state() == before
    assert not Path("/opt/ml/model").exists()


def leave() -> None:
    (MODEL / "a").mkdir()
    (MODEL / "a/file.txt").write_text("text")
    (MODEL / "run.sh").write_text("#!/bin/sh\n")
    (MODEL / "run.sh").chmod(0o755)
    (MODEL / "link").symlink_to("a/file.txt")
    Path("/opt/ml/output/data/report.json").write_text('{"auc": 0.5}')
    Path("/opt/ml/output/elsewhere").write_text("not uploaded")


def test_the_artifacts_are_those_of_the_service(opt_ml: OptMl, tmp_path: Path) -> None:
    result = opt_ml.training_job().run(leave)
    assert result.model.names == ("a/file.txt", "link", "run.sh")
    assert result.output.names == ("report.json",)
    assert result.output.load("report.json") == {"auc": 0.5}
    assert result.model.read_text("a/file.txt") == "text"
    folder = result.model.extract(tmp_path / "model")
    assert os.access(folder / "run.sh", os.X_OK)
    assert (folder / "link").read_text() == "text"
    with pytest.raises(FileNotFoundError, match=r"There is no b in model\.tar\.gz of .*There is: a/file\.txt, link"):
        result.model.open("b")
    description = result.describe()
    assert description["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"/{result.name}/output/model.tar.gz")
    assert [one["Status"] for one in description["SecondaryStatusTransitions"]] == [
        "Starting",
        "Pending",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert set(result.timings) == {"Starting", "Pending", "Downloading", "Training", "Uploading", "total"}


def test_a_job_that_leaves_nothing_has_no_archive(opt_ml: OptMl) -> None:
    result = opt_ml.training_job().run(lambda: None)
    assert not result.model
    assert result.model.names == ()


# How it ends


@pytest.mark.parametrize(
    ("code", "exit_code", "reason"),
    [
        (0, 0, ""),
        (None, 0, ""),
        (3, 3, "AlgorithmError: , exit code: 3"),
        (-1, 255, "AlgorithmError: , exit code: 255"),
        ("gone wrong", 1, "AlgorithmError: , exit code: 1"),
    ],
)
def test_an_exit_is_that_of_a_process(opt_ml: OptMl, code: Any, exit_code: int, reason: str) -> None:
    result = opt_ml.training_job(expect=None).run(lambda: sys.exit(code))
    assert (result.exit_code, result.failure_reason) == (exit_code, reason)
    assert result.status == ("Failed" if exit_code else "Completed")
    assert result.logs.lines == (("gone wrong",) if isinstance(code, str) else ())


def fail(text: str = "") -> None:
    print("before")
    (MODEL / "checkpoint").write_text("1")
    if text:
        Path("/opt/ml/output/failure").write_text(text)
    raise ValueError("no such column")


def test_an_exception_fails_the_job_and_its_artifacts_are_kept(opt_ml: OptMl) -> None:
    result = opt_ml.training_job(expect="Failed").run(fail)
    assert (result.exit_code, result.failure_reason) == (1, "AlgorithmError: , exit code: 1")
    assert result.logs.lines[:2] == ("before", "Traceback (most recent call last):")
    assert result.logs.lines[2].endswith("in fail"), "the traceback begins with the user's code"
    assert result.logs.lines[-1] == "ValueError: no such column"
    assert isinstance(result.exception, ValueError)
    assert "checkpoint" in result.model


def test_the_failure_file_is_the_reason(opt_ml: OptMl) -> None:
    result = opt_ml.training_job(expect="Failed").run(fail, text="x" * 2000)
    assert len(result.failure_reason) == 1024
    assert result.failure_reason.startswith("AlgorithmError: xxx")
    assert result.failure_reason.endswith("x, exit code: 1")


def test_an_end_that_was_not_expected_explains_itself(opt_ml: OptMl) -> None:
    job = opt_ml.training_job()
    with pytest.raises(JobEndError) as caught:
        job.run(fail, "bad data")
    said = str(caught.value)
    assert "is Failed, expected Completed." in said
    assert "FailureReason: AlgorithmError: bad data, exit code: 1" in said
    assert "ValueError: no such column" in said
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(JobEndError, match="is Completed, expected Failed"):
        opt_ml.training_job(expect="Failed").run(lambda: None)


def test_what_is_no_error_of_the_program_goes_through(opt_ml: OptMl) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    before = dict(os.environ)
    with pytest.raises(KeyboardInterrupt):
        opt_ml.training_job().run(interrupt)
    assert dict(os.environ) == before
    assert opt_ml.training_job().run(lambda: None).status == "Completed"


# Logs and metrics


def report() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("training").info("loss=0.5")
    for value in (0.25, 0.125):
        print(f"loss={value}\tstep")
    sys.stderr.write("no newline \u00e9")


def test_the_log_and_its_metrics(opt_ml: OptMl, capsys: pytest.CaptureFixture[str]) -> None:
    result = opt_ml.training_job(metrics={"loss": "loss=([0-9.]+)"}).run(report)
    assert result.logs.lines == ("INFO loss=0.5", "loss=0.25#011step", "loss=0.125#011step", "no newline \u00e9")
    assert result.metrics == {"loss": 0.125}
    assert result.metric_values == {"loss": [0.5, 0.25, 0.125]}
    assert capsys.readouterr().out == "loss=0.25\tstep\nloss=0.125\tstep\n", "pytest shows it too"


# Channels


def test_data_of_every_kind(opt_ml: OptMl, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.bin").write_bytes(b"\0\1")
    (tmp_path / "a.txt").write_text("a")

    def copy_channels() -> None:
        for channel in ("folder", "file", "given"):
            shutil.copytree(INPUT / "data" / channel, MODEL / channel)

    given = {"text": "t", "bytes": b"b", "d/of-disk": tmp_path / "a.txt", "j.json": {"k": [1]}}
    result = opt_ml.training_job(channels={"folder": tmp_path, "file": tmp_path / "a.txt", "given": given}).run(
        copy_channels
    )
    found = {name: result.model.read_bytes(name) for name in result.model}
    assert found == {
        "file/a.txt": b"a",
        "folder/a.txt": b"a",
        "folder/sub/b.bin": b"\0\1",
        "given/bytes": b"b",
        "given/d/of-disk": b"a",
        "given/j.json": b'{"k": [1]}',
        "given/text": b"t",
    }


def test_a_channel_is_writable_and_the_data_stays(opt_ml: OptMl, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")

    def overwrite() -> None:
        (INPUT / "data/train/a.txt").write_text("changed")
        (INPUT / "data/train/new.txt").write_text("new")

    job = opt_ml.training_job(channels={"train": tmp_path})
    for on_disk in (False, False, True):
        job.run(overwrite if not on_disk else (lambda: None), on_disk=on_disk)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.txt", "mine")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("text", "train: str is no data. Give {file name: content}, bytes, a pathlib.Path or a data frame"),
        ({"a": 3}, "train: a: int is no content"),
        (Path("/nowhere/at/all"), "train: there is no file and no directory /nowhere/at/all"),
        ({}, "No S3 objects found under S3 URL"),
    ],
)
def test_what_is_no_data_is_refused(opt_ml: OptMl, data: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        opt_ml.training_job(channels={"train": data})
    assert message in str(caught.value)


def test_an_object_without_a_place_fails_the_job(opt_ml: OptMl) -> None:
    result = opt_ml.training_job(channels={"train": {"a//b": "1"}}, expect="Failed").run(fail)
    assert result.failure_reason.startswith("ClientError: Data download failed:")
    assert result.exit_code is None, "nothing has run"


# Hosts


def shards() -> None:
    host = os.environ["SM_CURRENT_HOST"]
    (MODEL / host).write_text(" ".join(sorted(path.name for path in (INPUT / "data/train").iterdir())))


def test_every_host_runs_and_gets_its_part(opt_ml: OptMl) -> None:
    data = opt_ml.channel(dict.fromkeys("abcde", "1"), distribution="ShardedByS3Key")
    result = opt_ml.training_job(channels={"train": data}, hosts=2).run(shards)
    assert {name: result.model.read_text(name) for name in result.model} == {"algo-1": "a c e", "algo-2": "b d"}
    assert result.exit_codes == {"algo-1": 0, "algo-2": 0}


def test_one_host_of_several(opt_ml: OptMl) -> None:
    job = opt_ml.training_job(hosts=3, current_host="algo-2")
    seen = seen_by(job)
    assert seen["configs"]["resourceconfig.json"]["current_host"] == "algo-2"
    assert json.loads(seen["env"]["SM_HOSTS"]) == ["algo-1", "algo-2", "algo-3"]
    with pytest.raises(UsageError, match="current_host='algo-4': the job's hosts are algo-1, algo-2, algo-3"):
        opt_ml.training_job(hosts=3, current_host="algo-4")


def test_hosts_behind_one_that_fails_do_not_run(opt_ml: OptMl) -> None:
    ran = []

    def first_fails() -> None:
        ran.append(os.environ["SM_CURRENT_HOST"])
        sys.exit(4)

    result = opt_ml.training_job(hosts=3, expect="Failed").run(first_fails)
    assert ran == ["algo-1"]
    assert result.exit_codes == {"algo-1": 4, "algo-2": 143, "algo-3": 143}
    assert result.failure_reason == "AlgorithmError: , exit code: 4"


# Requests


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hyperparameters": {"x" * 300: 1}}, "failed to satisfy constraint"),
        ({"environment": {"a-b": "1"}}, "failed to satisfy constraint"),
        ({"arguments": ["x" * 300]}, "failed to satisfy constraint"),
        ({"metrics": {"loss": "("}}, "Invalid regular expression for the metric 'loss'"),
        ({"hosts": 0}, "InstanceCount is 0"),
        ({"input_mode": "Pipe"}, "Not emulated: AlgorithmSpecification.TrainingInputMode"),
        ({"name": "under_score"}, "failed to satisfy constraint"),
        ({"request": {"CheckpointConfig": {"S3Uri": "s3://b/c"}}}, "Not emulated: CheckpointConfig"),
        ({"expect": "Done"}, "expect='Done'"),
    ],
)
def test_what_the_service_refuses_is_refused(opt_ml: OptMl, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        opt_ml.training_job(**changes)
    assert message in str(caught.value)


def test_members_of_the_request_win(opt_ml: OptMl) -> None:
    groups = [
        {"InstanceGroupName": "cpu", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
        {"InstanceGroupName": "gpu", "InstanceType": "ml.p3.2xlarge", "InstanceCount": 1},
    ]
    resources = {"InstanceGroups": groups, "InstanceType": None, "InstanceCount": None}
    seen = seen_by(opt_ml.training_job(request={"ResourceConfig": resources}, current_host="algo-2"))
    assert seen["env"]["SM_CURRENT_INSTANCE_TYPE"] == "ml.p3.2xlarge"
    assert seen["env"]["SM_IS_HETERO"] == "true"


def test_data_that_was_put_is_found_by_its_uri(opt_ml: OptMl) -> None:
    opt_ml.put("s3://data/raw", {"a.csv": "1\n"})
    job = opt_ml.training_job(channels={"train": "s3://data/raw/"})
    assert "/opt/ml/input/data/train/a.csv" in seen_by(job)["tree"]


def test_the_view_is_what_the_program_found(opt_ml: OptMl) -> None:
    job = opt_ml.training_job(channels={"train": {"a.csv": "1\n"}}, hyperparameters={"n": 3})
    result = job.run(write_seen)
    view, seen = result.container_view, result.model.load("seen.json")
    assert view.command == ("train", "-n", "3")
    assert view.environment.items() <= seen["env"].items()
    assert set(view.tree) <= set(seen["tree"])
    assert "/opt/ml/input/data/train/a.csv" in view.tree
    assert view.texts["/opt/ml/input/config/hyperparameters.json"] == '{"n":"3"}'


# A real directory


def test_on_the_disk_the_variables_lead_to_a_directory(opt_ml: OptMl) -> None:
    def on_disk() -> None:
        channel = os.environ["SM_CHANNEL_TRAIN"]
        assert os.environ["SAGEMAKER_BASE_DIR"] in channel
        os.system(f"cp {channel}/a.txt $SM_MODEL_DIR/copied.txt")  # another process sees it

    result = opt_ml.training_job(channels={"train": {"a.txt": "seen"}}).run(on_disk, on_disk=True)
    assert result.model.read_text("copied.txt") == "seen"
