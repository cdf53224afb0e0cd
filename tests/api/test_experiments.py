"""Experiments, trials, trial components and their metrics on the wire."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from emulator.endpoint import Endpoint
from tests.jobs import Clients

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"


def refused(call: Any, **request: Any) -> tuple[str, str]:
    """Return code and message of an answer with status 400."""
    with pytest.raises(ClientError) as error:
        call(**request)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.fixture
def api(clients: Clients) -> SageMakerClient:
    return clients.sagemaker


@pytest.fixture
def name() -> str:
    """A name that is free, with capitals in it."""
    return f"Exp-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def trial(api: SageMakerClient, name: str) -> str:
    """A trial in an experiment, both of one name."""
    api.create_experiment(ExperimentName=name)
    api.create_trial(TrialName=name, ExperimentName=name)
    return name


def component(api: SageMakerClient, name: str, trial: str = "", **members: Any) -> str:
    api.create_trial_component(TrialComponentName=name, **members)
    if trial:
        api.associate_trial_component(TrialComponentName=name, TrialName=trial)
    return name


# What an entity is


def test_an_experiment_is_what_was_sent(api: SageMakerClient, name: str) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    arn = api.create_experiment(ExperimentName=name, Description="words", Tags=[{"Key": "a", "Value": "b"}])[
        "ExperimentArn"
    ]

    assert arn == f"{ACCOUNT}:experiment/{name.lower()}"
    described = api.describe_experiment(ExperimentName=name.upper())
    assert described["ExperimentName"] == described["DisplayName"] == name
    assert described["Description"] == "words"
    assert before < described["CreationTime"] == described["LastModifiedTime"]
    assert "Tags" not in described
    assert api.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_an_update_leaves_what_it_does_not_name(api: SageMakerClient, name: str) -> None:
    api.create_experiment(ExperimentName=name, Description="words")

    api.update_experiment(ExperimentName=name.lower(), DisplayName="shown")

    described = api.describe_experiment(ExperimentName=name)
    assert (described["DisplayName"], described["Description"]) == ("shown", "words")
    assert described["LastModifiedTime"] > described["CreationTime"]


@pytest.mark.parametrize("noun", ["experiment", "trial", "trial_component"])
def test_a_name_is_taken_in_whatever_case(api: SageMakerClient, trial: str, noun: str) -> None:
    member = "".join(word.capitalize() for word in noun.split("_")) + "Name"
    request = {member: trial.swapcase(), **({"ExperimentName": trial} if noun == "trial" else {})}
    if noun == "trial_component":
        component(api, trial)

    code, message = refused(getattr(api, f"create_{noun}"), **request)

    words = noun.replace("_", " ").capitalize()
    assert code == "ValidationException"
    assert message == (
        f"{words} names must be unique within an AWS account and region. "
        f"{words} with name ({trial.swapcase()}) already exists."
    )


@pytest.mark.parametrize("verb", ["describe", "update", "delete"])
@pytest.mark.parametrize("noun", ["Experiment", "Trial", "TrialComponent"])
def test_what_is_not_there_is_not_found(api: SageMakerClient, verb: str, noun: str) -> None:
    method = {"Experiment": "experiment", "Trial": "trial", "TrialComponent": "trial_component"}[noun]

    with pytest.raises(api.exceptions.ResourceNotFound, match="'no-such' does not exist"):
        getattr(api, f"{verb}_{method}")(**{f"{noun}Name": "no-such"})


def test_a_trial_needs_its_experiment(api: SageMakerClient, name: str) -> None:
    with pytest.raises(api.exceptions.ResourceNotFound):
        api.create_trial(TrialName=name, ExperimentName="no-such")


def test_the_shape_is_checked_by_the_model(api: SageMakerClient) -> None:
    assert refused(api.create_experiment, ExperimentName="a_b") == (
        "ValidationException",
        "1 validation error detected: Value 'a_b' at 'experimentName' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}",
    )


def test_another_account_has_other_experiments(api: SageMakerClient, name: str, endpoint: Endpoint) -> None:
    api.create_experiment(ExperimentName=name)
    other = Clients(endpoint.url, account="210987654321").sagemaker

    with pytest.raises(other.exceptions.ResourceNotFound):
        other.describe_experiment(ExperimentName=name)
    other.create_experiment(ExperimentName=name)
    assert len(other.list_experiments()["ExperimentSummaries"]) == 1
    assert other.search(Resource="Experiment")["TotalHits"] == {"Value": 1, "Relation": "EqualTo"}


# Trial components


def test_updates_of_a_component_merge(api: SageMakerClient, name: str) -> None:
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    component(
        api,
        name,
        Status={"PrimaryStatus": "InProgress", "Message": "now"},
        StartTime=started,
        Parameters={"a": {"NumberValue": 1.5}, "b": {"StringValue": "x"}},
        InputArtifacts={"data": {"Value": "s3://bucket/data", "MediaType": "text/csv"}},
    )

    api.update_trial_component(
        TrialComponentName=name,
        Status={"PrimaryStatus": "Completed"},
        Parameters={"b": {"NumberValue": 2}, "c": {"StringValue": "y"}},
        ParametersToRemove=["a", "not-there"],
        OutputArtifacts={"model": {"Value": "s3://bucket/model"}},
    )

    described = api.describe_trial_component(TrialComponentName=f"{ACCOUNT}:experiment-trial-component/{name.lower()}")
    assert described["Status"] == {"PrimaryStatus": "Completed"}
    assert described["StartTime"] == started
    assert "EndTime" not in described
    assert described["Parameters"] == {"b": {"NumberValue": 2.0}, "c": {"StringValue": "y"}}
    assert described["InputArtifacts"] == {"data": {"Value": "s3://bucket/data", "MediaType": "text/csv"}}
    assert described["OutputArtifacts"] == {"model": {"Value": "s3://bucket/model"}}


def test_a_component_has_at_most_300_parameters(api: SageMakerClient, name: str) -> None:
    component(api, name, Parameters={f"p{number}": {"NumberValue": number} for number in range(300)})

    code, message = refused(
        api.update_trial_component, TrialComponentName=name, Parameters={"more": {"NumberValue": 1}}
    )

    assert (code, "at most 300 entries" in message) == ("ValidationException", True)
    api.update_trial_component(
        TrialComponentName=name, Parameters={"more": {"NumberValue": 1}}, ParametersToRemove=["p7"]
    )


def test_a_component_is_in_several_trials(api: SageMakerClient, trial: str) -> None:
    api.create_trial(TrialName=f"{trial}-2", ExperimentName=trial)
    component(api, f"{trial}-c", trial)
    answer = api.associate_trial_component(TrialComponentName=f"{trial}-C", TrialName=f"{trial}-2")
    api.associate_trial_component(TrialComponentName=f"{trial}-c", TrialName=f"{trial}-2")

    assert answer["TrialComponentArn"] == f"{ACCOUNT}:experiment-trial-component/{trial.lower()}-c"
    assert answer["TrialArn"] == f"{ACCOUNT}:experiment-trial/{trial.lower()}-2"
    trials = api.list_trials(TrialComponentName=f"{trial}-c", SortBy="Name", SortOrder="Ascending")["TrialSummaries"]
    assert [one["TrialName"] for one in trials] == [trial, f"{trial}-2"]
    api.disassociate_trial_component(TrialComponentName=f"{trial}-c", TrialName=trial)
    assert api.list_trial_components(TrialName=trial)["TrialComponentSummaries"] == []
    with pytest.raises(api.exceptions.ResourceNotFound):
        api.disassociate_trial_component(TrialComponentName=f"{trial}-c", TrialName=trial)


def test_what_others_belong_to_is_not_deleted(api: SageMakerClient, trial: str) -> None:
    component(api, f"{trial}-c", trial)
    for call, request, words in (
        (api.delete_experiment, {"ExperimentName": trial}, "1 trial(s) belong to it"),
        (api.delete_trial, {"TrialName": trial}, "1 trial component(s) are associated with it"),
        (api.delete_trial_component, {"TrialComponentName": f"{trial}-c"}, "associated with 1 trial(s)"),
    ):
        code, message = refused(call, **request)
        assert (code, words in message) == ("ValidationException", True)
    api.disassociate_trial_component(TrialComponentName=f"{trial}-c", TrialName=trial)

    api.delete_trial_component(TrialComponentName=f"{trial}-c")
    api.delete_trial(TrialName=trial)
    assert api.delete_experiment(ExperimentName=trial)["ExperimentArn"].endswith(trial.lower())
    with pytest.raises(api.exceptions.ResourceNotFound):
        api.describe_experiment(ExperimentName=trial)


# Lists


def test_lists_are_walked_page_by_page(api: SageMakerClient, trial: str) -> None:
    names = [component(api, f"{trial}-{number}", trial) for number in range(5)]

    pages = list(
        api.get_paginator("list_trial_components").paginate(ExperimentName=trial, PaginationConfig={"PageSize": 2})
    )

    assert [len(page["TrialComponentSummaries"]) for page in pages] == [2, 2, 1]
    assert [one["TrialComponentName"] for page in pages for one in page["TrialComponentSummaries"]] == names[::-1]
    ordered = api.list_trial_components(TrialName=trial, SortBy="Name", SortOrder="Ascending", MaxResults=3)
    assert [one["TrialComponentName"] for one in ordered["TrialComponentSummaries"]] == names[:3]
    code, message = refused(
        api.list_trial_components, TrialName=trial, SortBy="CreationTime", NextToken=ordered["NextToken"]
    )
    assert (code, "Invalid NextToken" in message) == ("ValidationException", True)


def test_a_list_of_components_has_one_filter(api: SageMakerClient, trial: str) -> None:
    code, message = refused(api.list_trial_components, TrialName=trial, ExperimentName=trial)

    assert (code, "only one of" in message) == ("ValidationException", True)
    with pytest.raises(api.exceptions.ResourceNotFound):
        api.list_trial_components(TrialName="no-such")
    assert api.list_trial_components(SourceArn="arn:none")["TrialComponentSummaries"] == []


# Tags


def test_tags_of_a_component(api: SageMakerClient, name: str) -> None:
    component(api, name, Tags=[{"Key": "a", "Value": "1"}])
    arn = f"{ACCOUNT}:experiment-trial-component/{name.lower()}"

    assert api.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])["Tags"][1] == {"Key": "b", "Value": "2"}
    api.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert api.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(api.exceptions.ResourceNotFound):
        api.list_tags(ResourceArn=f"{ACCOUNT}:experiment/no-such")


# Metrics


def point(name: str, value: float, step: int | None = None, at: float = 0) -> dict[str, Any]:
    """A metric value; its time is so many seconds from now."""
    found: dict[str, Any] = {"MetricName": name, "Value": value, "Timestamp": int(time.time()) + at}
    return found if step is None else {**found, "Step": step}


def test_metrics_are_summed_up(api: SageMakerClient, clients: Clients, name: str) -> None:
    component(api, name)
    batch = [point("loss", value, step) for step, value in enumerate((0.9, 0.5, 0.1))]

    answer = clients.metrics.batch_put_metrics(
        TrialComponentName=name.lower(), MetricData=[*batch, point("auc", 0.7, at=60), point("auc", 0.6)]
    )

    assert "Errors" not in answer
    auc, loss = api.describe_trial_component(TrialComponentName=name)["Metrics"]
    assert (auc["MetricName"], auc["Last"], auc["Max"], auc["Count"]) == ("auc", 0.7, 0.7, 2)
    assert (loss["Min"], loss["Max"], loss["Last"], loss["Count"]) == (0.1, 0.9, 0.1, 3)
    assert loss["Avg"] == pytest.approx(0.5)
    assert loss["StdDev"] == pytest.approx(0.326599, abs=1e-6)
    assert "SourceArn" not in loss


def test_a_value_of_another_time_is_told_by_its_place(api: SageMakerClient, clients: Clients, name: str) -> None:
    component(api, name)

    answer = clients.metrics.batch_put_metrics(
        TrialComponentName=name.lower(),
        MetricData=[point("a", 1), point("a", 2, at=-15 * 86400), point("a", 3, at=9999)],
    )

    assert answer["Errors"] == [
        {"Code": "VALIDATION_ERROR", "MetricIndex": 1},
        {"Code": "VALIDATION_ERROR", "MetricIndex": 2},
    ]
    (metric,) = api.describe_trial_component(TrialComponentName=name)["Metrics"]
    assert (metric["Count"], metric["StdDev"]) == (1, 0)


def test_metrics_of_what_is_not_there(clients: Clients) -> None:
    assert refused(clients.metrics.batch_put_metrics, TrialComponentName="no-such", MetricData=[point("a", 1)]) == (
        "ResourceNotFound",
        "Trial component 'no-such' does not exist.",
    )
    code, message = refused(
        clients.metrics.batch_put_metrics, TrialComponentName="Upper", MetricData=[point("a", 1)] * 11
    )
    assert code == "ValidationException"
    assert "'trialComponentName'" in message
    assert "'metricData'" in message


def test_a_series_is_read_by_step_and_by_time(api: SageMakerClient, clients: Clients, name: str) -> None:
    component(api, name)
    start = int(time.time()) // 300 * 300
    for step, (seconds, value) in enumerate(((0, 4.0), (1, 2.0), (61, 1.0))):
        data = [{"MetricName": "loss", "Value": value, "Timestamp": start + seconds, "Step": step * 10}]
        clients.metrics.batch_put_metrics(TrialComponentName=name.lower(), MetricData=data)
    arn = f"{ACCOUNT}:experiment-trial-component/{name.lower()}"
    query = {"MetricName": "loss", "ResourceArn": arn, "MetricStat": "Avg"}

    by_step, by_minute, ended, wrong, unknown = clients.metrics.batch_get_metrics(
        MetricQueries=[
            {**query, "Period": "IterationNumber", "XAxisType": "IterationNumber"},
            {**query, "Period": "OneMinute", "XAxisType": "Timestamp"},
            {**query, "Period": "IterationNumber", "XAxisType": "IterationNumber", "Start": 10, "End": 20},
            {**query, "Period": "OneHour", "XAxisType": "IterationNumber"},
            {**query, "ResourceArn": f"{arn}-not", "Period": "OneHour", "XAxisType": "Timestamp"},
        ]
    )["MetricQueryResults"]

    assert by_step == {"Status": "Complete", "XAxisValues": [0, 10, 20], "MetricValues": [4.0, 2.0, 1.0]}
    assert by_minute == {"Status": "Complete", "XAxisValues": [start, start + 60], "MetricValues": [3.0, 1.0]}
    assert ended["MetricValues"] == [2.0]
    assert wrong["Status"] == unknown["Status"] == "ValidationError"
    assert wrong["MetricValues"] == []


# Lineage


def test_the_same_source_is_the_same_artifact(api: SageMakerClient, name: str) -> None:
    request: Any = {
        "ArtifactName": name,
        "ArtifactType": "ROCCurve",
        "Source": {"SourceUri": f"s3://b/{name}", "SourceTypes": [{"SourceIdType": "S3ETag", "Value": "e"}]},
    }
    arn = api.create_artifact(**request, Properties={"a": "b"})["ArtifactArn"]

    assert api.create_artifact(**request)["ArtifactArn"] == arn
    described = api.describe_artifact(ArtifactArn=arn)
    assert (described["ArtifactName"], described["ArtifactType"]) == (name, "ROCCurve")
    assert described["Source"] == request["Source"]
    assert described["Properties"] == {"a": "b"}
    (summary,) = api.list_artifacts(SourceUri=f"s3://b/{name}", ArtifactType="ROCCurve")["ArtifactSummaries"]
    assert summary["ArtifactArn"] == arn
    api.update_artifact(ArtifactArn=arn, Properties={"c": "d"}, PropertiesToRemove=["a"])
    assert api.describe_artifact(ArtifactArn=arn)["Properties"] == {"c": "d"}
    api.delete_artifact(ArtifactArn=arn)
    with pytest.raises(api.exceptions.ResourceNotFound):
        api.describe_artifact(ArtifactArn=arn)


def test_associations(api: SageMakerClient, name: str) -> None:
    source = api.create_trial_component(TrialComponentName=name)["TrialComponentArn"]
    artifact = api.create_artifact(ArtifactName=name, ArtifactType="Data", Source={"SourceUri": f"s3://b/{name}"})[
        "ArtifactArn"
    ]
    ends: Any = {"SourceArn": source, "DestinationArn": artifact}

    api.add_association(**ends, AssociationType="Produced")

    code, message = refused(api.add_association, **ends)
    assert (code, "already exists" in message) == ("ValidationException", True)
    (found,) = api.list_associations(SourceArn=source)["AssociationSummaries"]
    assert (found["DestinationArn"], found["AssociationType"]) == (artifact, "Produced")
    assert (found["SourceName"], found["SourceType"]) == (name, "TrialComponent")
    assert (found["DestinationName"], found["DestinationType"]) == (name, "Data")
    assert api.list_associations(SourceArn=artifact)["AssociationSummaries"] == []
    code, _ = refused(api.delete_artifact, ArtifactArn=artifact)
    assert code == "ValidationException"
    api.delete_association(**ends)
    with pytest.raises(api.exceptions.ResourceNotFound):
        api.delete_association(**ends)
    with pytest.raises(api.exceptions.ResourceNotFound):
        api.add_association(SourceArn=source, DestinationArn=f"{ACCOUNT}:artifact/none")
    code, message = refused(api.add_association, SourceArn=source, DestinationArn=f"{ACCOUNT}:context/none")
    assert (code, "Actions and contexts" in message) == ("ValidationException", True)
