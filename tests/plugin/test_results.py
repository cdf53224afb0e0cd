"""What a test can ask of a result."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project

PRELUDE = """
from pathlib import Path
import json
import pytest

IMAGE = Path("training")
"""


@pytest.mark.each_rung
def test_a_training_job_tells_all(project: Project) -> None:
    project.write(
        "test_results.py",
        PRELUDE
        + """
@pytest.fixture(scope="module")
def result(training_job):
    return training_job(IMAGE, program="train.py", channels={"train": {"a.csv": "1,x\\n", "b/c.csv": b"2,y\\n"}},
                        hyperparameters={"epochs": 2}, environment={"STAGE": "test"}, metrics={"rows": "rows=([0-9]+)"})


def test_end(result):
    assert (result.status, result.failure_reason, result.exit_code) == ("Completed", "", 0)
    assert result.has_ended and result.is_as_expected
    assert result.describe()["TrainingJobStatus"] == "Completed"
    assert result.describe()["HyperParameters"] == {"epochs": "2"}
    assert result.metrics == {"rows": 2.0}
    assert result.name in repr(result)


def test_logs(result):
    assert result.logs.lines == ("rows=2", "trained")
    assert result.logs.text == "rows=2\\ntrained" == str(result.logs)
    assert result.logs.hosts == {"algo-1": ("rows=2", "trained")}
    assert [match[1] for match in result.logs.matching("rows=([0-9]+)")] == ["2"]
    assert result.logs.tail(1) == ["trained"]
    assert "trained" in result.logs and "nonsense" not in result.logs and 1 not in result.logs
    assert list(result.logs) == ["rows=2", "trained"] and len(result.logs) == 2


def test_timings(result):
    assert list(result.timings) == ["Starting", "Pending", "Downloading", "Training", "Uploading"]
    assert 0 < result.timings["Training"] <= result.timings.total < 100
    assert sum(result.timings.values()) <= result.timings.total + 0.1


def test_model(result, tmp_path):
    assert result.model.exists and result.model.names == ("model.json",) and list(result.model) == ["model.json"]
    assert "model.json" in result.model and "other" not in result.model
    assert result.model.load("model.json") == {"rows": 2, "epochs": "2"}
    assert result.model.load("model.json", lambda file: file.read(1)) == b"{"
    assert json.loads(result.model.read_text("model.json")) == json.loads(result.model.read_bytes("model.json"))
    with result.model.open("model.json") as file:
        assert json.load(file)["rows"] == 2
    assert sorted(path.name for path in result.model.extract(tmp_path / "m").iterdir()) == ["model.json"]
    assert result.output.read_text("report.txt") == "all good\\n"
    assert result.model.uri.endswith(f"/{result.name}/output/model.tar.gz")
    with pytest.raises(FileNotFoundError, match="There is no x in model.tar.gz of .* There is: model.json."):
        result.model.open("x")
    with pytest.raises(ValueError, match="Give load.. a loader"):
        result.output.load("report.txt")


def test_container_view(result):
    view = result.container_view
    assert view.environment["STAGE"] == "test"
    assert view.environment["TRAINING_JOB_NAME"] == result.name
    assert "/opt/ml/input/data/train/b/c.csv" in view.tree
    assert json.loads(view.texts["/opt/ml/input/config/hyperparameters.json"]) == {"epochs": "2"}
    assert list(view.hosts) == ["algo-1"]
    assert {"/opt/ml/input", "/opt/ml/model"} & {one["target"] for one in view.mounts}
    assert "train.py" in " ".join(view.command)


def test_bundle(result, tmp_path):
    import tarfile
    with tarfile.open(result.bundle(tmp_path)) as archive:
        assert any(name.endswith("describe.json") for name in archive.getnames())
""",
    )
    project.run("test_results.py").was(passed=6)


@pytest.mark.each_rung
def test_a_job_that_failed_early_and_one_of_two_hosts(project: Project) -> None:
    project.write(
        "test_results.py",
        PRELUDE
        + """
def test_failed(training_job):
    result = training_job(IMAGE, program="train.py", channels={"train": b"?"}, expect="Failed")
    assert result.exit_code == 3 and "is no label" in result.failure_reason
    assert not result.output and list(result.output) == []
    with pytest.raises(FileNotFoundError, match="There is: nothing"):
        result.output.open("report.txt")


def test_other_ends_fail(training_job):
    with pytest.raises(AssertionError, match="is Completed, expected Failed"):
        training_job(IMAGE, program="train.py", channels={"train": b"1,x\\n"}, expect="Failed")


def test_two_hosts(training_job):
    result = training_job(IMAGE, program="train.py", channels={"train": b"1,x\\n"}, hosts=2)
    assert set(result.logs.hosts) == {"algo-1", "algo-2"}
    assert result.logs.hosts["algo-2"] == ("rows=1", "trained")
    assert any(line.startswith("algo-2 | ") for line in result.logs.tail(4))
    assert set(result.container_view.hosts) == {"algo-1", "algo-2"}


def test_request_wins(training_job, s3_bucket):
    result = training_job(IMAGE, program="train.py", channels={"train": b"1,x\\n"}, request={
        "OutputDataConfig": {"S3OutputPath": f"s3://{s3_bucket}/here"},
        "ResourceConfig": {"VolumeSizeInGB": 7},
        "Tags": [{"Key": "team", "Value": "a"}],
        "Environment": None,
    }, environment={"GONE": "1"})
    described = result.describe()
    assert result.model.uri == f"s3://{s3_bucket}/here/{result.name}/output/model.tar.gz"
    assert described["ResourceConfig"]["VolumeSizeInGB"] == 7
    assert described["ResourceConfig"]["InstanceType"] == "ml.m5.large"
    assert "Environment" not in described


def test_channels(training_job, s3_bucket, s3_client):
    s3_client.put_object(Bucket=s3_bucket, Key="p/a.csv", Body=b"1,x\\n")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{s3_bucket}/p/"}
    for channel in (f"s3://{s3_bucket}/p/", {"DataSource": {"S3DataSource": source}}, Path("data/train.csv")):
        result = training_job(IMAGE, program="train.py", channels={"train": channel})
        assert "trained" in result.logs


@pytest.mark.parametrize(("arguments", "words"), [
    ({"channels": {"train": "data"}}, "may be a path or a content"),
    ({"channels": {"train": 7}}, "is of type int"),
    ({"channels": {"train": Path("nowhere")}}, "there is no file, and no folder with files"),
    ({"expect": "Done"}, "a job never ends so"),
    ({"image": Path("data")}, "There is no Dockerfile|there is no file"),
    ({"image": None}, "Nothing says which image to run|there is no file"),
])
def test_wrong_arguments(training_job, arguments, words):
    with pytest.raises(Exception, match=words) as raised:
        training_job(**{"image": IMAGE, "program": "train.py", **arguments})
    assert type(raised.value).__name__ == "UsageError"


def test_refused(training_job):
    with pytest.raises(Exception, match="CreateTrainingJob was refused: .*ml.nothing.*instanceType"):
        training_job(IMAGE, program="train.py", instance_type="ml.nothing")


def test_live(processing_job):
    job = processing_job(IMAGE, program=["sh"], wait=False, expect="Stopped",
                         entrypoint=["sh", "-c", "trap 'exit 0' TERM; sleep 60 & wait"])
    assert job.status == "InProgress" and not job.has_ended
    with pytest.raises(RuntimeError, match="has no outputs yet. Call wait"):
        job.outputs
    assert job.stop().wait(200).status == "Stopped"
    assert job.stop() is job, "once more does no harm"
""",
    )
    project.run("test_results.py", "-x").was(passed=13)
