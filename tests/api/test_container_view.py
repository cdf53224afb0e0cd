"""How long a container view is kept, and what is said where a part of it is gone."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from emulator.cli import commands
from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.cli.commands import sagemaker_emulator
from tests.docker_engine import docker
from tests.jobs import AnyJob, Clients, TrainingJobs

pytestmark = pytest.mark.docker


def opened(state: Path) -> Endpoint:
    return Endpoint(Settings(port=0, engine="docker", state_dir=state, time_scale=100))


def jobs_of(endpoint: Endpoint, image: Callable[[str], str]) -> TrainingJobs:
    clients = Clients(endpoint.url)
    clients.s3.create_bucket(Bucket="views")
    return TrainingJobs(clients, "views", image)


def view(endpoint: Endpoint, job: AnyJob) -> dict[str, Any] | None:
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:{job.noun.lower()}-job/{job.name}"
    try:
        with urllib.request.urlopen(f"{endpoint.url}/_emulator/jobs/{arn}/container-view", timeout=60) as answer:
            document: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 404:
            raise
        return None
    return document


def test_it_is_there_while_the_job_is(tmp_path: Path, image: Callable[[str], str]) -> None:
    views = tmp_path / "state/views"
    with opened(tmp_path / "state") as endpoint:
        jobs = jobs_of(endpoint, image)
        kept, deleted = jobs.running("true").ended(), jobs.running("true").ended()
        before = view(endpoint, kept)
        jobs.clients.sagemaker.delete_training_job(TrainingJobName=deleted.name)
        assert view(endpoint, deleted) is None
    with opened(tmp_path / "state") as endpoint:
        assert before is not None
        assert view(endpoint, kept) == before
        request = urllib.request.Request(f"{endpoint.url}/_emulator/reset", method="POST")
        with urllib.request.urlopen(request, timeout=60):
            assert view(endpoint, kept) is None
        job = jobs_of(endpoint, image).running("true").ended()
        assert [path.name.partition("-")[2] for path in views.iterdir()] == [f"{job.name}.json"]
    runner = CliRunner()
    assert "views" in runner.invoke(commands, ["state", "size", "--state-dir", str(tmp_path / "state")]).output
    saved = str(tmp_path / "saved.tar")
    assert runner.invoke(commands, ["state", "save", saved, "--state-dir", str(tmp_path / "state")]).exit_code == 0
    assert runner.invoke(commands, ["state", "load", saved, "--state-dir", str(tmp_path / "loaded")]).exit_code == 0
    (views / "9-half.new").write_text("{")
    clean = ["clean", "--older-than", "0s", "--yes", "--state-dir", str(tmp_path / "state")]
    assert "views/9-half.new" in runner.invoke(commands, clean).output
    assert list(views.iterdir()) == []
    with opened(tmp_path / "loaded") as endpoint:
        assert view(endpoint, AnyTraining(Clients(endpoint.url), job.name, "views")) is not None


class AnyTraining(AnyJob):
    noun = "Training"


def test_an_image_that_is_gone_is_said(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    name = f"sagemaker-emulator-test/gone-{uuid.uuid4().hex[:8]}"
    dockerfile = f"FROM {jobs.image('behaviour')}\nRUN mkdir -p /opt/ml/code && echo {name} > /opt/ml/code/me\n"
    built = docker("build", "--quiet", "--tag", name, "-", stdin=dockerfile)
    request = jobs.request(Environment={"PROGRAM": "true"})
    request["AlgorithmSpecification"]["TrainingImage"] = name
    jobs.clients.sagemaker.create_training_job(**request)
    job = AnyTraining(jobs.clients, request["TrainingJobName"], jobs.bucket).ended()
    # The job's own container goes a moment after its end, and holds the image until then.
    deadline = time.monotonic() + 120
    while docker("ps", "--all", "--quiet", "--filter", f"label=sagemaker-emulator.job-name={job.name}"):
        assert time.monotonic() < deadline, "the container of the job has not been removed"
        time.sleep(0.1)
    docker("rmi", "--force", name)
    found = view(endpoint, job)
    assert found is not None
    assert built not in docker("images", "--quiet", "--no-trunc")
    assert "is not there any more" in found["image_missing"]
    assert "/opt/ml/input/config/resourceconfig.json" in found["hosts"]["algo-1"]["tree"]
    shown = sagemaker_emulator("describe", "--port", endpoint.port, "--container", job.name)
    assert shown.stdout.startswith("warning ")


def test_describe_shows_it(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    job = jobs.running("true", image="nonroot", HyperParameters={"epochs": "3"}).ended()
    done = sagemaker_emulator("describe", "--port", endpoint.port, "--container", job.name)
    assert done.returncode == 0, done.stderr
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert ["command", "train"] in lines
    assert ["user", "1000"] in lines
    assert ["directory", "/srv/program"] in lines
    assert ["mount", "/opt/ml/model writable"] in lines
    assert ["environment", "SET_BY_IMAGE = from the image"] in lines
    assert ['{"epochs":"3"}'] in lines
    assert ["tree", "d 0777            0  /opt/ml/model"] in lines
    as_json = sagemaker_emulator("describe", "--port", endpoint.port, "--container", "--json", job.name)
    assert json.loads(as_json.stdout) == view(endpoint, job)


def test_describe_says_when_there_is_none(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    request = jobs.request()
    request["AlgorithmSpecification"]["TrainingImage"] = "no/such-image"
    jobs.clients.sagemaker.create_training_job(**request)
    done = sagemaker_emulator("describe", "--port", endpoint.port, "--container", request["TrainingJobName"])
    assert done.returncode == 1
    assert "have not started" in done.stderr
