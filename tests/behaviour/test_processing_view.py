"""What a processing container sees, compared with golden files: the tree, modes, JSON, environment."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from emulator.endpoint import Endpoint
from tests import container_view
from tests.container_view import environment, is_compact, neutral, parsed, tree
from tests.images import images_of
from tests.jobs import Clients, ProcessingJobs, experiment_config, new_bucket
from tests.programs import ME

# They look at the same two jobs.
pytestmark = pytest.mark.xdist_group("processing-view")

golden = partial(container_view.golden, "processing")

SEEN = "/opt/ml/processing/seen"


@pytest.fixture(scope="module")
def processing(clients: Clients, endpoint: Endpoint) -> ProcessingJobs:
    return ProcessingJobs(clients, new_bucket(clients), images_of(endpoint))


@pytest.fixture(scope="module")
def seen(processing: ProcessingJobs) -> dict[str, dict[str, Any]]:
    """What the probe image saw on both hosts of a job with all that puts something into /opt/ml."""
    raw = processing.input("raw", {"/a.csv": b"1,2\n", "/day=1/b.csv": b"3\n", "/empty/": b""})
    code = processing.input("code", {"/run.py": b"pass"}, suffix="/run.py", LocalPath="/opt/ml/processing/input/code/")
    shards = processing.input("shards", {"/0": b"0", "/1": b"1"}, S3DataDistributionType="ShardedByS3Key")
    own = processing.input("own", {"/x": b"not here"}) | {"AppManaged": True}
    outputs = processing.outputs("seen", "out") | {"KmsKeyId": "key"}
    outputs["Outputs"][1]["S3Output"] |= {"LocalPath": "/opt/ml/processing/out/deep", "S3UploadMode": "Continuous"}
    job = processing.create(
        image="probe",
        hosts=2,
        AppSpecification={
            "ContainerEntrypoint": ["sh", "-c", f'{ME} python3 /opt/probe/probe.py "$0"; mv {SEEN}/it {SEEN}/$me'],
            "ContainerArguments": ["--an argument"],
        },
        Environment={"STAGE": "experiment", "EMPTY": "", "PROBE_OUTPUT": f"{SEEN}/it"},
        ProcessingInputs=[raw, code, shards, own],
        ProcessingOutputConfig=outputs,
        ExperimentConfig=experiment_config(processing.clients),
    ).ended()
    assert job.status == "Completed", (job.failure_reason, job.log())
    return {host: neutral(json.loads(text), job) for host, text in job.objects("seen/").items()}


@pytest.fixture(scope="module")
def bare(processing: ProcessingJobs) -> dict[str, Any]:
    """What the probe image saw of a job that asks for nothing, isolated."""
    job = processing.create(
        image="probe",
        Environment={"PROBE_OUTPUT": "/dev/stdout"},
        NetworkConfig={"EnableNetworkIsolation": True},
        StoppingCondition=None,
    ).ended()
    assert job.status == "Completed", (job.failure_reason, job.log())
    document = "\n".join(line for line in job.log() if not line.startswith("probe: "))
    return neutral(json.loads(document), job)


def test_the_trees_with_their_modes(seen: dict[str, dict[str, Any]]) -> None:
    for host, one in seen.items():
        assert tree(one) == golden(f"{host}-tree.json", tree(one))


def test_the_config_files(seen: dict[str, dict[str, Any]]) -> None:
    for host, one in seen.items():
        assert parsed(one["texts"]) == golden(f"{host}-texts.json", parsed(one["texts"]))
        assert is_compact(one["texts"])


def test_the_environment_and_the_process(seen: dict[str, dict[str, Any]]) -> None:
    first, second = seen["algo-1"], seen["algo-2"]
    assert environment(first) == environment(second) == golden("environment.json", environment(first))
    for one in (first, second):
        assert one["argv"] == ["/opt/probe/probe.py", "--an argument"]
        assert (one["uid"], one["cwd"], set(one["tty"].values())) == (0, "/opt/probe", {False})
        assert set(one["interfaces"]) == {"lo", "eth0"}
    assert first["addresses"]["algo-1"] == second["addresses"]["algo-1"] == [first["interfaces"]["eth0"]]


def test_a_job_that_asks_for_nothing(bare: dict[str, Any]) -> None:
    assert tree(bare) == golden("bare-tree.json", tree(bare))
    assert parsed(bare["texts"]) == golden("bare-texts.json", parsed(bare["texts"]))
    assert environment(bare) == golden("isolated-environment.json", environment(bare))
    assert bare["addresses"]["algo-1"] == [bare["interfaces"]["eth0"]]
    assert bare["pid"] == 1
