"""The sample pipeline as its users' clients run it: a script with either SDK, and a DAG in a real Airflow."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.dag_runs import Airflow, DagRun
from tests.clients.programs import REPOSITORY, Finished, Programs, Server, built
from tests.jobs import Clients
from tests.tracked import charts_of, curve, runs_of

# The scripts and the DAGs go side by side, each of four jobs or more; the first test waits for the images too.
pytestmark = [
    pytest.mark.clients,
    pytest.mark.docker,
    pytest.mark.xdist_group("clients-airflow"),  # whose Airflow it uses
    pytest.mark.timeout(900),
]

SAMPLE = REPOSITORY / "sample_jobs/ctr_pipeline"
ROWS = 3000
"""Of each of a day's files; there are 10,000 in the sample."""
BUCKET = "ctr-airflow"
DAY, DIRTY_DAY = "2026-03-05", "2026-03-06"
LOWEST_AUC = 0.75
SCORES = [f"day=2026-03-06/{exchange}-{number}.csv.gz" for exchange in ("alpha", "beta") for number in (0, 1)]


@dataclass(frozen=True)
class Runs:
    """Every run, started; a test waits for the one that it is about."""

    scripts: dict[str, Future[Finished]]
    dag: DagRun
    dirty_dag: DagRun


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with less data: this is about its clients, and three times all of it is minutes of computing."""
    folder = tmp_path_factory.mktemp("sample")
    for script in SAMPLE.glob("run_sdk_*.py"):
        shutil.copy(script, folder)
    shutil.copytree(SAMPLE / "program", folder / "program")
    command = [
        sys.executable,
        str(SAMPLE / "generate.py"),
        "--folder",
        str(folder / "data"),
        "--rows-per-file",
        str(ROWS),
    ]
    subprocess.run(command, check=True, timeout=300)
    return folder


@pytest.fixture(scope="module")
def runs(sample: Path, programs: Programs, airflow: Airflow, aws: Clients) -> Runs:
    data = sample / "data"
    images = {kind: built(f"ctr-{kind}", SAMPLE, "--target", kind) for kind in ("processing", "training")}
    variables = {
        "ctr_bucket": BUCKET,
        "ctr_processing_image": images["processing"],
        "ctr_training_image": images["training"],
        "sagemaker_role": "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
    }
    airflow.set_variables(variables)
    aws.s3.create_bucket(Bucket=BUCKET)
    for folder in ("raw", "dirty", "batch"):
        for path in (data / folder).rglob("*.gz"):
            aws.s3.upload_file(str(path), BUCKET, f"ctr/{path.relative_to(data)}")
    return Runs(
        scripts={
            version: programs.fork(
                f"sdk-{version}",
                str(sample / f"run_sdk_{version}.py"),
                PROCESSING_IMAGE=images["processing"],
                TRAINING_IMAGE=images["training"],
            )
            for version in ("v2", "v3")
        },
        dag=airflow.run("environment", "ctr_pipeline", {}, day=DAY),
        dirty_dag=airflow.run("environment", "ctr_pipeline", {"raw": "dirty"}, day=DIRTY_DAY),
    )


def keys(aws: Clients, bucket: str, prefix: str) -> list[str]:
    found = aws.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [one["Key"].removeprefix(prefix) for one in found]


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_a_script_with_the_sdk(runs: Runs, version: str, aws: Clients) -> None:
    """It asserts by itself that the model is good on a day that it has not seen."""
    finished = runs.scripts[version].result().succeeded()
    assert finished.stdout.rstrip().splitlines()[-1].split("scores: ")[1].split() == [
        f"ctr/scores/{name}" for name in SCORES
    ]
    assert keys(aws, "sagemaker-us-east-1-123456789012", "ctr/scores/") == SCORES


def test_the_run_of_a_script_has_what_its_jobs_have(runs: Runs, server: Server, aws: Clients) -> None:
    """SDK V2: the jobs are started inside of a `Run`, and their programs log to it."""
    printed = runs.scripts["v2"].result().succeeded().lines
    (row,) = [line.split() for line in printed if line.split()[:1] and line.split()[0].startswith("ctr-sdk-v2-")]
    assert [float(value) >= LOWEST_AUC for value in row[1:]] == [True, True]

    (run,) = [one for one in runs_of(aws, "Default-Run-Group-ctr") if one.name == row[0]]
    assert run.status == "Completed"
    assert {"day": DAY, "epochs": 12.0, "hash-bits": 18.0}.items() <= run.parameters.items()
    assert 0 < run.parameters["threshold"] < 1
    for metric in ("train:logloss", "validation:auc", "train:progressive_logloss"):
        assert len(curve(server.url, run.arn, metric)) > 10
    assert set(charts_of(aws, run.arn)) == {"ConfusionMatrix", "ROCCurve", "PrecisionRecallCurve"}


def test_the_third_sdk_puts_its_jobs_into_the_run_s_trial(runs: Runs, server: Server, aws: Clients) -> None:
    runs.scripts["v3"].result().succeeded()
    # Its training jobs have no ExperimentConfig, so they are those whose names are not the other SDK's.
    found = [one for one in runs_of(aws, "Default-Run-Group-ctr") if "learning-rate" in one.parameters]
    trained = [one for one in found if re.fullmatch(r"ctr-train-[0-9]{14}-aws-training-job", one.name)]
    assert len(trained) == 1
    assert len(curve(server.url, trained[0].arn, "validation:auc")) > 10
    assert "ROCCurve" in charts_of(aws, trained[0].arn)


def test_the_dag_is_green_and_leaves_a_good_model_and_scores(runs: Runs, aws: Clients) -> None:
    assert set(runs.dag.green().states) == {"track", "preprocess", "train", "evaluate", "predict"}
    stamp = DAY.replace("-", "") + "T000000"
    evaluated = aws.sagemaker.describe_training_job(TrainingJobName=f"ctr-evaluate-{stamp}")
    metrics = {one["MetricName"]: one["Value"] for one in evaluated["FinalMetricDataList"]}
    assert metrics["evaluation:auc"] >= LOWEST_AUC
    assert keys(aws, BUCKET, f"ctr/runs/{stamp}/scores/") == SCORES
    tracked = {one.display_name: one for one in runs_of(aws, f"ctr-{stamp}")}
    assert set(tracked) == {"preprocess", "train", "evaluate", "predict"}
    assert "ROCCurve" in charts_of(aws, tracked["evaluate"].arn)


def test_the_same_dag_on_a_dirty_day_is_red_and_tells_the_container_s_own_reason(runs: Runs, aws: Clients) -> None:
    assert runs.dirty_dag.red().states == {
        "track": "success",
        "preprocess": "failed",
        "train": "upstream_failed",
        "evaluate": "upstream_failed",
        "predict": "upstream_failed",
    }
    name = f"ctr-preprocess-{DIRTY_DAY.replace('-', '')}T000000"
    reason = aws.sagemaker.describe_processing_job(ProcessingJobName=name)["FailureReason"]
    assert "day=2026-03-06" in reason
    assert reason.splitlines()[0] in runs.dirty_dag.log("preprocess")
