"""What a training container sees, compared with golden files: the tree, modes, JSON, environment."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from emulator.endpoint import Endpoint
from emulator.jobs.ports import Capabilities
from tests import container_view
from tests.container_view import environment, is_compact, neutral, parsed, tree
from tests.images import images_of
from tests.jobs import Clients, TrainingJobs, new_bucket

# They look at the same two jobs.
pytestmark = pytest.mark.xdist_group("container-view")

golden = partial(container_view.golden, "training")


@pytest.fixture(scope="module")
def jobs(clients: Clients, endpoint: Endpoint) -> TrainingJobs:
    return TrainingJobs(clients, new_bucket(clients), images_of(endpoint))


@pytest.fixture(scope="module")
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
    return neutral(job.seen(), job)


@pytest.fixture(scope="module")
def bare(jobs: TrainingJobs) -> dict[str, Any]:
    """What the probe image saw of a job that asks for nothing, isolated."""
    job = jobs.create(image="probe", EnableNetworkIsolation=True).ended()
    assert job.status == "Completed", job.failure_reason
    return neutral(job.seen(), job)


def test_the_tree_with_its_modes(seen: dict[str, Any]) -> None:
    assert tree(seen) == golden("tree.json", tree(seen))


def test_the_config_files_and_manifests(seen: dict[str, Any]) -> None:
    texts = parsed(seen["texts"])
    assert texts == golden("texts.json", texts)
    assert is_compact(seen["texts"])


def test_the_environment(seen: dict[str, Any]) -> None:
    found = environment(seen)
    assert found == golden("environment.json", found)
    assert seen["hostname"] == found["HOSTNAME"] == "ip-10-0-X-Y.ec2.internal"


def test_the_process(seen: dict[str, Any]) -> None:
    assert seen["argv"][1:] == ["train"]
    assert seen["pid"] == 1
    assert seen["uid"] == 0
    assert seen["cwd"] == "/opt/probe"
    assert set(seen["tty"].values()) == {False}


def test_algo_1_is_this_host_s_first_interface(seen: dict[str, Any], capabilities: Capabilities) -> None:
    if not capabilities.own_network:
        assert seen["addresses"]["algo-1"] == ["127.0.0.1"]
        return
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
