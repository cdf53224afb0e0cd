"""The processing job operations on the wire: errors, lists, tags. Nothing here waits for a container."""

from __future__ import annotations

import json
import urllib.request
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.contract import life
from emulator.contract.arns import Scope
from emulator.contract.kinds import KINDS, PROCESSING, TRAINING, JobKind
from emulator.contract.outcome import Ended, HostExit, settle_processing
from emulator.endpoint import Endpoint
from tests.builders import outputs, processing_output, processing_record, processing_request, tags, training_request
from tests.jobs import Clients, experiment_config, refusal_of

ACCOUNT = "444455556666"
SCOPE = Scope(account=ACCOUNT)
IMAGE = "no/such-image:1"


@pytest.fixture(scope="module")
def own(endpoint: Endpoint) -> Clients:
    """Clients of an account of this file's own."""
    return Clients(endpoint.url, account=ACCOUNT)


def new_name() -> str:
    return f"Prep-{uuid.uuid4().hex[:10]}"


def create(clients: Clients, **changes: Any) -> str:
    """Create a job whose image does not exist and return its ARN."""
    request = {"ProcessingJobName": new_name(), "AppSpecification": {"ImageUri": IMAGE}, **changes}
    return str(clients.sagemaker.create_processing_job(**processing_request(**request))["ProcessingJobArn"])


def store(endpoint: Endpoint, name: str, *, status: str = "InProgress", at: float = 1000.0) -> None:
    """Store a job with this status, which nobody runs; one that has ended did so ten seconds after `at`."""
    facts = life.created(PROCESSING, at)
    if status == "Stopping":
        facts = life.stop_requested(PROCESSING, facts, at + 5)
    elif status != "InProgress":
        ended = Ended.STOP_REQUESTED if status == "Stopped" else Ended.BY_ITSELF
        exits = [HostExit(host="algo-1", exit_code=1)] if status == "Failed" else []
        facts = life.ended(PROCESSING, facts, settle_processing(ended, exits, {"algo-1": b"said"}), at + 10)
    endpoint.emulator.records.create(processing_record(name, scope=SCOPE, facts=facts))


# Names


def test_a_name_is_taken_in_whatever_case_by_jobs_of_its_kind(own: Clients) -> None:
    training = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    request: Any = training_request(TrainingJobName="Same-Name", AlgorithmSpecification=training)
    training_arn = own.sagemaker.create_training_job(**request)["TrainingJobArn"]
    arn = create(own, ProcessingJobName="Same-Name")
    assert [arn.replace("processing", "training"), training_arn] == [training_arn, TRAINING.arn(SCOPE, "Same-Name")]
    request = processing_request(ProcessingJobName="same-nAME")
    assert refusal_of(own.sagemaker.create_processing_job, **request) == (
        "ResourceInUse",
        f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})",
    )
    processing = own.sagemaker.describe_processing_job(ProcessingJobName="SAME-NAME")
    assert (processing["ProcessingJobArn"], processing["ProcessingJobName"]) == (arn, "Same-Name")
    assert own.sagemaker.describe_training_job(TrainingJobName="same-name")["TrainingJobArn"] == training_arn


# Describe


def test_describe_gives_back_everything_that_was_sent(own: Clients) -> None:
    sent = processing_request(
        ProcessingJobName=new_name(),
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["a"], "ContainerArguments": ["b"]},
        Environment={"A": "b"},
        ProcessingOutputConfig=outputs(processing_output(S3UploadMode="Continuous")),
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        NetworkConfig={
            "EnableNetworkIsolation": True,
            "EnableInterContainerTrafficEncryption": True,
            "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        },
        ExperimentConfig=experiment_config(own),
    )
    arn = own.sagemaker.create_processing_job(**sent, Tags=[{"Key": "team", "Value": "ads"}])["ProcessingJobArn"]
    described: Any = own.sagemaker.describe_processing_job(ProcessingJobName=sent["ProcessingJobName"])
    assert {name: described[name] for name in sent} == sent
    assert described["ProcessingJobArn"] == arn
    assert described["CreationTime"] <= described["LastModifiedTime"]
    assert "Tags" not in described
    assert own.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "ads"}]


def test_unknown_jobs(own: Clients) -> None:
    answers = {
        call: refusal_of(getattr(own.sagemaker, f"{call}_processing_job"), ProcessingJobName="unknown-job")
        for call in ("describe", "stop", "delete")
    }
    not_found = ("ValidationException", "Could not find requested job with name: unknown-job")
    gone = ("ResourceNotFound", "Requested resource not found.")
    assert answers == {"describe": not_found, "stop": not_found, "delete": gone}


# Lists


@pytest.fixture(scope="module")
def listed(own: Clients, endpoint: Endpoint) -> Clients:
    """Five jobs created at second 1000, 1100 and so on, whose names no other test's contain."""
    statuses = ("Completed", "Failed", "Stopped", "Completed", "InProgress")
    for number, (name, status) in enumerate(zip(("b0", "b1", "a2", "B3", "b4"), statuses, strict=True)):
        store(endpoint, f"listed-{name}", status=status, at=1000.0 + 100 * number)
    return own


def names(clients: Clients, **request: Any) -> list[str]:
    found = clients.sagemaker.list_processing_jobs(**{"NameContains": "listed", **request})["ProcessingJobSummaries"]
    return [one["ProcessingJobName"].removeprefix("listed-") for one in found]


def second(number: float) -> datetime:
    return datetime.fromtimestamp(number, UTC)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["b0", "b1", "a2", "B3", "b4"]),
        ({"SortOrder": "Descending"}, ["b4", "B3", "a2", "b1", "b0"]),
        ({"SortBy": "Name"}, ["a2", "b0", "b1", "B3", "b4"]),
        ({"SortBy": "Status"}, ["b0", "B3", "b1", "b4", "a2"]),
        ({"NameContains": "listed-B", "MaxResults": 2}, ["b0", "b1"]),
        ({"StatusEquals": "Completed"}, ["b0", "B3"]),
        ({"StatusEquals": "Completed", "MaxResults": 1, "SortOrder": "Descending"}, ["B3"]),
        ({"StatusEquals": "Stopping"}, []),
        ({"CreationTimeAfter": second(1100)}, ["a2", "B3", "b4"]),
        ({"CreationTimeAfter": second(1000), "CreationTimeBefore": second(1200)}, ["b1"]),
        ({"LastModifiedTimeAfter": second(1310)}, ["b4"]),
        ({"LastModifiedTimeBefore": second(1110)}, ["b0"]),
    ],
)
def test_filters_and_order(listed: Clients, request_: dict[str, Any], expected: list[str]) -> None:
    assert names(listed, **request_) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"SortBy": "Name"}, [["a2", "b0"], ["b1", "B3"], ["b4"]]),
        ({"StatusEquals": "Completed"}, [["b0", "B3"]]),
    ],
)
def test_pages_are_full_and_hold_every_job_once(
    listed: Clients, request_: dict[str, Any], expected: list[list[str]]
) -> None:
    pages = listed.sagemaker.get_paginator("list_processing_jobs").paginate(
        NameContains="listed", PaginationConfig={"PageSize": 2}, **request_
    )
    found = [[one["ProcessingJobName"] for one in page["ProcessingJobSummaries"]] for page in pages]
    assert [[name.removeprefix("listed-") for name in page] for page in found] == expected


def test_a_summary_has_the_service_s_members(listed: Clients) -> None:
    failed, running = (
        listed.sagemaker.list_processing_jobs(NameContains=name)["ProcessingJobSummaries"][0]
        for name in ("listed-b1", "listed-b4")
    )
    always = {"ProcessingJobName", "ProcessingJobArn", "CreationTime", "LastModifiedTime", "ProcessingJobStatus"}
    assert set(running) == always
    assert set(failed) == always | {"ProcessingEndTime", "FailureReason", "ExitMessage"}


def test_lists_are_of_one_kind_account_and_region(listed: Clients, endpoint: Endpoint) -> None:
    assert listed.sagemaker.list_training_jobs(NameContains="listed")["TrainingJobSummaries"] == []
    assert names(Clients(endpoint.url, account="333333333333")) == []
    assert names(Clients(endpoint.url, account=ACCOUNT, region="eu-west-1")) == []


def test_a_made_up_token_is_refused(listed: Clients) -> None:
    code, message = refusal_of(listed.sagemaker.list_processing_jobs, NextToken="made-up")
    assert (code, message.partition(":")[0]) == ("ValidationException", "Invalid NextToken")


# Stop and delete


def test_a_job_is_stopped_once_and_only_before_its_end(own: Clients, endpoint: Endpoint) -> None:
    store(endpoint, "to-stop")
    for _ in range(2):
        own.sagemaker.stop_processing_job(ProcessingJobName="To-Stop")
        assert own.sagemaker.describe_processing_job(ProcessingJobName="to-stop")["ProcessingJobStatus"] == "Stopping"
    store(endpoint, "stopped", status="Stopped")
    assert refusal_of(own.sagemaker.stop_processing_job, ProcessingJobName="stopped") == (
        "ValidationException",
        "The request was rejected because the processing job is in status Stopped.",
    )


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_job_that_has_not_ended_cannot_be_deleted(own: Clients, endpoint: Endpoint, status: str) -> None:
    name = f"still-{status}"
    store(endpoint, name, status=status)
    assert refusal_of(own.sagemaker.delete_processing_job, ProcessingJobName=name) == (
        "ResourceInUse",
        f"The processing job {PROCESSING.arn(SCOPE, name)} is in status {status}. "
        "Only a job that is Completed, Failed or Stopped can be deleted.",
    )


def test_delete_frees_the_name(own: Clients, endpoint: Endpoint) -> None:
    store(endpoint, "To-Delete", status="Failed")
    own.sagemaker.delete_processing_job(ProcessingJobName="to-delete")
    assert refusal_of(own.sagemaker.describe_processing_job, ProcessingJobName="To-Delete")[0] == "ValidationException"
    create(own, ProcessingJobName="to-delete")


# Tags


def test_tags_come_and_go(own: Clients) -> None:
    arn = create(own, Tags=[{"Key": "a", "Value": "1"}])
    answer = own.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "ü", "Value": ""}])
    assert answer["Tags"] == [{"Key": "a", "Value": "2"}, {"Key": "ü", "Value": ""}]
    own.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "unknown"])
    assert own.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "ü", "Value": ""}]


def test_tags_that_are_refused(own: Clients) -> None:
    arn = create(own, Tags=tags([("kept", "")]))
    many = tags([(f"k{number}", "v") for number in range(50)])
    assert refusal_of(own.sagemaker.add_tags, ResourceArn=arn, Tags=many) == (
        "ValidationException",
        "A resource can have at most 50 tags; this one would have 51.",
    )
    unknown = PROCESSING.arn(SCOPE, "unknown-job")
    not_found = ("ValidationException", "Could not find requested job with name: unknown-job")
    assert refusal_of(own.sagemaker.add_tags, ResourceArn=unknown, Tags=tags([("a", "b")])) == not_found
    assert refusal_of(own.sagemaker.list_tags, ResourceArn=unknown) == not_found
    assert refusal_of(own.sagemaker.delete_tags, ResourceArn=unknown, TagKeys=["a"]) == not_found
    elsewhere = PROCESSING.arn(Scope(account="333333333333"), "job")
    assert refusal_of(own.sagemaker.list_tags, ResourceArn=elsewhere) == (
        "ValidationException",
        f"The resource {elsewhere} is not of the caller's account {ACCOUNT} and region us-east-1.",
    )
    assert own.sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags([("kept", "")])


# How far a stage has come


@pytest.mark.parametrize("kind", KINDS)
def test_the_progress_of_a_job_is_found_by_its_arn(endpoint: Endpoint, kind: JobKind) -> None:
    paths = [f"{kind.arn(SCOPE, 'j')}/progress"]
    if kind is TRAINING:
        paths.append(f"{ACCOUNT}/us-east-1/j/progress")
    for path in paths:
        with urllib.request.urlopen(f"{endpoint.url}/_emulator/jobs/{path}", timeout=60) as answer:
            assert json.load(answer) == {"stage": "", "done_bytes": 0, "total_bytes": 0}
