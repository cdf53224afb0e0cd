"""Training jobs in DAGs that a real Airflow runs.

The iris DAG prints the job's log, and Airflow looks after 30 s then, so DAGs run side by side: see dag_runs.py.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.clients.dag_runs import Airflow, Cue, DagRun
from tests.jobs import Clients

pytestmark = [
    pytest.mark.clients,
    pytest.mark.docker,
    pytest.mark.xdist_group("clients-airflow"),
    pytest.mark.timeout(900),
]

MISSING_LABEL = "AlgorithmError: /opt/ml/input/data/train/iris.csv line 43, column species: the label is missing"


@dataclass(frozen=True)
class Runs:
    """Every run of this module, started; a test waits for the one that it is about."""

    iris: DagRun
    iris_by_connection: DagRun
    iris_dirty: DagRun
    names: dict[str, str]
    jobs: dict[str, DagRun]


@pytest.fixture(scope="module")
def runs(airflow: Airflow, iris_image: str, image: Callable[[str], str], aws: Clients) -> Runs:
    bucket = f"airflow-{uuid.uuid4().hex[:8]}"
    aws.s3.create_bucket(Bucket=bucket)
    names = {found_by: f"{found_by}-{uuid.uuid4().hex[:6]}" for found_by in ("environment", "connection")}

    def jobs(found_by: str) -> DagRun:
        name = names[found_by]
        cues = [
            Cue("seen_to_end", "job currently InProgress", f"{name}-started"),
            Cue("deferred", "Training job not done yet: InProgress", f"{name}-deferred"),
            Cue("seen_to_fail", "job currently InProgress", f"{name}-doomed"),
            Cue("deferred_in_vain", "Training job not done yet: InProgress", f"{name}-deferred-in-vain"),
        ]
        conf = {"name": name, "image": image("behaviour"), "bucket": bucket}
        return airflow.run(found_by, "training_jobs", conf, cues=cues)

    return Runs(
        iris=airflow.run("environment", "iris_training", {}),
        iris_by_connection=airflow.run("connection", "iris_training", {}),
        iris_dirty=airflow.run("exec", "iris_training", {"train": "bad"}),
        names=names,
        jobs={found_by: jobs(found_by) for found_by in names},
    )


def test_a_dag_trains_from_data_on_disk_to_an_accepted_model(runs: Runs, aws: Clients) -> None:
    runs.iris.green()
    model = re.search(r"accuracy 0\.9\d*, [1-9]\d* bytes at s3://([^/]+)/(\S+)", runs.iris.log("accept"))
    assert model is not None, runs.iris
    assert model[2].endswith("/output/model.tar.gz")
    assert aws.s3.head_object(Bucket=model[1], Key=model[2])["ContentLength"] > 0


def test_the_container_s_lines_are_in_the_task_s_log(runs: Runs) -> None:
    log = runs.iris.log("train")
    assert log.count("read 120 rows to train on and 30 to validate with") == 1
    assert len(re.findall(r"epoch=\d+ train:accuracy=", log)) == 20
    assert re.search(r"Billable seconds: [1-9]", log)


def test_a_role_s_name_becomes_its_arn(runs: Runs) -> None:
    assert '"RoleArn": "arn:aws:iam::123456789012:role/IrisTraining"' in runs.iris.log("train")


def test_the_same_dag_finds_the_emulator_in_a_connection(runs: Runs) -> None:
    runs.iris_by_connection.green()
    assert "epoch=20 train:accuracy=" in runs.iris_by_connection.log("train")
    assert "bytes at s3://iris-pipeline/" in runs.iris_by_connection.log("accept")


def test_the_same_dag_with_dirty_data_is_red_and_says_why(runs: Runs) -> None:
    assert runs.iris_dirty.red().states == {"train": "failed", "accept": "upstream_failed"}
    log = runs.iris_dirty.log("train")
    assert re.search(rf"Error training iris-training-[-0-9]+: Failed Reason: {MISSING_LABEL}.*, exit code: 1\n", log)


@pytest.mark.parametrize("found_by", ["environment", "connection"])
def test_a_name_that_is_taken(runs: Runs, found_by: str, aws: Clients) -> None:
    name, jobs = runs.names[found_by], runs.jobs[found_by].red()
    assert [jobs.states[task] for task in ("taken", "renamed")] == ["success", "success"]
    renamed = re.search(rf"Changed job name to '({name}-name-\d{{10}})'", jobs.log("renamed"))
    assert renamed is not None, jobs
    assert aws.sagemaker.describe_training_job(TrainingJobName=renamed[1])["TrainingJobStatus"] == "Completed"
    assert [jobs.states[task] for task in ("refused", "unchecked")] == ["failed", "failed"]
    assert f"A SageMaker job with name {name}-name already exists." in jobs.log("refused")
    assert "(ResourceInUse) when calling the CreateTrainingJob operation" in jobs.log("unchecked")


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
    assert [jobs.states[task] for task in ("started", "seen_to_end", "log_read")] == ["success"] * 3
    assert "job currently InProgress" in jobs.log("seen_to_end")
    assert jobs.log("log_read").count("line of the container") == 1
    assert [jobs.states[task] for task in ("doomed", "seen_to_fail")] == ["success", "failed"]
    reason = "Sagemaker job failed for the following reason: AlgorithmError: column age: -1 is no age, exit code: 3"
    assert reason in jobs.log("seen_to_fail")
