"""The sample jobs without containers: the same job files, and the same expectations."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.cli.commands import sagemaker_emulator
from tests.jobs import Clients
from tests.tracked import charts_of, curve, runs_of

pytestmark = [pytest.mark.xdist_group("samples-process"), pytest.mark.timeout(900)]

REPOSITORY = Path(__file__).parents[2]
SAMPLES = REPOSITORY / "sample_jobs"
# The first time their packages are installed.
SECONDS = 600


def run(*job_files: Path, options: Sequence[object] = ()) -> subprocess.CompletedProcess[str]:
    return sagemaker_emulator(
        *("run", "--engine", "process", "--json", *options, *job_files),
        seconds=SECONDS,
        XDG_CACHE_HOME=str(REPOSITORY / ".cache"),
    )


def test_the_pipeline_on_two_hosts(tmp_path: Path) -> None:
    data = SAMPLES / "ctr_pipeline/data/raw"
    assert data.is_dir(), f"There is no {data}. Make it: make prepare-pipeline"
    done = run(SAMPLES / "ctr_pipeline/jobs", options=("--state-dir", tmp_path))
    assert done.returncode == 0, done.stderr[-3000:]
    jobs = {Path(one["job_file"]).stem: one for one in json.loads(done.stdout)}
    assert sorted(jobs) == ["dirty_day", "evaluate", "predict", "preprocess", "train"]
    assert jobs["dirty_day"]["processing_job_status"] == "Failed"
    assert jobs["evaluate"]["metrics"]["evaluation:auc"] >= 0.75

    with Endpoint(Settings(port=0, engine="process", state_dir=tmp_path)) as endpoint:
        aws = Clients(endpoint.url)
        (train,) = [one for one in runs_of(aws, "ctr-job-files") if one.display_name == "train"]
        assert len(curve(endpoint.url, train.arn, "train:progressive_logloss")) > 100
        assert set(charts_of(aws, train.arn)) == {"ConfusionMatrix", "ROCCurve", "PrecisionRecallCurve"}


def test_the_training_job(tmp_path: Path) -> None:
    good, bad = (SAMPLES / "iris_training" / name for name in ("job.yaml", "bad_data.yaml"))
    done = run(good, bad)
    assert done.returncode == 0, done.stderr[-3000:]
    report, failed = json.loads(done.stdout)
    assert report["metrics"]["validation:accuracy"] >= 0.9
    assert "iris.csv line 43, column species: the label is missing" in failed["failure_reason"]
