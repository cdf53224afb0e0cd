"""What the container sees, compared with golden files: the tree, modes, JSON, environment."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import TrainingJobs

GOLDEN = Path(__file__).parents[2] / "fixtures/golden/training"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def seen(jobs: TrainingJobs) -> dict[str, Any]:
    """What the probe image saw of a job with all that puts something into /opt/ml."""
    train = jobs.channel("train", {"/a.csv": b"1,2\n", "/day=1/b.csv": b"3,4\n"}, ContentType="text/csv")
    model = jobs.channel(
        "model",
        {"/model.tar.gz": b"m"},
        suffix="/model.tar.gz",
        ContentType="application/x-sagemaker-model",
    )
    job = jobs.create(
        image="probe",
        HyperParameters={"epochs": "3", "learning-rate": "0.1", "program": '"train.py"'},
        Environment={"STAGE": "experiment", "EMPTY": ""},
        InputDataConfig=[train, model],
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]},
        DebugHookConfig={"S3OutputPath": f"s3://{jobs.bucket}/out/", "CollectionConfigurations": []},
    ).ended()
    assert job.status == "Completed", job.failure_reason
    return neutral(job.seen(), job.name, jobs)


@pytest.fixture
def bare(jobs: TrainingJobs) -> dict[str, Any]:
    """What the probe image saw of a job that asks for nothing, isolated."""
    job = jobs.create(image="probe", EnableNetworkIsolation=True).ended()
    assert job.status == "Completed", job.failure_reason
    return neutral(job.seen(), job.name, jobs)


def neutral(seen: dict[str, Any], name: str, jobs: TrainingJobs) -> dict[str, Any]:
    """Replace what differs from run to run by a word that says what stood there."""
    text = json.dumps(seen)
    text = text.replace(name, "JOB").replace(name.lower(), "JOB").replace(jobs.bucket, "BUCKET")
    text = re.sub(r"in/[0-9a-f]{8}/", "in/PREFIX/", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"http://(169\.254\.170\.2|[a-z.]+):\d+", "http://ENDPOINT", text)
    text = re.sub(r"ip-10-0-\d+-\d+\.ec2\.internal", "ip-10-0-X-Y.ec2.internal", text)
    result: dict[str, Any] = json.loads(text)
    return result


def golden(name: str, found: object) -> object:
    """Return a golden document. With UPDATE_GOLDEN set, write it first: read the difference before committing."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return json.loads(path.read_text())


def tree(seen: dict[str, Any]) -> dict[str, str]:
    """The tree as "type mode owner", without sizes."""
    return {
        path: f"{one['type']} {one['mode']} {one['uid']}:{one['gid']}"
        for path, one in seen["tree"].items()
        if path != "/opt/ml"
    }


def parsed(texts: dict[str, str]) -> dict[str, object]:
    """JSON files as documents, the rest line by line."""
    return {path: json.loads(text) if path.endswith(".json") else text.splitlines() for path, text in texts.items()}


def environment(seen: dict[str, Any]) -> dict[str, str]:
    """What the platform and the request set; credentials are compared by the way they are reached."""
    image = {"PATH", "HOME", "LANG", "PYTHON_VERSION", "GPG_KEY", "PYTHON_SHA256", "PYTHON_PIP_VERSION", "LC_CTYPE"}
    found = {name: value for name, value in seen["environment"].items() if name not in image}
    # Port 80 of the metadata address belongs to the first emulator of a machine; others give the full URI.
    full = found.pop("AWS_CONTAINER_CREDENTIALS_FULL_URI", None)
    if full is not None:
        found["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = full.removeprefix("http://ENDPOINT")
    return found


def test_the_tree_with_its_modes(seen: dict[str, Any]) -> None:
    assert tree(seen) == golden("tree.json", tree(seen))


def test_the_config_files_and_manifests(seen: dict[str, Any]) -> None:
    texts = parsed(seen["texts"])
    assert texts == golden("texts.json", texts)
    assert all(": " not in text for path, text in seen["texts"].items() if path.endswith(".json")), "not compact"


def test_the_environment(seen: dict[str, Any]) -> None:
    found = environment(seen)
    assert found == golden("environment.json", found)
    assert seen["hostname"] == found["HOSTNAME"] == "ip-10-0-X-Y.ec2.internal"


def test_the_process(seen: dict[str, Any]) -> None:
    assert seen["argv"][1:] == ["train"]
    assert seen["pid"] == 1
    assert seen["uid"] == 0
    assert seen["cwd"] == "/"
    assert set(seen["tty"].values()) == {False}


def test_algo_1_is_this_host_s_first_interface(seen: dict[str, Any]) -> None:
    assert set(seen["interfaces"]) == {"lo", "eth0"}
    assert seen["addresses"]["algo-1"] == [seen["interfaces"]["eth0"]]


def test_a_job_that_asks_for_nothing(bare: dict[str, Any]) -> None:
    assert tree(bare) == golden("bare-tree.json", tree(bare))
    assert parsed(bare["texts"]) == golden("bare-texts.json", parsed(bare["texts"]))


def test_an_isolated_job_has_no_credentials_and_no_endpoint(bare: dict[str, Any]) -> None:
    assert environment(bare) == golden("isolated-environment.json", environment(bare))


def test_algo_1_resolves_in_isolation_too(bare: dict[str, Any]) -> None:
    assert set(bare["interfaces"]) == {"lo", "eth0"}
    assert bare["addresses"]["algo-1"] == [bare["interfaces"]["eth0"]]
