"""The sample pipeline in its images: training jobs on the emulator, processing containers started as SageMaker does."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.config import Settings
from emulator.endpoint import Endpoint
from emulator.jobfiles.document import ImageBuild
from emulator.jobfiles.images import ensure_image, image_tag
from tests.cli.commands import sagemaker_emulator
from tests.jobs import Clients

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("ctr-pipeline")]

SAMPLE = Path(__file__).parents[2] / "sample_jobs/ctr_pipeline"
DATA = SAMPLE / "data"
HOSTS = ("algo-1", "algo-2")
SECONDS = 120
SPLITS = ("train", "validation", "evaluation")


@dataclass(frozen=True)
class Host:
    """What a container of a processing job left."""

    exit_code: int
    log: str
    root: Path

    @property
    def message(self) -> str | None:
        path = self.root / "output/message"
        return path.read_text() if path.exists() else None

    def outputs(self, name: str) -> list[str]:
        folder = self.root / "processing/output" / name
        return sorted(path.relative_to(folder).as_posix() for path in folder.glob("**/*") if path.is_file())


def docker(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *command], capture_output=True, text=True, timeout=SECONDS, check=False)


def image(target: str) -> str:
    """Return the image that the job files name, built when it is first asked for."""
    build = ImageBuild(context=SAMPLE, target=target)
    tag = image_tag(build)
    ensure_image(build, tag, lambda _: None)
    return tag


def run_hosts(folder: Path, sharded: Mapping[str, Path], replicated: Mapping[str, Path], *command: str) -> list[Host]:
    """Run a processing program on two hosts, each with its share of the sharded inputs."""
    network = f"sagemaker-emulator-test-{uuid.uuid4().hex[:8]}"
    program = image("processing")
    made = docker("network", "create", network)
    assert made.returncode == 0, made.stderr

    def run_host(number: int) -> Host:
        host, root = HOSTS[number], folder / HOSTS[number]
        for part in ("config", "output", "processing/output"):
            (root / part).mkdir(parents=True)
        (root / "config/resourceconfig.json").write_text(json.dumps({"current_host": host, "hosts": HOSTS}))
        for name, source in sharded.items():
            files = sorted(path for path in source.glob("**/*.gz"))
            copy(files[number :: len(HOSTS)], source, root / "processing/input" / name)
        for name, source in replicated.items():
            copy([source], source.parent, root / "processing/input" / name)
        mounts = [f"--volume={root / part}:/opt/ml/{part}" for part in ("config", "output", "processing")]
        names = [f"--network={network}", f"--network-alias={host}", f"--user={os.getuid()}:{os.getgid()}"]
        done = docker("run", "--rm", *names, *mounts, program, *command)
        return Host(exit_code=done.returncode, log=done.stdout + done.stderr, root=root)

    try:
        with ThreadPoolExecutor(len(HOSTS)) as pool:
            return list(pool.map(run_host, range(len(HOSTS))))
    finally:
        docker("network", "rm", network)


def copy(files: list[Path], source: Path, target: Path) -> None:
    for file in files:
        path = target / file.relative_to(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, path)


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", autouse=True)
def data() -> None:
    if not (DATA / "raw").is_dir():
        pytest.fail(f"There is no {DATA}. Make it: make prepare-pipeline", pytrace=False)


@pytest.fixture(scope="module")
def preprocessed(tmp_path_factory: pytest.TempPathFactory) -> list[Host]:
    command = ("python3", "/opt/program/preprocess.py", "--day", "2026-03-05")
    return run_hosts(tmp_path_factory.mktemp("preprocess"), {"raw": DATA / "raw"}, {}, *command)


@pytest.fixture(scope="module")
def features(preprocessed: list[Host], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all hosts uploaded to one prefix."""
    folder = tmp_path_factory.mktemp("features")
    for host in preprocessed:
        shutil.copytree(host.root / "processing/output", folder, dirs_exist_ok=True)
    return folder


class TrainingJobs:
    """Runs the pipeline's training jobs by their job files, with what other jobs would have made as local data."""

    def __init__(self, folder: Path, data: Mapping[str, Path]) -> None:
        self._folder = folder
        self._data = dict(data)
        self.state = folder / "state"
        self.model = ""

    def run(self, name: str, **changes: Any) -> tuple[int, dict[str, Any]]:
        document = yaml.safe_load((SAMPLE / f"jobs/{name}.yaml").read_text())
        del document["after"]
        document["image"]["build"] = str(SAMPLE)
        document["data"] = {uri: str(path) for uri, path in self._data.items()}
        document["request"] |= changes
        for channel in document["request"]["InputDataConfig"]:
            source = channel["DataSource"]["S3DataSource"]
            if source["S3Uri"] == {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}:
                source["S3Uri"] = self.model
        path = self._folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(document))
        done = sagemaker_emulator("run", "--json", "--state-dir", self.state, path)
        assert done.returncode in (0, 1), done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        if name == "train" and done.returncode == 0:
            self.model = next(one["uri"] for one in result["artifacts"] if one["uri"].endswith("model.tar.gz"))
        return done.returncode, result


@pytest.fixture(scope="module")
def training(features: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingJobs:
    image("training")  # so that no job's time limit has to do for the build too
    return TrainingJobs(tmp_path_factory.mktemp("training"), {"s3://ctr/features/": features})


@pytest.fixture(scope="module")
def trained(training: TrainingJobs) -> dict[str, Any]:
    exit_code, result = training.run("train")
    assert exit_code == 0, result["unmet"]
    return result


@pytest.fixture(scope="module")
def model(training: TrainingJobs, trained: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model.tar.gz that the training job put into S3."""
    bucket, _, key = training.model.removeprefix("s3://").partition("/")
    path = tmp_path_factory.mktemp("model") / "model.tar.gz"
    with Endpoint(Settings(port=0, engine="docker", state_dir=training.state)) as endpoint:
        Clients(endpoint.url).s3.download_file(bucket, key, str(path))
    return path


def test_the_programs_own_tests_pass_in_the_image() -> None:
    mount = f"--volume={SAMPLE / 'tests'}:/tests:ro"
    command = ("python3", "-B", "-m", "unittest", "discover", "/tests")
    done = docker("run", "--rm", "--network=none", mount, image("processing"), *command)
    assert done.returncode == 0, done.stderr


def test_the_generator_makes_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        command = [sys.executable, str(SAMPLE / "generate.py"), f"--folder={tmp_path / name}", "--rows-per-file=40"]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").glob("**/*.gz"))
    assert len(files) == 28
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)


def test_two_hosts_make_features_of_their_shares(preprocessed: list[Host], features: Path) -> None:
    assert [host.exit_code for host in preprocessed] == [0, 0], preprocessed
    for host, name in zip(preprocessed, HOSTS, strict=True):
        assert [host.outputs(split) for split in SPLITS] == [[f"part-{name}.csv.gz"]] * 3
    assert [host.outputs("report") for host in preprocessed] == [["quality.json"], []]

    report = json.loads((features / "report/quality.json").read_text())
    made = [row for split in SPLITS for part in (features / split).iterdir() for row in rows(part)]
    assert report["files"] == 20
    assert report["rows"] > 200_000
    assert len(made) == report["rows"] - sum(report["rejected"].values())
    assert len({row["impression_id"] for row in made}) == len(made)
    assert [host.message is None for host in preprocessed] == [False, True]


def test_a_dirty_day_fails_and_says_why(tmp_path: Path) -> None:
    command = ("python3", "/opt/program/preprocess.py", "--day", "2026-03-06")
    first, second = run_hosts(tmp_path, {"raw": DATA / "dirty"}, {}, *command)

    assert (first.exit_code, second.exit_code) == (1, 0), (first.log, second.log)
    assert first.message is not None
    assert first.message.startswith("day=2026-03-06/beta-1.jsonl.gz: 39.9% of its 2502 rows are rejected, 5% may be: ")
    assert "bid_price is not a positive number (29.9%), timestamp is not like" in first.message
    assert len(first.message.encode()) < 1024
    assert second.message is None
    assert first.outputs(".") == second.outputs(".") == []


def test_training_meets_its_job_file(trained: dict[str, Any]) -> None:
    assert trained["metrics"]["validation:auc"] > 0.75


def test_a_model_that_is_not_good_enough_is_not_kept(training: TrainingJobs) -> None:
    changes = {"HyperParameters": {"epochs": "1"}, "Environment": {"MINIMUM_AUC": "0.99"}}
    exit_code, result = training.run("train", **changes)

    assert exit_code == 1
    assert result["artifacts"] == []
    assert result["failure_reason"].startswith("AlgorithmError: validation:auc is 0.7")
    assert "and MINIMUM_AUC asks for 0.99: the model is not kept" in result["failure_reason"]


def test_evaluation_takes_the_model_as_a_channel(training: TrainingJobs, trained: dict[str, Any]) -> None:
    exit_code, result = training.run("evaluate")

    assert exit_code == 0, result["unmet"]
    assert result["metrics"]["evaluation:auc"] > 0.75
    assert [list(one["files"]) for one in result["artifacts"]] == [["evaluation.json"], ["evaluation.json"]]


def test_two_hosts_score_a_batch(model: Path, tmp_path: Path) -> None:
    hosts = run_hosts(tmp_path, {"batch": DATA / "batch"}, {"model": model}, "python3", "/opt/program/predict.py")

    assert [host.exit_code for host in hosts] == [0, 0], hosts
    day = "day=2026-03-06"
    assert hosts[0].outputs("scores") == [f"{day}/alpha-0.csv.gz", f"{day}/beta-0.csv.gz"]
    assert hosts[1].outputs("scores") == [f"{day}/alpha-1.csv.gz", f"{day}/beta-1.csv.gz"]
    parts = [host.root / "processing/output/scores" / name for host in hosts for name in host.outputs("scores")]
    scores = {row["impression_id"]: float(row["click_probability"]) for part in parts for row in rows(part)}
    assert len(scores) > 9_500
    assert all(0 < score < 1 for score in scores.values())
    assert 0.05 < sum(scores.values()) / len(scores) < 0.1
