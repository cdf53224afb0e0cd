"""Processing jobs in DAGs that a real Airflow runs: the twin of test_airflow_training.py."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.dag_runs import Airflow, Cue, DagRun
from tests.jobs import Clients

pytestmark = [
    pytest.mark.clients,
    pytest.mark.docker,
    pytest.mark.xdist_group("clients-airflow"),
    pytest.mark.timeout(900),
]

MISSING_PRICE = "AlgorithmError: orders.csv line 2: the price is missing, exit code: 1"


@dataclass(frozen=True)
class Runs:
    """Every run of this module, started; a test waits for the one that it is about."""

    bucket: str
    orders: DagRun
    dirty_orders: DagRun
    names: dict[str, str]
    jobs: dict[str, DagRun]


@pytest.fixture(scope="module")
def runs(airflow: Airflow, image: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Runs:
    bucket = f"airflow-{uuid.uuid4().hex[:8]}"
    behaviour = image("behaviour")

    def orders(name: str, text: str) -> dict[str, str]:
        folder: Path = tmp_path_factory.mktemp("orders")
        (folder / "orders.csv").write_text(text)
        return {"name": name, "orders": str(folder), "image": behaviour, "bucket": bucket}

    names = {found_by: f"{found_by}-{uuid.uuid4().hex[:6]}" for found_by in ("environment", "connection")}

    def jobs(found_by: str) -> DagRun:
        name = names[found_by]
        cues = [
            Cue("seen_to_end", "job currently InProgress", f"{name}-started"),
            Cue("deferred", "Processing job not done yet: InProgress", f"{name}-deferred"),
            Cue("seen_to_fail", "job currently InProgress", f"{name}-doomed"),
            Cue("deferred_in_vain", "Processing job not done yet: InProgress", f"{name}-deferred-in-vain"),
        ]
        return airflow.run(found_by, "processing_jobs", {"name": name, "image": behaviour}, cues=cues)

    return Runs(
        bucket=bucket,
        orders=airflow.run("environment", "processing_orders", orders("clean", "tea,3\ncake,5\n")),
        dirty_orders=airflow.run("exec", "processing_orders", orders("dirty", "tea,3\ncake,\n")),
        names=names,
        jobs={found_by: jobs(found_by) for found_by in names},
    )


def test_a_dag_cleans_data_and_counts_what_is_left(runs: Runs, aws: Clients) -> None:
    runs.orders.green()
    cleaned = aws.s3.get_object(Bucket=runs.bucket, Key="clean/clean/orders.csv")["Body"].read()
    assert cleaned == b"cake,5\ntea,3\n"
    assert "2 orders, job Completed\n" in runs.orders.log("count")


def test_a_role_s_name_becomes_its_arn(runs: Runs, aws: Clients) -> None:
    runs.orders.green()
    described = aws.sagemaker.describe_processing_job(ProcessingJobName="clean")
    assert described["RoleArn"] == "arn:aws:iam::123456789012:role/OrderCleaning"


def test_the_same_dag_with_dirty_data_is_red_and_says_why(runs: Runs, aws: Clients) -> None:
    assert runs.dirty_orders.red().states == {"clean": "failed", "count": "upstream_failed"}
    assert f"SageMaker resource failed because {MISSING_PRICE}\n" in runs.dirty_orders.log("clean")
    described = aws.sagemaker.describe_processing_job(ProcessingJobName="dirty")
    assert described["ExitMessage"] == "orders.csv line 2: the price is missing"


@pytest.mark.parametrize("found_by", ["environment", "connection"])
def test_a_name_that_is_taken(runs: Runs, found_by: str, aws: Clients) -> None:
    name, jobs = runs.names[found_by], runs.jobs[found_by].red()
    assert [jobs.states[task] for task in ("taken", "renamed")] == ["success", "success"]
    renamed = re.search(rf"Changed job name to '({name}-name-\d{{10}})'", jobs.log("renamed"))
    assert renamed is not None, jobs
    assert aws.sagemaker.describe_processing_job(ProcessingJobName=renamed[1])["ProcessingJobStatus"] == "Completed"
    assert jobs.states["refused"] == "failed"
    assert f"A SageMaker job with name {name}-name already exists." in jobs.log("refused")


@pytest.mark.parametrize("found_by", ["environment", "connection"])
def test_waiting_with_a_trigger(runs: Runs, found_by: str) -> None:
    jobs = runs.jobs[found_by].red()
    assert jobs.states["deferred"] == "success"
    assert "Trigger completed" in jobs.log("deferred")
    assert jobs.states["deferred_in_vain"] == "failed"
    assert "AlgorithmError: column age: -1 is no age, exit code: 3" in jobs.log("deferred_in_vain")


@pytest.mark.parametrize("found_by", ["environment", "connection"])
def test_waiting_with_a_sensor(runs: Runs, found_by: str) -> None:
    jobs = runs.jobs[found_by].red()
    assert [jobs.states[task] for task in ("started", "seen_to_end")] == ["success", "success"]
    assert "job currently InProgress" in jobs.log("seen_to_end")
    assert [jobs.states[task] for task in ("doomed", "seen_to_fail")] == ["success", "failed"]
    # The sensor has no word for the reason, which Airflow's operator does tell.
    assert "Sagemaker job failed for the following reason: Unknown" in jobs.log("seen_to_fail")
