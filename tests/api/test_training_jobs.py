"""The training job operations on the wire: checks, errors, lists, tags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.jobs import ROLE, Clients, Job, TrainingJobs, experiment_config

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import TagTypeDef


NO_IMAGE = {"TrainingImage": "no/such-image:1", "TrainingInputMode": "File"}


def refused(jobs: TrainingJobs, **changes: Any) -> tuple[str, str]:
    """Return code and message of the answer to a CreateTrainingJob that must not be accepted."""
    with pytest.raises(ClientError) as error:
        jobs.create(**changes)
    return code_and_message(error.value)


def code_and_message(error: ClientError) -> tuple[str, str]:
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error.response["Error"]["Code"], error.response["Error"]["Message"]


# Checks at creation


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"TrainingJobName": "x_y"},
            "1 validation error detected: Value 'x_y' at 'trainingJobName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"TrainingJobName": "n" * 64},
            "Member must have length less than or equal to 63",
        ),
        (
            {"ResourceConfig": {"InstanceType": "local", "InstanceCount": 1, "VolumeSizeInGB": 1}},
            "Value 'local' at 'resourceConfig.instanceType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [",
        ),
        (
            {"Environment": {"a-b": "c"}},
            "failed to satisfy constraint: Map keys must satisfy constraint: [",
        ),
        ({"RoleArn": "arn:aws:iam::1:role/Name-of-it"}, "at 'roleArn' failed to satisfy constraint"),
        (
            {"StoppingCondition": None},
            "Value null at 'stoppingCondition' failed to satisfy constraint: Member must not be null",
        ),
    ],
)
def test_the_service_model_s_rules_have_the_service_s_text(
    jobs: TrainingJobs, changes: dict[str, Any], message: str
) -> None:
    code, text = refused(jobs, **changes)
    assert code == "ValidationException"
    assert message in text


def test_all_violations_are_told_at_once(jobs: TrainingJobs) -> None:
    _, text = refused(jobs, TrainingJobName="-", HyperParameters={"k" * 257: "v"})
    assert text.startswith("2 validation errors detected: ")


def test_a_name_is_taken_in_whatever_case(jobs: TrainingJobs) -> None:
    job = jobs.create(TrainingJobName="Taken-Name", AlgorithmSpecification=NO_IMAGE)
    arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/taken-name"
    expected = (
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job with this name "
        f"already exists ({arn})",
    )
    assert job.describe()["TrainingJobArn"] == arn
    assert refused(jobs, TrainingJobName="taken-nAME") == expected


@pytest.mark.parametrize("uri", ["s3://BUCKET/nothing/here", "s3://no-such-bucket-at-all/x"])
def test_an_input_without_objects_is_refused_at_once(jobs: TrainingJobs, uri: str) -> None:
    uri = uri.replace("BUCKET", jobs.bucket)
    bucket = uri.split("/")[2]
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    assert refused(jobs, InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}]) == (
        "ValidationException",
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f'the selected region (us-east-1), that objects exist under that S3 prefix, and that the role "{ROLE}" has '
        f'"s3:ListBucket" permissions on bucket "{bucket}".',
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}},
        {"AlgorithmSpecification": {"TrainingInputMode": "FastFile"}},
        {"CheckpointConfig": {"S3Uri": "s3://b/c"}},
        {"OutputDataConfig": {"S3OutputPath": "s3://b/o", "CompressionType": "NONE"}},
    ],
)
def test_what_is_not_emulated_is_refused_and_named(jobs: TrainingJobs, changes: dict[str, Any]) -> None:
    code, text = refused(jobs, **changes)
    assert code == "ValidationException"
    assert text.startswith("Not emulated: ")
    assert any(name in text for name in ("Pipe", "FastFile", "CheckpointConfig", "NONE"))


def test_max_wait_time_needs_spot(jobs: TrainingJobs) -> None:
    assert refused(jobs, StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}) == (
        "ValidationException",
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true",
    )


def test_a_broken_metric_regex_is_refused(jobs: TrainingJobs) -> None:
    _, text = refused(jobs, AlgorithmSpecification={"MetricDefinitions": [{"Name": "m", "Regex": "("}]})
    assert "Invalid regular expression for the metric 'm'" in text


def test_refused_jobs_do_not_exist(jobs: TrainingJobs, clients: Clients) -> None:
    refused(jobs, TrainingJobName="never-was", CheckpointConfig={"S3Uri": "s3://b/c"})
    with pytest.raises(ClientError) as error:
        clients.sagemaker.describe_training_job(TrainingJobName="never-was")
    assert code_and_message(error.value) == ("ValidationException", "Requested resource not found.")


# Describe


def test_describe_gives_back_everything_that_was_sent(jobs: TrainingJobs) -> None:
    channel = jobs.channel("train", {"/a": b"1"}, ContentType="text/csv", InputMode="File")
    request = jobs.request(
        AlgorithmSpecification={
            **NO_IMAGE,
            "ContainerEntrypoint": ["a"],
            "ContainerArguments": ["b"],
            "MetricDefinitions": [{"Name": "m", "Regex": "m=(.*)"}],
            "TrainingImageConfig": {"TrainingRepositoryAccessMode": "Platform"},
        },
        HyperParameters={"a": "1"},
        Environment={"B": "2"},
        InputDataConfig=[channel],
        VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        EnableNetworkIsolation=True,
        EnableInterContainerTrafficEncryption=True,
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        RetryStrategy={"MaximumRetryAttempts": 2},
        ExperimentConfig=experiment_config(jobs.clients),
        ProfilerConfig={"DisableProfiler": True},
        DebugHookConfig={"S3OutputPath": f"s3://{jobs.bucket}/debug"},
        RemoteDebugConfig={"EnableRemoteDebug": False},
        Tags=[{"Key": "team", "Value": "ads"}],
    )
    described = Job(jobs.clients, jobs.create(**request).name, jobs.bucket).ended().describe()
    sent = {name: value for name, value in request.items() if name != "Tags"}
    assert contains(described, sent)
    assert "Tags" not in described
    assert described["OutputDataConfig"]["KmsKeyId"] == ""
    assert described["InputDataConfig"][0]["CompressionType"] == "None"


def contains(found: Any, sent: Any) -> bool:
    """Tell whether a document has all of another; it may have more."""
    if isinstance(sent, dict):
        return all(name in found and contains(found[name], value) for name, value in sent.items())
    if isinstance(sent, list):
        return len(found) == len(sent) and all(map(contains, found, sent))
    return bool(found == sent)


def test_the_enable_flags_and_model_artifacts_are_always_there(jobs: TrainingJobs) -> None:
    described = jobs.create(AlgorithmSpecification=NO_IMAGE).describe()
    assert described["ModelArtifacts"]["S3ModelArtifacts"].endswith("/output/model.tar.gz")
    for flag in ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"):
        assert described[flag] is False


def test_look_up_ignores_case(jobs: TrainingJobs, clients: Clients) -> None:
    jobs.create(TrainingJobName="Camel-Case", AlgorithmSpecification=NO_IMAGE)
    assert clients.sagemaker.describe_training_job(TrainingJobName="camel-case")["TrainingJobName"] == "Camel-Case"


def test_the_waiter_of_boto3_understands_the_answers(jobs: TrainingJobs, clients: Clients) -> None:
    waiter = clients.sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=jobs.running("true").ended().name)


# Lists


@pytest.fixture(scope="module")
def listed(endpoint_url_of_its_own: Clients) -> Clients:
    """An account of its own with five jobs that ended at once: b0, b1, a2, b3, b4."""
    clients = endpoint_url_of_its_own
    clients.s3.create_bucket(Bucket="listed-jobs")
    for name in ("b0", "b1", "a2", "B3", "b4"):
        jobs = TrainingJobs(clients, "listed-jobs", lambda name: name)
        jobs.create(TrainingJobName=name, AlgorithmSpecification=NO_IMAGE).ended()
    return clients


@pytest.fixture(scope="module")
def endpoint_url_of_its_own(endpoint: Any) -> Clients:
    """Clients of an account that no other test uses."""
    return Clients(endpoint.url, account="222222222222")


def names(clients: Clients, **request: Any) -> list[str]:
    return [one["TrainingJobName"] for one in clients.sagemaker.list_training_jobs(**request)["TrainingJobSummaries"]]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, ["b4", "B3", "a2", "b1", "b0"]),
        ({"SortOrder": "Ascending"}, ["b0", "b1", "a2", "B3", "b4"]),
        ({"SortBy": "Name", "SortOrder": "Ascending"}, ["a2", "b0", "b1", "B3", "b4"]),
        ({"SortBy": "Status", "SortOrder": "Ascending"}, ["b0", "b1", "a2", "B3", "b4"]),
        ({"NameContains": "b", "MaxResults": 2}, ["b4", "B3"]),
        ({"StatusEquals": "Completed"}, []),
        ({"StatusEquals": "Failed", "MaxResults": 1}, ["b4"]),
        ({"CreationTimeAfter": datetime.now(UTC) + timedelta(days=1)}, []),
        ({"LastModifiedTimeBefore": datetime.now(UTC) + timedelta(days=1), "NameContains": "a"}, ["a2"]),
        ({"WarmPoolStatusEquals": "Available"}, []),
    ],
)
def test_filters_and_order(listed: Clients, request_: dict[str, Any], expected: list[str]) -> None:
    assert names(listed, **request_) == expected


def test_pages_hold_every_job_once(listed: Clients) -> None:
    pages = listed.sagemaker.get_paginator("list_training_jobs").paginate(
        SortBy="Name", PaginationConfig={"PageSize": 2}
    )
    found = [[one["TrainingJobName"] for one in page["TrainingJobSummaries"]] for page in pages]
    assert found == [["b4", "B3"], ["b1", "b0"], ["a2"]]


def test_a_summary_has_the_service_s_members(listed: Clients) -> None:
    (summary,) = listed.sagemaker.list_training_jobs(NameContains="a2")["TrainingJobSummaries"]
    assert set(summary) == {
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
    }


def test_a_made_up_token_is_refused(listed: Clients) -> None:
    with pytest.raises(ClientError, match="Invalid NextToken"):
        names(listed, NextToken="made-up")


def test_accounts_and_regions_are_apart(listed: Clients, endpoint: Any) -> None:
    assert names(Clients(endpoint.url, account="333333333333")) == []
    assert names(Clients(endpoint.url, account="222222222222", region="eu-west-1")) == []
    assert len(names(listed)) == 5


# Stop and delete


def test_delete_frees_the_name(jobs: TrainingJobs, clients: Clients) -> None:
    job = jobs.create(AlgorithmSpecification=NO_IMAGE).ended()
    clients.sagemaker.delete_training_job(TrainingJobName=job.name)
    with pytest.raises(ClientError, match="Requested resource not found"):
        job.describe()
    jobs.create(TrainingJobName=job.name, AlgorithmSpecification=NO_IMAGE)


def test_a_running_job_cannot_be_deleted(jobs: TrainingJobs, clients: Clients) -> None:
    job = jobs.running("sleep 3600").training()
    with pytest.raises(clients.sagemaker.exceptions.ResourceInUse):
        clients.sagemaker.delete_training_job(TrainingJobName=job.name)
    job.stop().ended()


def test_unknown_jobs_are_a_validation_exception(clients: Clients) -> None:
    for call in (clients.sagemaker.describe_training_job, clients.sagemaker.stop_training_job):
        with pytest.raises(ClientError) as error:
            call(TrainingJobName="unknown-job")
        assert code_and_message(error.value) == ("ValidationException", "Requested resource not found.")


# Tags


def test_tags_come_and_go(jobs: TrainingJobs, clients: Clients) -> None:
    job = jobs.create(AlgorithmSpecification=NO_IMAGE, Tags=[{"Key": "a", "Value": "1"}])
    arn = job.describe()["TrainingJobArn"]
    answer = clients.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "ü", "Value": ""}])
    assert answer["Tags"] == [{"Key": "a", "Value": "2"}, {"Key": "ü", "Value": ""}]
    clients.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a", "unknown"])
    assert clients.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "ü", "Value": ""}]


def test_a_resource_has_at_most_fifty_tags(jobs: TrainingJobs, clients: Clients) -> None:
    arn = jobs.create(AlgorithmSpecification=NO_IMAGE).describe()["TrainingJobArn"]
    many: list[TagTypeDef] = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    clients.sagemaker.add_tags(ResourceArn=arn, Tags=many)
    with pytest.raises(ClientError, match="at most 50 tags"):
        clients.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "one-more", "Value": ""}])
