"""The trial components of jobs: made by themselves, brought up to date by the job, put where ExperimentConfig says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.dashboard.held import Held
from tests.jobs import Clients, ProcessingJobs, TrainingJobs, refusal_of

pytestmark = pytest.mark.docker


@pytest.fixture
def api(clients: Clients) -> Any:
    return clients.sagemaker


@pytest.fixture
def experiment(api: Any) -> str:
    name = f"Exp-{uuid.uuid4().hex[:8]}"
    api.create_experiment(ExperimentName=name)
    return name


def of(api: Any, name: str, kind: str = "training") -> dict[str, Any]:
    described: dict[str, Any] = api.describe_trial_component(TrialComponentName=f"{name}-aws-{kind}-job")
    return described


def test_every_training_job_has_one(api: Any, jobs: TrainingJobs, clients: Clients, bucket: str) -> None:
    held = Held(clients, bucket)
    job = jobs.running(
        f"{held.program}; echo loss=0.5; echo loss=0.25; echo weights > /opt/ml/model/w",
        HyperParameters={"epochs": "2"},
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]},
    )
    first = of(api, job.name)
    held.let_go()
    described = job.ended().describe()

    assert first["Status"]["PrimaryStatus"] == "InProgress"
    last = of(api, job.name)
    assert last["Status"]["PrimaryStatus"] == "Completed"
    assert last["Source"] == {"SourceArn": described["TrainingJobArn"], "SourceType": "SageMakerTrainingJob"}
    assert (last["StartTime"], last["EndTime"]) == (described["TrainingStartTime"], described["TrainingEndTime"])
    assert last["CreationTime"] == described["CreationTime"]
    assert last["Parameters"]["epochs"] == {"NumberValue": 2.0}
    model = described["ModelArtifacts"]["S3ModelArtifacts"]
    assert last["OutputArtifacts"]["SageMaker.ModelArtifact"]["Value"] == model
    (metric,) = last["Metrics"]
    assert (metric["SourceArn"], metric["MetricName"]) == (described["TrainingJobArn"], "loss")
    assert (metric["Min"], metric["Max"], metric["Avg"], metric["Last"], metric["Count"]) == (0.25, 0.5, 0.375, 0.25, 2)
    (listed,) = api.list_trial_components(SourceArn=described["TrainingJobArn"])["TrialComponentSummaries"]
    assert listed["TrialComponentName"] == f"{job.name}-aws-training-job"
    assert api.list_trials(TrialComponentName=last["TrialComponentName"])["TrialSummaries"] == []


def test_a_failed_job_says_why(api: Any, jobs: TrainingJobs) -> None:
    job = jobs.running("echo no rows > /opt/ml/output/failure; exit 1").ended()

    component = of(api, job.name)
    assert component["Status"] == {
        "PrimaryStatus": "Failed",
        "Message": f"Status: Failed, exit message: null, failure reason: {job.failure_reason}",
    }
    assert "SageMaker.ModelArtifact" not in component.get("OutputArtifacts", {})


def test_a_job_names_its_trial(api: Any, experiment: str, jobs: TrainingJobs) -> None:
    api.create_trial(TrialName=f"{experiment}-t", ExperimentName=experiment)
    config = {"ExperimentName": experiment, "TrialName": f"{experiment}-T", "TrialComponentDisplayName": "Training"}

    job = jobs.running("true", ExperimentConfig=config)

    (listed,) = api.list_trial_components(TrialName=f"{experiment}-t")["TrialComponentSummaries"]
    assert (listed["TrialComponentName"], listed["DisplayName"]) == (f"{job.name}-aws-training-job", "Training")
    assert job.ended().describe()["ExperimentConfig"] == config
    assert of(api, job.name)["DisplayName"] == "Training"


def test_an_experiment_alone_gets_a_trial(api: Any, experiment: str, processing: ProcessingJobs) -> None:
    job = processing.running("true", ExperimentConfig={"ExperimentName": experiment.lower()})
    job.ended()

    (trial,) = api.list_trials(ExperimentName=experiment)["TrialSummaries"]
    (listed,) = api.list_trial_components(TrialName=trial["TrialName"])["TrialComponentSummaries"]
    assert listed["TrialComponentName"] == f"{job.name}-aws-processing-job"
    assert listed["Status"]["PrimaryStatus"] == "Completed"
    assert trial["TrialSource"]["SourceArn"] == job.describe()["ProcessingJobArn"]


def test_a_run_gets_its_job(api: Any, experiment: str, jobs: TrainingJobs, clients: Clients) -> None:
    api.create_trial(TrialName=f"{experiment}-t", ExperimentName=experiment)
    api.create_trial_component(TrialComponentName=f"{experiment}-run")
    job = jobs.running(
        "echo loss=0.5",
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]},
        ExperimentConfig={
            "ExperimentName": experiment,
            "TrialName": f"{experiment}-t",
            "RunName": f"{experiment}-run".lower(),
        },
    ).ended()

    run = api.describe_trial_component(TrialComponentName=f"{experiment}-run")
    arn = job.describe()["TrainingJobArn"]
    assert run["Sources"] == [{"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}]
    assert [(one["MetricName"], one["SourceArn"], one["Last"]) for one in run["Metrics"]] == [("loss", arn, 0.5)]
    (series,) = clients.metrics.batch_get_metrics(
        MetricQueries=[
            {
                "MetricName": "loss",
                "ResourceArn": arn,
                "MetricStat": "Last",
                "Period": "IterationNumber",
                "XAxisType": "IterationNumber",
            }
        ]
    )["MetricQueryResults"]
    assert series == {"Status": "Complete", "XAxisValues": [0], "MetricValues": [0.5]}


@pytest.mark.parametrize("member", ["ExperimentName", "TrialName", "RunName"])
def test_what_a_config_names_must_be_there(api: Any, jobs: TrainingJobs, member: str) -> None:
    request = jobs.request(ExperimentConfig={member: "no-such"})

    code, message = refusal_of(api.create_training_job, **request)

    assert (code, "ExperimentConfig: " in message, "'no-such' does not exist" in message) == (
        "ResourceNotFound",
        True,
        True,
    )


def test_a_new_job_of_an_old_name_starts_anew(api: Any, jobs: TrainingJobs) -> None:
    algorithm = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]}
    job = jobs.running("echo loss=0.5", HyperParameters={"old": "1"}, AlgorithmSpecification=algorithm).ended()
    api.delete_training_job(TrainingJobName=job.name)
    assert of(api, job.name)["Metrics"][0]["Count"] == 1

    jobs.running("echo loss=0.1", TrainingJobName=job.name, AlgorithmSpecification=algorithm).ended()

    (metric,) = of(api, job.name)["Metrics"]
    assert (metric["Last"], metric["Count"]) == (0.1, 1)
    assert "old" not in of(api, job.name)["Parameters"]


def test_a_component_that_a_client_takes_out_of_its_trial_stays_out(
    api: Any, experiment: str, jobs: TrainingJobs
) -> None:
    api.create_trial(TrialName=f"{experiment}-t", ExperimentName=experiment)
    job = jobs.running(
        "until [ -e /opt/ml/input/go ]; do sleep 0.05; done", ExperimentConfig={"TrialName": f"{experiment}-t"}
    ).training()

    api.disassociate_trial_component(TrialComponentName=f"{job.name}-aws-training-job", TrialName=f"{experiment}-t")
    job.stop().ended()

    assert of(api, job.name)["Status"]["PrimaryStatus"] == "Stopped"
    assert api.list_trial_components(TrialName=f"{experiment}-t")["TrialComponentSummaries"] == []
