"""`bundle`: one archive with all that is known of a job."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from emulator.endpoint import Endpoint
from tests.cli.commands import sagemaker_emulator
from tests.jobs import ProcessingJobs, TrainingJobs

pytestmark = pytest.mark.docker

WRITES = "echo a line; echo m > /opt/ml/model/m; echo o > /opt/ml/output/data/o"


def content(archive: Path) -> dict[str, bytes]:
    """Return the files of an archive below the folder that all of them are in."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            extracted = tar.extractfile(member)
            assert extracted is not None
            found[member.name] = extracted.read()
    (folder,) = {name.partition("/")[0] for name in found}
    return {name.removeprefix(f"{folder}/"): text for name, text in found.items()}


def test_a_training_job(endpoint: Endpoint, jobs: TrainingJobs, tmp_path: Path) -> None:
    channel = jobs.channel("train", {"/a": b"1", "/deep/b": b"22", "/marker/": b""})
    job = jobs.running(WRITES, HyperParameters={"epochs": "3"}, InputDataConfig=[channel]).ended()
    done = sagemaker_emulator("bundle", "--port", endpoint.port, job.name, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    archive = tmp_path / f"{job.name}.tar.gz"
    found = content(archive)
    assert done.stdout.startswith(f"{archive} (")
    assert done.stdout.endswith(f"): {len(found) - 1} files. The training job {job.name}: Completed\n")
    config = "container/algo-1/opt/ml/input/config"
    assert sorted(name for name in found if not name.startswith("container/")) == [
        "README.md",
        "container-view.json",
        "describe.json",
        "inputs/train/a",
        "inputs/train/deep/b",
        "logs/algo-1.log",
        "outputs/model.tar.gz",
        "outputs/output.tar.gz",
    ]
    assert "container/algo-1/opt/ml/input/data/train-manifest" in found
    assert next(iter(found)) == "README.md"
    assert found["inputs/train/deep/b"] == b"22"
    assert found["logs/algo-1.log"] == b"a line\n"
    assert json.loads(found["describe.json"])["TrainingJobStatus"] == "Completed"
    assert json.loads(found["container-view.json"])["hosts"]["algo-1"]["command"] == ["train"]
    assert json.loads(found[f"{config}/hyperparameters.json"]) == {"epochs": "3"}
    readme = found["README.md"].decode()
    assert readme.startswith(f"# The training job {job.name}: Completed\n")
    assert "Nothing." in readme
    assert all(f"`{name}`" in readme for name in found if name != "README.md")

    again = sagemaker_emulator("bundle", "--port", endpoint.port, job.name, "--output", tmp_path)
    assert again.returncode == 2
    assert "exists" in again.stderr


def test_what_is_left_out_is_said(endpoint: Endpoint, jobs: TrainingJobs, tmp_path: Path) -> None:
    channels = [jobs.channel("large", {"/a": b"1" * 3000}), jobs.channel("gone", {"/b": b"2"})]
    job = jobs.running(WRITES, InputDataConfig=channels).ended()
    gone = channels[1]["DataSource"]["S3DataSource"]["S3Uri"]
    jobs.clients.s3.delete_object(Bucket=jobs.bucket, Key=gone.removeprefix(f"s3://{jobs.bucket}/") + "b")
    target = tmp_path / "it.tgz"
    bundle = ["bundle", "--port", endpoint.port, job.name, "--output"]
    done = sagemaker_emulator(*bundle, target, "--max-size", "2K")
    assert done.returncode == 0, done.stderr
    found = content(target)
    assert "outputs/model.tar.gz" in found
    assert not [name for name in found if name.startswith("inputs/")]
    for text in (done.stderr, found["README.md"].decode()):
        assert "inputs/large/a (3000 bytes" in text
        assert "with it there would be more than 2048 bytes" in text
        assert f"inputs/gone/ ({gone}): no object is there any more" in text
    done = sagemaker_emulator(*bundle, tmp_path, "--no-inputs")
    assert done.stderr.count("inputs were not asked for") == 2
    assert sagemaker_emulator(*bundle, tmp_path / "x", "--max-size", "many").returncode == 2


def test_a_processing_job_of_two_hosts(endpoint: Endpoint, processing: ProcessingJobs, tmp_path: Path) -> None:
    raw = processing.input("raw", {"/a.csv": b"1"})
    job = processing.running(
        "echo here; echo out > /opt/ml/processing/out/$(hostname)",
        hosts=2,
        ProcessingInputs=[raw],
        ProcessingOutputConfig=processing.outputs("out"),
    ).ended()
    processing.clients.s3.put_object(
        Bucket=processing.bucket, Key=raw["S3Input"]["S3Uri"].partition(f"{processing.bucket}/")[2] + "b.csv", Body=b"2"
    )
    done = sagemaker_emulator("bundle", "--port", endpoint.port, job.name, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    found = content(tmp_path / f"{job.name}.tar.gz")
    assert found["logs/algo-1.log"] == found["logs/algo-2.log"] == b"here\n"
    assert sum(name.startswith("outputs/out/") for name in found) == 2
    assert found["inputs/raw/a.csv"] == b"1"
    assert found["container/algo-2/opt/ml/config/resourceconfig.json"]


def test_a_job_that_failed_before_its_containers_started(
    endpoint: Endpoint, jobs: TrainingJobs, tmp_path: Path
) -> None:
    request = jobs.request()
    request["AlgorithmSpecification"]["TrainingImage"] = "no/such-image"
    jobs.clients.sagemaker.create_training_job(**request)
    name = request["TrainingJobName"]
    done = sagemaker_emulator("bundle", "--port", endpoint.port, name, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "container-view.json: the containers had not started." in done.stderr
    assert sorted(content(tmp_path / f"{name}.tar.gz")) == ["README.md", "describe.json"]


def test_a_job_that_is_not_there(endpoint: Endpoint, tmp_path: Path) -> None:
    done = sagemaker_emulator("bundle", "--port", endpoint.port, "no-such-job", "--output", tmp_path)
    assert done.returncode == 1
    assert "There is no job 'no-such-job'" in done.stderr
    assert list(tmp_path.iterdir()) == []
