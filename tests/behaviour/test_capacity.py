"""More jobs than may run at once: they wait as Pending, can be stopped there, and find the world changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.images import images_of
from tests.jobs import Clients, ProcessingJobs, TrainingJobs
from tests.programs import until

UNTIL_STOPPED = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done"


@pytest.fixture(scope="module")
def narrow(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An emulator that runs one job at a time."""
    settings = Settings(
        port=0,
        engine=endpoint.emulator.engine.name,
        state_dir=tmp_path_factory.mktemp("narrow"),
        max_parallel_jobs=1,
        time_scale=25,
    )
    with Endpoint(settings) as running:
        yield running


@pytest.fixture
def jobs(narrow: Endpoint, request: pytest.FixtureRequest) -> TrainingJobs:
    clients = Clients(narrow.url)
    bucket = f"narrow-{abs(hash(request.node.name)) % 10**8}"
    clients.s3.create_bucket(Bucket=bucket)
    return TrainingJobs(clients, bucket, images_of(narrow))


def test_a_job_without_capacity_is_pending_and_runs_when_its_turn_comes(jobs: TrainingJobs) -> None:
    first = jobs.running(f"echo ready; {until()}").wrote("ready")
    second = jobs.running("echo mine")
    waiting = second.describe()
    assert (waiting["TrainingJobStatus"], waiting["SecondaryStatus"]) == ("InProgress", "Pending")
    assert waiting["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Training job waiting for capacity"
    assert first.go().ended().status == second.ended().status == "Completed"
    assert second.describe()["TrainingStartTime"] >= first.describe()["TrainingEndTime"]


def test_a_waiting_job_can_be_stopped(jobs: TrainingJobs) -> None:
    first = jobs.running(UNTIL_STOPPED).wrote("ready")
    second = jobs.running("echo never").stop().ended()
    described = second.describe()
    assert described["TrainingJobStatus"] == "Stopped"
    assert second.secondary_statuses == ["Starting", "Pending", "Stopping", "Stopped"]
    assert "TrainingTimeInSeconds" not in described
    assert second.log() == []
    first.stop().ended()


def test_a_waiting_processing_job_can_be_stopped(jobs: TrainingJobs) -> None:
    first = jobs.running(UNTIL_STOPPED).wrote("ready")
    processing = ProcessingJobs(jobs.clients, jobs.bucket, jobs.image)
    second = processing.running("echo never", ProcessingOutputConfig=processing.outputs("out"))
    assert second.status == "InProgress"
    described = second.stop().ended().describe()
    assert described["ProcessingJobStatus"] == "Stopped"
    assert "ProcessingStartTime" not in described
    assert (second.log(), second.objects()) == ([], {})
    first.stop().ended()


def test_data_that_vanishes_before_the_download_fails_the_job(jobs: TrainingJobs) -> None:
    first = jobs.running(UNTIL_STOPPED).wrote("ready")
    channel = jobs.channel("train", {"/a": b"1"})
    second = jobs.running("true", InputDataConfig=[channel])
    key = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{jobs.bucket}/") + "a"
    jobs.clients.s3.delete_object(Bucket=jobs.bucket, Key=key)
    first.stop().ended()
    assert second.ended().failure_reason.startswith("ClientError: Data download failed:")
    assert second.secondary_statuses == ["Starting", "Pending", "Downloading", "Failed"]
