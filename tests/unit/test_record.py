"""Describe answers and the entries of lists: training.md 5.5 and 5.7, processing.md 3 and 3.1."""

from __future__ import annotations

from typing import Any

from emulator.api.service_model import output_members
from emulator.contract import processing_status, status
from emulator.contract.outcome import Outcome
from emulator.contract.record import describe, summary
from emulator.contract.status import JobStatus, SecondaryStatus
from tests.builders import (
    ROLE,
    algorithm,
    channel_request,
    cluster,
    job_record,
    outputs,
    processing_input,
    processing_output,
    processing_record,
    tags,
    training_request,
)

DEFINITIONS = [{"Name": "loss", "Regex": "loss=(.)"}]


def test_describe_of_a_job_just_created() -> None:
    assert describe(job_record("Job-1")) == {
        "TrainingJobName": "Job-1",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/out/Job-1/output/model.tar.gz"},
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"KmsKeyId": "", "S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "CreationTime": 1000.0,
        "LastModifiedTime": 1000.0,
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": 1000.0, "StatusMessage": "Starting the training job"}
        ],
    }


def test_what_was_sent_is_shown_as_it_was_sent() -> None:
    sent: dict[str, Any] = {
        "HyperParameters": {"epochs": "3"},
        "Environment": {"A": "b"},
        "EnableNetworkIsolation": True,
        "OutputDataConfig": {"KmsKeyId": "key", "S3OutputPath": "s3://bucket/out/"},
        "ExperimentConfig": {"ExperimentName": "e", "RunName": "e-run"},
        "DebugHookConfig": {"S3OutputPath": "s3://bucket", "CollectionConfigurations": []},
    }
    described = describe(job_record(**sent))
    assert {name: described[name] for name in sent} == sent


def test_tags_are_not_part_of_describe() -> None:
    assert "Tags" not in describe(job_record(Tags=tags({"a": "b"}), tags={"a": "b"}))


def test_channels_get_their_defaults() -> None:
    sent = channel_request("train")
    (shown,) = describe(job_record(InputDataConfig=[sent]))["InputDataConfig"]
    assert shown == {**sent, "CompressionType": "None", "RecordWrapperType": "None"}


def test_a_job_without_channels_shows_none() -> None:
    assert "InputDataConfig" not in describe(job_record())


def test_a_job_without_a_time_limit_has_a_day() -> None:
    assert describe(job_record(StoppingCondition={}))["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}


def test_metric_definitions_turn_the_time_series_on_by_themselves() -> None:
    def shown(**changes: object) -> object:
        record = job_record(AlgorithmSpecification=algorithm(**changes))
        return describe(record)["AlgorithmSpecification"].get("EnableSageMakerMetricsTimeSeries")

    assert shown() is None
    assert shown(MetricDefinitions=DEFINITIONS) is True
    assert shown(MetricDefinitions=DEFINITIONS, EnableSageMakerMetricsTimeSeries=False) is False


def test_describe_leaves_the_record_alone() -> None:
    record = job_record(AlgorithmSpecification=algorithm(MetricDefinitions=DEFINITIONS), InputDataConfig=[])
    before = repr(record)
    describe(record)
    assert repr(record) == before
    assert record.request == training_request(
        AlgorithmSpecification=algorithm(MetricDefinitions=DEFINITIONS), InputDataConfig=[]
    )


def test_facts_of_the_end_are_shown() -> None:
    record = job_record()
    ended = status.ended(
        status.entered(record.facts, SecondaryStatus.DOWNLOADING, status.DOWNLOADING_INPUT, 1001),
        JobStatus.FAILED,
        SecondaryStatus.FAILED,
        at=1005,
        failure_reason="AlgorithmError: , exit code: 1",
    )
    described = describe(record.with_facts(ended))
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert described["TrainingTimeInSeconds"] == 4
    assert described["ModelArtifacts"]["S3ModelArtifacts"].endswith("/Job-1/output/model.tar.gz")


def test_a_summary_has_an_end_only_when_there_is_one() -> None:
    record = job_record("Job-1")
    running = summary(record)
    assert running == {
        "TrainingJobName": "Job-1",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1",
        "CreationTime": 1000.0,
        "LastModifiedTime": 1000.0,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
    }
    facts = {**record.facts, "TrainingEndTime": 1005.0}
    assert summary(record.with_facts(facts)) == {**running, "TrainingEndTime": 1005.0}


def test_names_are_one_without_regard_to_case() -> None:
    assert job_record("JOB-a").arn == job_record("job-A").arn != job_record("job-b").arn


# Processing jobs


def test_describe_of_a_processing_job_just_created() -> None:
    assert describe(processing_record("Prep-1")) == {
        "ProcessingJobName": "Prep-1",
        "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:processing-job/prep-1",
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "ProcessingJobStatus": "InProgress",
        "CreationTime": 1000.0,
        "LastModifiedTime": 1000.0,
    }


def test_what_was_sent_for_processing_is_shown_as_it_was_sent() -> None:
    sent: dict[str, Any] = {
        "ProcessingInputs": [processing_input(managed=False), {"InputName": "b", "AppManaged": True}],
        "ProcessingOutputConfig": {**outputs(processing_output()), "KmsKeyId": "key"},
        "Environment": {"A": "b"},
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "ExperimentConfig": {"ExperimentName": "e", "RunName": "e-run"},
    }
    described = describe(processing_record(Tags=tags({"a": "b"}), **sent))
    assert {name: described[name] for name in sent} == sent
    assert "Tags" not in described


def test_the_number_of_instances_is_always_shown() -> None:
    def shown(**changes: Any) -> dict[str, Any]:
        record = processing_record(ProcessingResources={"ClusterConfig": cluster(**changes)})
        before = repr(record)
        found: dict[str, Any] = describe(record)["ProcessingResources"]["ClusterConfig"]
        assert repr(record) == before
        return found

    assert shown(InstanceCount=None)["InstanceCount"] == 1
    preferences = [{"InstanceType": "ml.c5.xlarge", "InstanceCount": 2}]
    assert shown(InstanceType=None, InstanceCount=None, InstancePreferences=preferences) == {
        "VolumeSizeInGB": 30,
        "InstancePreferences": preferences,
        "InstanceCount": 2,
        "SelectedInstanceType": "ml.c5.xlarge",
        "SelectedInstanceCount": 2,
    }


def test_the_end_of_a_processing_job_is_shown() -> None:
    record = processing_record("Prep-1")
    started = processing_status.started(record.facts, 1001.0)
    outcome = Outcome(status=JobStatus.FAILED, failure_reason="AlgorithmError: , exit code: 1", exit_message="rows")
    ended = record.with_facts(processing_status.ended(started, outcome, 1005.0))
    described = describe(ended)
    assert (described["ProcessingStartTime"], described["ProcessingEndTime"]) == (1001.0, 1005.0)
    assert summary(ended) == {
        "ProcessingJobName": "Prep-1",
        "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:processing-job/prep-1",
        "CreationTime": 1000.0,
        "ProcessingEndTime": 1005.0,
        "LastModifiedTime": 1005.0,
        "ProcessingJobStatus": "Failed",
        "FailureReason": "AlgorithmError: , exit code: 1",
        "ExitMessage": "rows",
    }
    assert set(summary(record)) == {
        "ProcessingJobName",
        "ProcessingJobArn",
        "CreationTime",
        "LastModifiedTime",
        "ProcessingJobStatus",
    }


def test_answers_have_only_members_of_the_model() -> None:
    config = cluster(InstanceType=None, InstancePreferences=[{"InstanceType": "a"}])
    facts = processing_status.ended(processing_status.created(1.0), Outcome(status=JobStatus.STOPPED), 2.0)
    record = processing_record(ProcessingResources={"ClusterConfig": config}, facts=facts, Tags=[])
    assert set(describe(record)) <= set(output_members("DescribeProcessingJob"))
    assert set(describe(job_record())) <= set(output_members("DescribeTrainingJob"))
