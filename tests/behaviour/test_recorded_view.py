"""The container view that the platform records, compared with what the probe image really saw."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from emulator.endpoint import Endpoint
from tests.jobs import AnyJob, ProcessingJobs, TrainingJobs
from tests.programs import ME

SEEN = "/opt/ml/processing/seen"
# What a program's shell and interpreter add by themselves.
ADDED = {"LC_CTYPE", "PWD", "SHLVL", "_", "OLDPWD"}
PROBE = ("python3", "/opt/probe/probe.py")


def recorded(endpoint: Endpoint, job: AnyJob) -> dict[str, Any]:
    arn = job.describe()[f"{job.noun}JobArn"]
    with urllib.request.urlopen(f"{endpoint.url}/_emulator/jobs/{arn}/container-view", timeout=30) as answer:
        document: dict[str, Any] = json.load(answer)
    return document


def compare(host: dict[str, Any], seen: dict[str, Any]) -> None:
    """Compare one host's record with all that the probe saw of it."""
    assert host["environment"] == {name: value for name, value in seen["environment"].items() if name not in ADDED}
    assert (host["working_directory"], host["hostname"]) == (seen["cwd"], seen["hostname"])
    assert host["texts"] == seen["texts"]
    found = {
        path: (one["type"], one["mode"], one["size"] if one["type"] == "file" else 0, one.get("target"))
        for path, one in seen["tree"].items()
        if path != "/opt/ml"
    }
    record = {path: (one["type"], one["mode"], one["size"], one.get("target")) for path, one in host["tree"].items()}
    assert record == found


@pytest.fixture
def baked(image: Callable[[str], str]) -> str:
    """An image with files below /opt/ml, a user and a working directory of its own, which is made of the probe."""
    image("probe")
    image("baked")
    return "baked"


def test_a_training_job(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    train = jobs.channel("train", {"/a.csv": b"1,2\n", "/day=1/b.csv": b"3,4\n", "/empty/": b""})
    job = jobs.create(
        image="probe",
        HyperParameters={"epochs": "3"},
        Environment={"STAGE": "experiment", "EMPTY": ""},
        InputDataConfig=[train],
    ).ended()
    assert job.status == "Completed", job.failure_reason
    view = recorded(endpoint, job)
    (host,) = view["hosts"].values()
    compare(host, job.seen())
    assert host["command"] == [*PROBE, "train"]
    assert host["user"] == "root"
    assert [one["target"] for one in host["mounts"]] == ["/opt/ml/input", "/opt/ml/model", "/opt/ml/output"]
    assert "/opt/ml/input/data/train-manifest" in host["texts"]


@pytest.mark.docker
def test_a_training_job_in_an_image_with_files_and_a_user_of_its_own(
    endpoint: Endpoint, jobs: TrainingJobs, baked: str
) -> None:
    job = jobs.create(image=baked, Environment={"STAGE": "of the request"}, EnableNetworkIsolation=True).ended()
    assert job.status == "Completed", job.failure_reason
    host = recorded(endpoint, job)["hosts"]["algo-1"]
    compare(host, job.seen())
    assert host["command"] == [*PROBE, "train"]
    assert (host["user"], host["working_directory"]) == ("trainer", "/opt/program")
    environment = host["environment"]
    assert (environment["HOME"], environment["STAGE"]) == ("/home/trainer", "of the request")
    assert environment["SET_BY_IMAGE"] == "from the image"
    assert host["tree"]["/opt/ml/code/link"] == {"type": "symlink", "mode": "0777", "size": 0, "target": "train.py"}
    assert "/opt/ml/model/hidden" not in host["tree"]


@pytest.mark.docker
def test_a_processing_job_of_several_hosts(endpoint: Endpoint, processing: ProcessingJobs, baked: str) -> None:
    shards = processing.input("shards", {"/0": b"0", "/1": b"1", "/2": b"22"}, S3DataDistributionType="ShardedByS3Key")
    job = processing.create(
        image=baked,
        hosts=2,
        AppSpecification={
            "ContainerEntrypoint": ["sh", "-c", f'{ME} python3 /opt/probe/probe.py "$0"; mv {SEEN}/it {SEEN}/$me'],
            "ContainerArguments": ["--an argument"],
        },
        Environment={"PROBE_OUTPUT": f"{SEEN}/it"},
        ProcessingInputs=[shards],
        ProcessingOutputConfig=processing.outputs("seen"),
    ).ended()
    assert job.status == "Completed", (job.failure_reason, job.log())
    seen = {host: json.loads(text) for host, text in job.objects("seen/").items()}
    hosts = recorded(endpoint, job)["hosts"]
    assert sorted(hosts) == sorted(seen) == ["algo-1", "algo-2"]
    for name, host in hosts.items():
        compare(host, seen[name])
        assert host["command"][:2] == ["sh", "-c"]
        assert host["command"][3:] == ["--an argument"]
    assert hosts["algo-1"]["tree"]["/opt/ml/processing"]["mode"] == "0775"


@pytest.mark.docker
def test_an_image_s_own_command(endpoint: Endpoint, processing: ProcessingJobs, baked: str) -> None:
    job = processing.create(
        image=baked,
        Environment={"PROBE_OUTPUT": f"{SEEN}/it"},
        ProcessingOutputConfig=processing.outputs("seen"),
    ).ended()
    assert job.status == "Completed", (job.failure_reason, job.log())
    seen = json.loads(job.objects("seen/")["it"])
    host = recorded(endpoint, job)["hosts"]["algo-1"]
    assert host["command"] == [*PROBE, "by-itself"]
    assert seen["argv"][1:] == ["by-itself"]


def test_a_job_that_never_started_has_none(endpoint: Endpoint, jobs: TrainingJobs) -> None:
    request = jobs.request(image="probe")
    request["AlgorithmSpecification"]["TrainingImage"] = "no/such-image"
    jobs.clients.sagemaker.create_training_job(**request)
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{request['TrainingJobName']}"
    for path in (arn, f"{arn}-that-is-not"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f"{endpoint.url}/_emulator/jobs/{path}/container-view", timeout=30)
        error.value.close()
        assert error.value.code == 404
