"""What CreateTrainingJob refuses beyond the shape of the request, and the service's texts."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.contract import requests
from emulator.contract.arns import S3Uri
from emulator.contract.kinds import TRAINING
from emulator.contract.requests import check_training_job, merged_tags
from emulator.errors import ResourceInUseError, ResourceLimitExceededError, ValidationError
from tests.builders import algorithm, channel_request, instance_group, tags, training_request

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/n"


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        check_training_job(training_request(**changes))
    assert raised.value.code == "ValidationException"
    return raised.value.message


def check(**changes: Any) -> None:
    check_training_job(training_request(**changes))


def one_group(name: str = "g") -> dict[str, Any]:
    return {"InstanceGroups": [instance_group(name, "ml.m5.large")]}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"InputDataConfig": [channel_request("train"), channel_request("test")]},
        {"InputDataConfig": [channel_request("whole-bucket", "s3://bucket")]},
        {"AlgorithmSpecification": algorithm(MetricDefinitions=[{"Name": "m", "Regex": "(.*)"}])},
        {"ResourceConfig": one_group()},
        {"ResourceConfig": one_group(), "InputDataConfig": [channel_request(source={"InstanceGroupNames": ["g"]})]},
        {"StoppingCondition": {}},
        {"StoppingCondition": {"MaxRuntimeInSeconds": 2419200}},
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        },
        {"Tags": tags({"a": "1", "A": "2"})},
    ],
)
def test_what_is_accepted(changes: dict[str, Any]) -> None:
    check(**changes)


# Missing members


def test_a_missing_member_in_the_words_of_the_service() -> None:
    assert refusal(StoppingCondition=None) == (
        "1 validation error detected: Value null at 'stoppingCondition' failed to satisfy constraint: "
        "Member must not be null"
    )


def test_all_missing_members_are_told_at_once() -> None:
    assert refusal(AlgorithmSpecification=None, ResourceConfig=None) == (
        "2 validation errors detected: "
        "Value null at 'algorithmSpecification' failed to satisfy constraint: Member must not be null; "
        "Value null at 'resourceConfig' failed to satisfy constraint: Member must not be null"
    )


def test_an_algorithm_needs_an_image() -> None:
    assert "TrainingImage" in refusal(AlgorithmSpecification=algorithm(TrainingImage=None))


@pytest.mark.parametrize("missing", ["InstanceType", "InstanceCount"])
def test_instances_need_a_type_and_a_count(missing: str) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    del resources[missing]
    assert refusal(ResourceConfig=resources) == f"ResourceConfig must have {missing}."


# Channels


def test_two_channels_of_one_name() -> None:
    twice = [channel_request("train"), channel_request("train"), channel_request("test")]
    assert refusal(InputDataConfig=twice).endswith("repeated: train")


@pytest.mark.parametrize("name", [".", ".."])
def test_a_channel_name_that_is_no_directory_name(name: str) -> None:
    assert "cannot be a directory name" in refusal(InputDataConfig=[channel_request(name)])


def test_a_channel_in_the_place_of_another_ones_manifest() -> None:
    both = [channel_request("train-manifest"), channel_request("train")]
    assert "manifest file of the channel 'train'" in refusal(InputDataConfig=both)


def test_a_channel_without_an_s3_source() -> None:
    lone = {"ChannelName": "train", "DataSource": {}}
    assert "'train' must have a DataSource with an S3DataSource" in refusal(InputDataConfig=[lone])


@pytest.mark.parametrize("uri", ["bucket/key", "s3://", "/local/path"])
def test_addresses_must_be_s3_uris(uri: str) -> None:
    assert "Invalid S3 URI" in refusal(InputDataConfig=[channel_request(uri=uri)])
    assert "Invalid S3 URI" in refusal(OutputDataConfig={"S3OutputPath": uri})


@pytest.mark.parametrize("resources", [{"InstanceType": "ml.m5.large", "InstanceCount": 1}, one_group("other")])
def test_a_channel_for_an_instance_group_that_is_not_there(resources: dict[str, Any]) -> None:
    channels = [channel_request(source={"InstanceGroupNames": ["g"]})]
    text = refusal(ResourceConfig=resources, InputDataConfig=channels)
    assert text == ("The channel 'train' names instance groups that ResourceConfig.InstanceGroups does not have: g")


def test_a_prefix_without_objects_in_the_words_of_the_service() -> None:
    error = requests.no_objects(S3Uri.parse("s3://b/p"), "arn:aws:iam::123456789012:role/R", "us-west-2")
    assert error.code == "ValidationException"
    assert error.message == (
        'No S3 objects found under S3 URL "s3://b/p" given in input data source. Please ensure that the bucket '
        "exists in the selected region (us-west-2), that objects exist under that S3 prefix, and that the role "
        '"arn:aws:iam::123456789012:role/R" has "s3:ListBucket" permissions on bucket "b".'
    )


# Instances


def test_no_instance_at_all() -> None:
    none = {"InstanceType": "ml.m5.large", "InstanceCount": 0}
    assert "at least one instance" in refusal(ResourceConfig=none)
    assert "at least one instance" in refusal(ResourceConfig={"InstanceGroups": [instance_group("g", "t", 0)]})


def test_more_hosts_than_a_job_may_have() -> None:
    config = {"InstanceGroups": [instance_group("a", "ml.m5.large", 30), instance_group("b", "ml.m5.large", 31)]}
    with pytest.raises(ResourceLimitExceededError, match=r"is 60 Instances, .* a request delta of 61 Instances"):
        check_training_job(training_request(ResourceConfig=config))


def test_instance_groups_beside_an_instance_type() -> None:
    assert "leave out InstanceType" in refusal(ResourceConfig={"InstanceType": "ml.m5.large", **one_group()})


def test_instance_groups_of_one_name() -> None:
    groups = [instance_group("g", "ml.m5.large"), instance_group("g", "ml.p3.2xlarge")]
    assert "a name of its own" in refusal(ResourceConfig={"InstanceGroups": groups})


# Time limits


def test_a_spot_wait_without_spot_in_the_words_of_the_service() -> None:
    assert refusal(StoppingCondition={"MaxWaitTimeInSeconds": 60}) == (
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
    )


@pytest.mark.parametrize("stopping", [{}, {"MaxRuntimeInSeconds": 61, "MaxWaitTimeInSeconds": 60}])
def test_spot_needs_a_wait_as_long_as_the_run(stopping: dict[str, int]) -> None:
    text = refusal(EnableManagedSpotTraining=True, StoppingCondition=stopping)
    assert text.startswith("Invalid MaxWaitTimeInSeconds.")


def test_a_job_runs_at_most_28_days() -> None:
    assert "28 days" in refusal(StoppingCondition={"MaxRuntimeInSeconds": 2419201})


# Metric definitions and tags


def test_a_metric_definition_that_is_no_expression() -> None:
    definitions = [{"Name": "ok", "Regex": "(.)"}, {"Name": "broken", "Regex": "("}]
    assert "'broken'" in refusal(AlgorithmSpecification=algorithm(MetricDefinitions=definitions))


def test_a_tag_key_twice() -> None:
    assert refusal(Tags=tags([("a", "1"), ("b", "2"), ("a", "3")])).endswith("repeated: a")


def test_added_tags_replace_known_keys_and_keep_the_rest() -> None:
    assert merged_tags({"a": "1", "b": "2"}, tags({"b": "3", "c": "4"})) == {"a": "1", "b": "3", "c": "4"}


def test_a_resource_has_at_most_50_tags() -> None:
    full = {str(number): "" for number in range(50)}
    assert merged_tags(full, tags({"0": "replaced"}))["0"] == "replaced"
    with pytest.raises(ValidationError, match="at most 50 tags"):
        merged_tags(full, tags({"new": ""}))


# Other answers


def test_a_name_that_is_taken_in_the_words_of_the_service() -> None:
    error = requests.name_taken(ARN)
    assert isinstance(error, ResourceInUseError)
    assert (error.code, error.status) == ("ResourceInUse", 400)
    assert error.message == (
        "Training job names must be unique within an AWS account and region, and a training job with this name "
        f"already exists ({ARN})"
    )


def test_an_unknown_job_is_a_validation_exception() -> None:
    error = requests.not_found(TRAINING, "n")
    assert (error.code, error.message) == ("ValidationException", "Requested resource not found.")


def test_a_job_that_has_ended_cannot_be_stopped() -> None:
    error = requests.not_stoppable(TRAINING, "Completed")
    assert error.code == "ValidationException"
    assert error.message == "The request was rejected because the training job is in status Completed."


def test_a_job_that_runs_cannot_be_deleted() -> None:
    error = requests.not_deletable(ARN, "InProgress")
    assert error.code == "ResourceInUse"
    assert "InProgress" in error.message
