"""The sample pipeline, run once by its job files as its users run it, and what it leaves in S3."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.cli.commands import environment, sagemaker_emulator
from tests.jobs import Clients
from tests.tracked import charts_of, curve, runs_of

# The first of these tests waits for the images and for all jobs.
pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("ctr-pipeline"), pytest.mark.timeout(900)]

SAMPLE = Path(__file__).parents[2] / "sample_jobs/ctr_pipeline"
DATA = SAMPLE / "data"
SECONDS = 120
PIPELINE_SECONDS = 600
HOSTS = ("algo-1", "algo-2")
SPLITS = ("train", "validation", "evaluation")
EPOCH_METRICS = ("train:logloss", "train:auc", "validation:logloss", "validation:auc")


@dataclass(frozen=True)
class Pipeline:
    """What `run --json` said of each job, by the name of its file, and the state that it left."""

    exit_code: int
    jobs: dict[str, dict[str, Any]]
    state: Path

    def files(self, job: str) -> dict[str, list[str]]:
        """Return the files of a job's artifacts by name."""
        return {one["name"]: sorted(one["files"]) for one in self.jobs[job]["artifacts"]}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    if not (DATA / "raw").is_dir():
        pytest.fail(f"There is no {DATA}. Make it: make prepare-pipeline", pytrace=False)
    state = tmp_path_factory.mktemp("pipeline") / "state"
    done = sagemaker_emulator("run", "--json", "--state-dir", state, SAMPLE / "jobs", seconds=PIPELINE_SECONDS)
    assert done.stdout, done.stderr
    return Pipeline(done.returncode, {Path(one["job_file"]).stem: one for one in json.loads(done.stdout)}, state)


@pytest.fixture
def opened(pipeline: Pipeline) -> Iterator[Endpoint]:
    """An endpoint with what the pipeline has left."""
    with Endpoint(Settings(port=0, engine="docker", state_dir=pipeline.state)) as opened:
        yield opened


@pytest.fixture
def s3(opened: Endpoint) -> Any:
    return Clients(opened.url).s3


def rows(s3: Any, key: str) -> list[dict[str, str]]:
    content = gzip.decompress(s3.get_object(Bucket="ctr", Key=key)["Body"].read()).decode()
    return list(csv.DictReader(io.StringIO(content)))


def docker(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *command], capture_output=True, text=True, timeout=SECONDS, check=False)


def test_every_job_meets_its_job_file(pipeline: Pipeline) -> None:
    unmet = {name: one["unmet"] for name, one in pipeline.jobs.items()}
    assert unmet == {"dirty_day": [], "preprocess": [], "train": [], "evaluate": [], "predict": []}
    assert pipeline.exit_code == 0


def test_the_model_is_good_also_on_a_day_that_it_has_not_seen(pipeline: Pipeline) -> None:
    assert pipeline.jobs["train"]["metrics"]["validation:auc"] > 0.75
    assert pipeline.jobs["evaluate"]["metrics"]["evaluation:auc"] > 0.75
    assert pipeline.files("train") == {"model": ["model.joblib"]}
    assert pipeline.files("evaluate") == {"model": ["evaluation.json"], "output": ["evaluation.json"]}


def test_two_hosts_make_features_of_their_shares(pipeline: Pipeline, s3: Any) -> None:
    parts = [f"part-{host}.csv.gz" for host in HOSTS]
    assert pipeline.files("preprocess") == {**dict.fromkeys(SPLITS, parts), "report": ["quality.json"]}

    report = json.loads(s3.get_object(Bucket="ctr", Key="features/report/quality.json")["Body"].read())
    made = [row for split in SPLITS for part in parts for row in rows(s3, f"features/{split}/{part}")]
    assert report["files"] == 20
    assert report["rows"] > 200_000
    assert len(made) == report["rows"] - sum(report["rejected"].values())
    assert len({row["impression_id"] for row in made}) == len(made)
    assert pipeline.jobs["preprocess"]["exit_message"].startswith(f"{report['rows']} rows of 20 files, ")


def test_a_dirty_day_fails_and_says_why(pipeline: Pipeline) -> None:
    dirty = pipeline.jobs["dirty_day"]
    assert dirty["processing_job_status"] == "Failed"
    assert dirty["exit_message"].startswith(
        "day=2026-03-06/beta-1.jsonl.gz: 39.9% of its 2502 rows are rejected, 5% may be: "
    )
    assert "bid_price is not a positive number (29.9%), timestamp is not like" in dirty["exit_message"]
    assert dirty["failure_reason"] == f"AlgorithmError: {dirty['exit_message'].strip()}, exit code: 1"
    assert pipeline.files("dirty_day") == {"evaluation": []}


def test_two_hosts_score_a_batch(pipeline: Pipeline, s3: Any) -> None:
    parts = pipeline.files("predict")["scores"]
    assert parts == [f"day=2026-03-06/{name}.csv.gz" for name in ("alpha-0", "alpha-1", "beta-0", "beta-1")]
    scored = [row for part in parts for row in rows(s3, f"scores/{part}")]
    scores = {row["impression_id"]: float(row["click_probability"]) for row in scored}
    assert len(scores) > 9_500
    assert all(0 < score < 1 for score in scores.values())
    assert 0.05 < sum(scores.values()) / len(scores) < 0.1


def test_the_pipeline_is_tracked(pipeline: Pipeline, opened: Endpoint) -> None:
    aws = Clients(opened.url)
    runs = {run.display_name: run for run in runs_of(aws, "ctr-job-files")}
    assert set(runs) == {"dirty-day", "preprocess", "train", "evaluate", "predict"}
    assert runs["dirty-day"].status == "Failed"
    assert runs["preprocess"].status == "Completed"

    train = runs["train"]
    assert {"epochs": 12.0, "learning-rate": 0.01, "hash-bits": 18.0}.items() <= train.parameters.items()
    assert train.parameters["train_impressions"] > 100_000
    curves = {name: curve(opened.url, train.arn, name) for name in EPOCH_METRICS}
    assert [len(values) for values in curves.values()] == [12] * 4
    assert curves["train:logloss"] == sorted(curves["train:logloss"], reverse=True)
    assert curves["validation:auc"][-1] == pytest.approx(pipeline.jobs["train"]["metrics"]["validation:auc"])
    assert len(curve(opened.url, train.arn, "train:progressive_logloss")) > 100


def test_the_charts_are_as_the_sdk_writes_them(pipeline: Pipeline, opened: Endpoint) -> None:
    aws = Clients(opened.url)
    runs = {run.display_name: run for run in runs_of(aws, "ctr-job-files")}
    measured = {"train": "validation:auc", "evaluate": "evaluation:auc"}
    for name, metric in measured.items():
        found = charts_of(aws, runs[name].arn)
        assert set(found) == {"ConfusionMatrix", "ROCCurve", "PrecisionRecallCurve"}
        (not_clicked, clicked) = found["ConfusionMatrix"]["confusionMatrix"]
        assert not_clicked[0] > not_clicked[1] > 0
        assert clicked[1] > 0
        roc = found["ROCCurve"]
        assert roc["areaUnderCurve"] == pytest.approx(pipeline.jobs[name]["metrics"][metric], abs=1e-3)
        for values in (roc["falsePositiveRate"], roc["truePositiveRate"]):
            assert (values[0], values[-1]) == (0, 1)
            assert values == sorted(values)
        assert len(found["PrecisionRecallCurve"]["precision"]) == len(found["PrecisionRecallCurve"]["recall"]) > 100


def test_three_runs_are_compared(pipeline: Pipeline, opened: Endpoint) -> None:
    done = subprocess.run(
        [sys.executable, str(SAMPLE / "compare_runs.py"), pipeline.jobs["train"]["training_job_name"]],
        env=environment(
            AWS_ENDPOINT_URL=opened.url,
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
        ),
        capture_output=True,
        text=True,
        timeout=PIPELINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    command = done.stdout.splitlines()[-1].split()
    names = command[command.index("--changed") + 1 :]
    assert [name.rpartition("-")[2] for name in names] == ["slow", "fast", "narrow"]

    compared = sagemaker_emulator(*command[1:4], "--port", opened.port, *names)
    assert compared.returncode == 0, compared.stderr
    changed = [line.split()[1] for line in compared.stdout.splitlines() if line.startswith("*")]
    assert {"learning-rate", "hash-bits"} <= set(changed)
    assert "epochs" not in changed
    assert "train:progressive_logloss" in compared.stdout


def test_a_model_that_is_not_good_enough_is_not_kept(pipeline: Pipeline, tmp_path: Path) -> None:
    document = yaml.safe_load((SAMPLE / "jobs/train.yaml").read_text())
    del document["after"]  # the features are there
    del document["program"]
    document["image"]["build"] = str(SAMPLE)
    document["request"] |= {"HyperParameters": {"epochs": "1"}, "Environment": {"MINIMUM_AUC": "0.99"}}
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(document))

    done = sagemaker_emulator("run", "--json", "--state-dir", pipeline.state, tmp_path / "train.yaml")

    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    assert result["artifacts"] == []
    assert result["failure_reason"].startswith("AlgorithmError: validation:auc is 0.7")
    assert "and MINIMUM_AUC asks for 0.99: the model is not kept" in result["failure_reason"]


def test_the_programs_own_tests_pass_in_the_image(pipeline: Pipeline) -> None:
    mount = f"--volume={SAMPLE / 'tests'}:/tests:ro"
    command = ("python3", "-B", "-m", "unittest", "discover", "/tests")
    done = docker("run", "--rm", "--network=none", mount, pipeline.jobs["preprocess"]["image"], *command)
    assert done.returncode == 0, done.stderr


def test_the_generator_makes_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        command = [sys.executable, str(SAMPLE / "generate.py"), f"--folder={tmp_path / name}", "--rows-per-file=40"]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").glob("**/*.gz"))
    assert len(files) == 28
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)
