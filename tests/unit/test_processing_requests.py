"""What CreateProcessingJob refuses beyond the shape of the request: processing.md 2.2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from emulator.api.service_model import validated
from emulator.contract import requests
from emulator.contract.arns import Scope
from emulator.contract.fidelity import refusals
from emulator.contract.kinds import PROCESSING
from emulator.contract.processing_job import ProcessingJob
from emulator.contract.processing_requests import check_processing_job
from emulator.errors import ResourceLimitExceededError, ValidationError
from tests.builders import SCOPE, cluster, outputs, processing_input, processing_output, processing_request, tags
from tests.strategies import requests_for

REQUESTS = json.loads((Path(__file__).parent / "data" / "processing_job_requests.json").read_text(encoding="utf-8"))
ARN = PROCESSING.arn(SCOPE, "n")


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        check_processing_job(processing_request(**changes))
    assert raised.value.code == "ValidationException"
    return raised.value.message


def refused_input(*entries: dict[str, Any]) -> str:
    return refusal(ProcessingInputs=list(entries))


@pytest.mark.parametrize("name", REQUESTS)
def test_ordinary_requests_of_the_sdk_are_taken(name: str) -> None:
    request = validated("CreateProcessingJob", REQUESTS[name])
    assert refusals("CreateProcessingJob", request) == []
    check_processing_job(request)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ProcessingInputs": [], "ProcessingOutputConfig": outputs()},
        {"ProcessingInputs": [processing_input("a", local_path="/opt/ml/processing/a/")]},
        {"ProcessingInputs": [processing_input("a"), processing_input("b", local_path="/opt/ml/processing/a/b")]},
        {
            "ProcessingInputs": [processing_input("a")],
            "ProcessingOutputConfig": outputs(processing_output("b", local_path="/opt/ml/processing/a/b")),
        },
        {
            "ProcessingInputs": [processing_input("same")],
            "ProcessingOutputConfig": outputs(processing_output("same", local_path="/opt/ml/processing/other")),
        },
        {
            "ProcessingInputs": [
                {"InputName": "a", "AppManaged": True},
                processing_input("b", managed=True, LocalPath=None),
            ]
        },
        {"ProcessingOutputConfig": outputs(processing_output("b", managed=True, LocalPath=None))},
        {"ProcessingResources": {"ClusterConfig": cluster(InstanceCount=None)}},
        {"Environment": {"A": "two\nlines"}},
    ],
)
def test_what_is_accepted(changes: dict[str, Any]) -> None:
    check_processing_job(processing_request(**changes))


# Inputs and outputs


@pytest.mark.parametrize(
    "path",
    [
        "/opt/ml/input/data",
        "data",
        "opt/ml/processing/a",
        "/opt/ml/processing",
        "/opt/ml/processing/",
        "/opt/ml/processing2/a",
        "//opt/ml/processing/a",
        "",
    ],
)
def test_a_local_path_lies_below_opt_ml_processing(path: str) -> None:
    text = "must begin with /opt/ml/processing/ and a name."
    assert refused_input(processing_input("in", local_path=path)).endswith(f"of the processing input 'in' {text}")
    output = processing_output("out", local_path=path, managed=True)
    assert refusal(ProcessingOutputConfig=outputs(output)).endswith(f"of the processing output 'out' {text}")


@pytest.mark.parametrize("name", ["../x", "a/../../../etc", "a\0b", "x" * 256])
def test_a_local_path_is_a_directory_that_can_be(name: str) -> None:
    assert "cannot be a directory" in refused_input(processing_input(local_path=f"/opt/ml/processing/{name}"))


def test_a_local_path_is_required_unless_the_program_manages_the_data() -> None:
    assert "'in' must have a LocalPath" in refused_input(processing_input(LocalPath=None))
    assert "'in' must have a LocalPath" in refused_input(processing_input(LocalPath=None, managed=False))
    assert "'out' must have a LocalPath" in refusal(ProcessingOutputConfig=outputs(processing_output(LocalPath=None)))


def test_data_without_an_address() -> None:
    assert refused_input({"InputName": "a"}) == "The processing input 'a' must have an S3Input."
    assert refusal(ProcessingOutputConfig=outputs({"OutputName": "a", "AppManaged": False})) == (
        "The processing output 'a' must have an S3Output."
    )


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ((processing_input("a"), processing_input("b", local_path="/opt/ml/processing/a/")), outputs()),
        ((processing_input("a"),), outputs(processing_output("b", local_path="/opt/ml/processing/a"))),
        ((), outputs(processing_output("a"), processing_output("b", local_path="/opt/ml/processing/./a"))),
    ],
)
def test_no_two_inputs_or_outputs_have_one_local_path(inputs: tuple[Any, ...], found: dict[str, Any]) -> None:
    text = refusal(ProcessingInputs=list(inputs), ProcessingOutputConfig=found)
    assert text == (
        "Every processing input and output must have a LocalPath of its own; repeated: /opt/ml/processing/a"
    )


def test_names_of_inputs_and_of_outputs_are_unique() -> None:
    twice = [processing_input("a"), processing_input("a", local_path="/opt/ml/processing/b")]
    assert refused_input(*twice) == "The names of processing inputs must be unique; repeated: a"


@pytest.mark.parametrize("uri", ["bucket/key", "s3://"])
def test_addresses_must_be_s3_uris(uri: str) -> None:
    assert "Invalid S3 URI" in refused_input(processing_input(uri=uri))
    assert "Invalid S3 URI" in refusal(ProcessingOutputConfig=outputs(processing_output(uri=uri)))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"S3InputMode": "Pipe"}, "S3InputMode: Pipe is not emulated"),
        ({"S3CompressionType": "Gzip"}, "S3CompressionType: Gzip is not emulated"),
    ],
)
def test_pipes_are_refused_by_name(changes: dict[str, Any], where: str) -> None:
    (sentence,) = refusals("CreateProcessingJob", processing_request(ProcessingInputs=[processing_input(**changes)]))
    assert sentence.startswith(f"ProcessingInputs[0].S3Input.{where}")


def test_data_from_and_to_elsewhere_is_refused_by_name() -> None:
    request = processing_request(
        ProcessingInputs=[{"InputName": "a", "DatasetDefinition": {"LocalPath": "/opt/ml/processing/a"}}],
        ProcessingOutputConfig=outputs(
            {"OutputName": "b", "AppManaged": True, "FeatureStoreOutput": {"FeatureGroupName": "g"}}
        ),
    )
    assert [sentence.partition(":")[0] for sentence in refusals("CreateProcessingJob", request)] == [
        "ProcessingInputs[0].DatasetDefinition",
        "ProcessingOutputConfig.Outputs[0].FeatureStoreOutput",
    ]


# Instances and the rest


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (cluster(InstanceType=None), "exactly one of InstanceType and InstancePreferences"),
        (cluster(InstancePreferences=[{"InstanceType": "a"}]), "exactly one of InstanceType and InstancePreferences"),
        (
            cluster(InstanceType=None, InstancePreferences=[{"InstanceType": "a", "InstanceCount": 1}]),
            "either once in ClusterConfig or in every entry",
        ),
        (
            cluster(
                InstanceType=None,
                InstanceCount=None,
                InstancePreferences=[{"InstanceType": "a", "InstanceCount": 1}, {"InstanceType": "b"}],
            ),
            "either once in ClusterConfig or in every entry",
        ),
    ],
)
def test_instances_are_said_in_one_way(config: dict[str, Any], text: str) -> None:
    assert text in refusal(ProcessingResources={"ClusterConfig": config})


def test_more_hosts_than_a_job_may_have() -> None:
    with pytest.raises(ResourceLimitExceededError, match="processing job usage' is 60 Instances"):
        check_processing_job(processing_request(ProcessingResources={"ClusterConfig": cluster(InstanceCount=61)}))


def test_an_image_has_a_name() -> None:
    assert "ImageUri" in refusal(AppSpecification={"ImageUri": ""})


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"Environment": {"A": "a\0"}}, "Environment"),
        ({"AppSpecification": {"ImageUri": "i", "ContainerArguments": ["\0"]}}, "AppSpecification.ContainerArguments"),
    ],
)
def test_what_no_process_can_be_given(changes: dict[str, Any], where: str) -> None:
    assert refusal(**changes).startswith(f"{where} holds a NUL character")


def test_a_tag_key_twice() -> None:
    assert refusal(Tags=tags([("a", "1"), ("a", "2")])).endswith("repeated: a")


@given(requests_for("CreateProcessingJob"))
def test_any_request_of_the_model_is_refused_or_can_be_read(request: dict[str, Any]) -> None:
    request = validated("CreateProcessingJob", request)
    refused = refusals("CreateProcessingJob", request)
    assert not any("does not know" in sentence for sentence in refused)
    if refused:
        return
    try:
        check_processing_job(request)
    except (ValidationError, ResourceLimitExceededError):
        return
    assert ProcessingJob.parse(request, Scope()).hosts


# Answers about jobs


def test_a_name_that_is_taken_in_the_words_of_the_service() -> None:
    error = requests.name_taken(ARN)
    assert (error.code, error.message) == (
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, and a job with this name already exists "
        "(arn:aws:sagemaker:us-east-1:123456789012:processing-job/n)",
    )


def test_an_unknown_job_is_a_validation_exception() -> None:
    error = requests.not_found(PROCESSING, "Prep-1")
    assert (error.code, error.message) == ("ValidationException", "Could not find requested job with name: Prep-1")


def test_a_job_in_the_wrong_status_is_called_a_processing_job() -> None:
    assert requests.not_stoppable(PROCESSING, "Failed").message == (
        "The request was rejected because the processing job is in status Failed."
    )
    assert requests.not_deletable(ARN, "InProgress").message.startswith(f"The processing job {ARN} is in status")
