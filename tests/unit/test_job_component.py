"""What the trial component of a job says, and what becomes of it as the job goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.contract import processing_status, status
from emulator.contract.experiments.entities import TRIAL, TRIAL_COMPONENT, Entity, new_entity
from emulator.contract.experiments.job_component import (
    ExperimentConfig,
    attached_to_run,
    job_component,
    job_trial,
    parameter,
    updated_component,
)
from emulator.contract.outcome import Outcome
from emulator.contract.record import JobRecord
from emulator.contract.status import JobStatus, SecondaryStatus
from emulator.errors import ValidationError
from tests.builders import (
    SCOPE,
    channel_request,
    job_record,
    outputs,
    processing_input,
    processing_output,
    processing_record,
)


def ended(record: JobRecord) -> JobRecord:
    """Return the record of a training job that ran from second 1001 to 1005."""
    facts = status.entered(record.facts, SecondaryStatus.DOWNLOADING, "m", 1001.0)
    facts = status.ended(facts, JobStatus.COMPLETED, SecondaryStatus.COMPLETED, at=1005.0)
    return record.with_facts(facts)


def test_the_component_of_a_training_job() -> None:
    record = job_record(
        HyperParameters={"epochs": "2", "optimizer": '"adam"', "name": "infinity"},
        InputDataConfig=[channel_request(ContentType="text/csv"), channel_request("val", "s3://bucket/val")],
        DebugHookConfig={"S3OutputPath": "s3://bucket/debug"},
    )

    before, after = job_component(record), job_component(ended(record))

    assert before.name == "Job-1-aws-training-job"
    assert before.arn == "arn:aws:sagemaker:us-east-1:123456789012:experiment-trial-component/job-1-aws-training-job"
    assert after.document == {
        "DisplayName": "Job-1-aws-training-job",
        "Source": {
            "SourceArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job-1",
            "SourceType": "SageMakerTrainingJob",
        },
        "Status": {
            "PrimaryStatus": "Completed",
            "Message": "Status: Completed, exit message: null, failure reason: null",
        },
        "StartTime": 1001.0,
        "EndTime": 1005.0,
        "Parameters": {
            "SageMaker.ImageUri": {"StringValue": "image"},
            "SageMaker.InstanceCount": {"NumberValue": 1.0},
            "SageMaker.InstanceType": {"StringValue": "ml.m5.large"},
            "SageMaker.VolumeSizeInGB": {"NumberValue": 30.0},
            "epochs": {"NumberValue": 2.0},
            "optimizer": {"StringValue": '"adam"'},
            "name": {"StringValue": "infinity"},
        },
        "InputArtifacts": {
            "train": {"Value": "s3://bucket/train", "MediaType": "text/csv"},
            "val": {"Value": "s3://bucket/val"},
        },
        "OutputArtifacts": {
            "SageMaker.ModelArtifact": {"Value": "s3://bucket/out/Job-1/output/model.tar.gz"},
            "SageMaker.DebugHookOutput": {"Value": "s3://bucket/debug"},
        },
    }
    assert before.document["Status"]["PrimaryStatus"] == "InProgress"
    assert not {"StartTime", "EndTime"} & set(before.document)
    assert set(before.document["OutputArtifacts"]) == {"SageMaker.DebugHookOutput"}


def test_the_component_of_a_processing_job() -> None:
    record = processing_record(
        Environment={"STAGE": "test"},
        ProcessingInputs=[processing_input()],
        ProcessingOutputConfig=outputs(processing_output()),
    )
    facts = processing_status.started(record.facts, 1002.0)
    outcome = Outcome(status=JobStatus.FAILED, failure_reason="ClientError: no\nimage", exit_message="why")
    component = job_component(record.with_facts(processing_status.ended(facts, outcome, 1004.0)))

    assert component.name == "Prep-1-aws-processing-job"
    assert component.document["Source"]["SourceType"] == "SageMakerProcessingJob"
    assert component.document["Status"]["Message"] == (
        "Status: Failed, exit message: why, failure reason: ClientError: no image"
    )
    assert component.document["InputArtifacts"] == {
        "SageMaker.ImageUri": {"Value": "image"},
        "in": {"Value": "s3://bucket/in"},
    }
    assert component.document["OutputArtifacts"] == {"out": {"Value": "s3://bucket/out"}}
    assert component.document["Parameters"]["STAGE"] == {"StringValue": "test"}
    assert (component.document["StartTime"], component.document["EndTime"]) == (1002.0, 1004.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", {"NumberValue": 2.0}),
        ("-1e-3", {"NumberValue": -0.001}),
        ("nan", {"StringValue": "nan"}),
        ("inf", {"StringValue": "inf"}),
        ("1_000", {"StringValue": "1_000"}),
        ('"2"', {"StringValue": '"2"'}),
        ("", {"StringValue": ""}),
        ("x" * 3000, {"StringValue": "x" * 2500}),
    ],
)
def test_a_hyperparameter_as_a_parameter(text: str, value: dict[str, Any]) -> None:
    assert parameter(text) == value


def test_what_clients_added_stays_when_the_job_goes_on() -> None:
    record = job_record(HyperParameters={"epochs": "2"})
    first = job_component(record)
    by_client = first.changed(
        {**first.document, "Parameters": {**first.document["Parameters"], "mine": {"NumberValue": 1.0}}}, 1003.0
    )

    after = updated_component(by_client, ended(record))

    assert after.document["Parameters"]["mine"] == {"NumberValue": 1.0}
    assert after.document["Status"]["PrimaryStatus"] == "Completed"
    assert updated_component(after, ended(record)) == after


def test_a_later_job_of_the_same_name_starts_anew() -> None:
    earlier = replace(job_component(ended(job_record(HyperParameters={"old": "1"}))), number=7)
    later = job_record(facts=status.created(2000.0))

    taken_over = updated_component(earlier, later)

    assert "old" not in taken_over.document["Parameters"]
    assert taken_over.document["Status"]["PrimaryStatus"] == "InProgress"
    assert (taken_over.number, taken_over.created) == (7, 2000.0)


def run(**members: Any) -> Entity:
    return new_entity(TRIAL_COMPONENT, SCOPE, {"TrialComponentName": "e-run", **members}, 900.0)


def test_a_run_gets_what_its_job_has_and_keeps_its_own() -> None:
    record = ended(job_record(HyperParameters={"epochs": "2", "mine": "5"}))

    attached = attached_to_run(run(Parameters={"mine": {"StringValue": "own"}}), record)

    assert attached.document["Sources"] == [{"SourceArn": record.arn, "SourceType": "SageMakerTrainingJob"}]
    assert attached.document["Parameters"]["mine"] == {"StringValue": "own"}
    assert attached.document["Parameters"]["epochs"] == {"NumberValue": 2.0}
    assert "Status" not in attached.document
    assert attached_to_run(attached, record) == attached


def test_a_run_has_no_more_parameters_than_it_may() -> None:
    full = run(Parameters={f"p{number}": {"NumberValue": 1.0} for number in range(300)})

    attached = attached_to_run(full, job_record(HyperParameters={"epochs": "2"}))

    assert len(attached.document["Parameters"]) == 300


def test_the_trial_that_is_made_for_a_job() -> None:
    trial = job_trial(job_record(), "Exp")

    assert (trial.name, trial.kind) == ("Job-1-aws-training-job-trial", TRIAL)
    assert trial.experiment_arn == "arn:aws:sagemaker:us-east-1:123456789012:experiment/exp"


def test_a_trial_must_be_of_the_experiment_that_is_named() -> None:
    trial = job_trial(job_record(), "Exp")

    ExperimentConfig(experiment="EXP", trial=trial.name).check_trial(trial)
    ExperimentConfig(trial=trial.name).check_trial(trial)
    with pytest.raises(ValidationError, match="belongs to the experiment 'Exp'"):
        ExperimentConfig(experiment="other", trial=trial.name).check_trial(trial)
