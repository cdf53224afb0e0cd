"""DescribeTrainingJob and the entries of ListTrainingJobs: training.md 5.5 and 5.7."""

from __future__ import annotations

from typing import Any

from emulator.contract import status
from emulator.contract.record import describe, summary
from emulator.contract.status import JobStatus, SecondaryStatus
from tests.builders import ROLE, algorithm, channel_request, job_record, tags, training_request

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
    assert job_record("JOB-a").key == job_record("job-A").key != job_record("job-b").key
