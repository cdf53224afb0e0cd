"""A state directory across restarts: what clients saw before, they see after."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.jobs import LOG_GROUP, Clients, TrainingJobs

pytestmark = pytest.mark.docker


@contextmanager
def emulator(state: Path, image: Callable[[str], str]) -> Iterator[tuple[TrainingJobs, Endpoint]]:
    """An emulator of its own on this state, with a bucket as the S3 of this test needs no past."""
    with Endpoint(Settings(port=0, engine="docker", state_dir=state, time_scale=100)) as endpoint:
        clients = Clients(endpoint.url)
        clients.s3.create_bucket(Bucket="restart")
        yield TrainingJobs(clients, "restart", image), endpoint


def seen(clients: Clients) -> dict[str, Any]:
    """Return everything that can be known of jobs and logs, without what belongs to one request."""
    summaries = [
        one
        for page in clients.sagemaker.get_paginator("list_training_jobs").paginate(PaginationConfig={"PageSize": 2})
        for one in page["TrainingJobSummaries"]
    ]
    described = [clients.sagemaker.describe_training_job(TrainingJobName=one["TrainingJobName"]) for one in summaries]
    streams: Any = clients.logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]
    return {
        "groups": clients.logs.describe_log_groups(logGroupNamePrefix="/aws/sagemaker/")["logGroups"],
        "summaries": summaries,
        "described": [{**one, "ResponseMetadata": None} for one in described],
        "tags": [clients.sagemaker.list_tags(ResourceArn=one["TrainingJobArn"])["Tags"] for one in summaries],
        "streams": streams,
        "events": [
            clients.logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=one["logStreamName"])["events"]
            for one in streams
        ],
    }


def test_jobs_tags_and_logs_are_the_same_after_a_restart(tmp_path: Path, image: Callable[[str], str]) -> None:
    with emulator(tmp_path, image) as (jobs, _):
        job = jobs.running("echo one; echo loss=0.5; exit 3", Tags=[{"Key": "a", "Value": "é"}]).ended()
        for number in range(3):
            jobs.running(f"echo {number}").ended()
        jobs.clients.sagemaker.add_tags(ResourceArn=job.describe()["TrainingJobArn"], Tags=[{"Key": "b", "Value": ""}])
        before = seen(jobs.clients)
        token: Any = jobs.clients.logs.get_log_events(
            logGroupName=LOG_GROUP, logStreamName=before["streams"][0]["logStreamName"], startFromHead=True, limit=1
        )["nextForwardToken"]
    assert len(before["summaries"]) == len(before["streams"]) == 4
    with emulator(tmp_path, image) as (jobs, _):
        assert seen(jobs.clients) == before
        page = jobs.clients.logs.get_log_events(
            logGroupName=LOG_GROUP,
            logStreamName=before["streams"][0]["logStreamName"],
            startFromHead=True,
            nextToken=token,
        )
        assert page["events"] == before["events"][0][1:]
        with pytest.raises(ClientError, match="already exists"):
            jobs.create(TrainingJobName=job.name)
        assert jobs.running("true").ended().status == "Completed"


def test_a_reset_ends_jobs_and_forgets_everything(tmp_path: Path, image: Callable[[str], str]) -> None:
    with emulator(tmp_path, image) as (jobs, endpoint):
        others: list[str] = []
        endpoint.emulator.on_reset.append(lambda: others.append("told"))
        jobs.running("echo done").ended()
        jobs.running("echo started; sleep 3600").wrote("started")
        jobs.clients.logs.create_log_group(logGroupName="/other")
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{endpoint.url}/_emulator/reset", timeout=60)
        request = urllib.request.Request(f"{endpoint.url}/_emulator/reset", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer) == {"status": "ok"}
        assert others == ["told"]
        assert jobs.clients.sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
        assert jobs.clients.logs.describe_log_groups()["logGroups"] == []
        assert endpoint.emulator.supervisor.running() == 0
        jobs.clients.s3.create_bucket(Bucket="restart")
        assert jobs.running("echo again").ended().log() == ["again"]
