"""The published table: complete against botocore's model, applied as it is printed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from hypothesis import given
from moto.sagemaker.responses import SageMakerResponse

from emulator.api.service_model import input_shape, operation_names
from emulator.contract.fidelity import MEMBERS, OPERATIONS, operation_refusal, operation_treatment
from emulator.contract.fidelity import refusals as refusals_of
from emulator.contract.fidelity_rows import Row, Treatment
from tests.strategies import requests_for

ROOT = Path(__file__).parents[2]
REQUESTS = json.loads((Path(__file__).parent / "data" / "training_job_requests.json").read_text(encoding="utf-8"))
TRAINING_JOB: dict[str, Any] = REQUESTS["sdk_v2_estimator"]


def members(shape: Any, above: str = "") -> Iterator[tuple[str, bool]]:
    """Yield every member below a shape, and whether it is a leaf: no structure, no list of structures."""
    for name, member in shape.members.items():
        path = f"{above}{name}"
        if member.type_name == "structure":
            yield path, False
            yield from members(member, f"{path}.")
        elif member.type_name == "list" and member.member.type_name == "structure":
            yield path, False
            yield from members(member.member, f"{path}[].")
        else:
            yield path, True


EVERY_ROW = [(operation, row) for operation, table in MEMBERS.items() for row in table.rows]


def members_of(operation: str) -> dict[str, bool]:
    return dict(members(input_shape(operation)))


def refusals(request: dict[str, Any]) -> list[str]:
    return refusals_of("CreateTrainingJob", request)


def covers(row: Row, path: str) -> bool:
    return path == row.path or path.startswith((f"{row.path}.", f"{row.path}[]."))


@pytest.mark.parametrize(("operation", "least"), [("CreateTrainingJob", 100), ("CreateProcessingJob", 40)])
def test_every_member_has_exactly_one_row(operation: str, least: int) -> None:
    leaves = [path for path, is_leaf in members_of(operation).items() if is_leaf]
    rows = {path: [row.path for row in MEMBERS[operation].rows if covers(row, path)] for path in leaves}

    assert len(rows) > least
    assert {path: found for path, found in rows.items() if len(found) != 1} == {}


@pytest.mark.parametrize("operation", MEMBERS)
def test_every_row_is_a_member_of_the_model_and_stands_once(operation: str) -> None:
    counted = Counter(row.path for row in MEMBERS[operation].rows)
    known = members_of(operation)

    assert [path for path, count in counted.items() if count > 1 or path not in known] == []


def test_every_row_says_what_it_means_and_what_to_do() -> None:
    for _, row in EVERY_ROW:
        assert row.meaning, row.path
        conditional = bool(row.accepted)
        assert bool(row.why) is conditional, row.path
        assert bool(row.instead) is (conditional or row.treatment is Treatment.REFUSED), row.path


def test_accepted_values_are_values_of_the_model() -> None:
    for operation, row in EVERY_ROW:
        enum = _shape_at(operation, row.path).metadata.get("enum")
        assert enum is None or set(row.accepted) <= set(enum), row.path


def _shape_at(operation: str, path: str) -> Any:
    shape: Any = input_shape(operation)
    for name in path.split("."):
        shape = shape.members[name.removesuffix("[]")]
        shape = shape.member if name.endswith("[]") else shape
    return shape


@pytest.mark.parametrize("name", ["sdk_v2_estimator", "sdk_v2_remote_function", "sdk_v3_model_trainer"])
def test_ordinary_requests_of_the_sdks_are_not_refused(name: str) -> None:
    assert refusals(REQUESTS[name]) == []


def test_each_refused_member_of_a_request_gets_a_sentence() -> None:
    assert refusals(REQUESTS["sdk_v2_spot_two_hosts"]) == [
        (
            "AlgorithmSpecification.TrainingInputMode: FastFile is not emulated: objects are copied before the "
            "container starts, and there are no FIFOs and no FastFile mount; use File, which puts the same "
            "objects into the channel's directory."
        ),
        (
            "CheckpointConfig: Checkpoints are neither restored nor uploaded; leave it out, and write what "
            "must be kept to /opt/ml/model or /opt/ml/output/data."
        ),
    ]


GROUP = {"InstanceGroupName": "a", "InstanceType": "ml.m5.large", "InstanceCount": 1}
CHANNEL = TRAINING_JOB["InputDataConfig"][0]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (
            {"InputDataConfig": [CHANNEL, {**CHANNEL, "InputMode": "Pipe"}]},
            "InputDataConfig[1].InputMode: Pipe",
        ),
        (
            {"InputDataConfig": [{**CHANNEL, "ShuffleConfig": {"Seed": 1}}]},
            "InputDataConfig[0].ShuffleConfig: ",
        ),
        (
            {"InputDataConfig": [{**CHANNEL, "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile"}}}]},
            "InputDataConfig[0].DataSource.S3DataSource.S3DataType: ManifestFile",
        ),
        (
            {"ResourceConfig": {"InstanceGroups": [GROUP, {**GROUP, "New": 2}]}},
            "ResourceConfig.InstanceGroups[1].New: ",
        ),
        ({"OutputDataConfig": {"CompressionType": "NONE"}}, "OutputDataConfig.CompressionType: NONE"),
        ({"RemoteDebugConfig": {"EnableRemoteDebug": True}}, "RemoteDebugConfig.EnableRemoteDebug: true"),
        ({"MlflowConfig": {"MlflowResourceArn": "arn"}}, "MlflowConfig: There is no managed MLflow here"),
    ],
)
def test_refused_members_and_values(change: dict[str, object], where: str) -> None:
    (sentence,) = refusals({**TRAINING_JOB, **change})

    assert sentence.startswith(where)


@pytest.mark.parametrize(
    "change",
    [
        {"ResourceConfig": {"InstanceGroups": [GROUP, {**GROUP, "InstanceCount": 2}]}},
        {"RemoteDebugConfig": {"EnableRemoteDebug": False}},
        {"CheckpointConfig": None},
        {"HyperParameters": {"CheckpointConfig": "x"}},
        {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
    ],
)
def test_what_is_not_refused(change: dict[str, object]) -> None:
    assert refusals({**TRAINING_JOB, **change}) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"NewConfig": {}}, "NewConfig: "),
        ({"StoppingCondition": {"NewLimit": 1}}, "StoppingCondition.NewLimit: "),
        ({"Tags": [{"Key": "a", "Value": "b", "New": "c"}]}, "Tags[0].New: "),
    ],
)
def test_a_member_that_only_a_newer_model_has_is_refused(change: dict[str, object], where: str) -> None:
    (sentence,) = refusals({**TRAINING_JOB, **change})

    assert sentence.startswith(f"{where}The emulator does not know this member yet")


@given(request=requests_for("CreateTrainingJob"))
def test_no_request_of_the_model_holds_a_member_without_a_row(request: dict[str, object]) -> None:
    assert not any("does not know" in sentence for sentence in refusals(request))


def test_operations_with_a_treatment_of_their_own_are_operations_of_the_service() -> None:
    assert set(OPERATIONS) <= operation_names()


def test_every_operation_has_a_treatment_and_is_refused_by_default() -> None:
    treatments = Counter(operation_treatment(name) for name in operation_names())

    assert treatments[Treatment.HONOURED] == 39
    assert treatments[Treatment.RECORDED] == 15
    assert treatments[Treatment.REFUSED] == len(operation_names()) - 54
    assert operation_treatment("CreateEndpoint") is Treatment.REFUSED
    assert operation_refusal("CreateEndpoint").startswith("CreateEndpoint is not emulated")


def test_recorded_operations_exist_in_moto() -> None:
    recorded = [name for name in OPERATIONS if operation_treatment(name) is Treatment.RECORDED]

    assert [name for name in recorded if not hasattr(SageMakerResponse, xform_name(name))] == []


def test_the_page_is_up_to_date() -> None:
    script = ROOT / "scripts" / "fidelity_doc.py"

    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
