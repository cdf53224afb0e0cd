"""Search on the wire: resources, operators, nested filters, order, pages, refusals."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from emulator.api import service_model
from emulator.contract.experiments.search import COMPONENT_MEMBERS
from tests.jobs import Clients, ProcessingJobs, TrainingJobs, refusal_of


@pytest.fixture(scope="module")
def api(clients: Clients) -> Any:
    return clients.sagemaker


@pytest.fixture(scope="module")
def experiment(api: Any, clients: Clients) -> str:
    """An experiment with two trials, and five components: number i has a depth, a loss, a tag and an input."""
    name = f"search-{uuid.uuid4().hex[:8]}"
    api.create_experiment(ExperimentName=name, Tags=[{"Key": "team", "Value": "Ranking"}])
    for trial in ("t1", "t2"):
        api.create_trial(TrialName=f"{name}-{trial}", ExperimentName=name)
    for number in range(5):
        component = f"{name}-{number}"
        api.create_trial_component(
            TrialComponentName=component,
            DisplayName=f"Shown-{number}",
            Parameters={
                "depth": {"NumberValue": number},
                "optimizer.name": {"StringValue": "adam" if number else "sgd"},
            },
            InputArtifacts={"train": {"Value": f"s3://b/{number}", "MediaType": "text/csv"}},
            Tags=[{"Key": "parity", "Value": "odd" if number % 2 else "even"}],
        )
        api.associate_trial_component(TrialComponentName=component, TrialName=f"{name}-t{1 + number % 2}")
        if number < 4:
            values = [
                {"MetricName": "validation:loss", "Value": 1 / (number + step + 1), "Timestamp": int(time.time())}
                for step in range(3)
            ]
            clients.metrics.batch_put_metrics(TrialComponentName=component, MetricData=values)
    return name


def where(name: str, operator: str = "", value: str = "") -> dict[str, str]:
    found = {"Name": name, "Operator": operator, "Value": value}
    return {member: text for member, text in found.items() if text}


def found(api: Any, experiment: str, *filters: dict[str, str], **request: Any) -> list[int]:
    """Return the numbers of the components that are found in the experiment."""
    mine = where("Parents.ExperimentName", "Equals", experiment)
    expression = {"Filters": [mine, *filters], **request.pop("expression", {})}
    request = {"SortBy": "TrialComponentName", "SortOrder": "Ascending", "MaxResults": 100, **request}
    answer = api.search(Resource="ExperimentTrialComponent", SearchExpression=expression, **request)
    assert answer["TotalHits"]["Value"] >= len(answer["Results"])
    return [int(one["TrialComponent"]["TrialComponentName"].rpartition("-")[2]) for one in answer["Results"]]


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        (where("Parameters.depth", "GreaterThan", "2"), [3, 4]),
        (where("Parameters.depth", "GreaterThanOrEqualTo", "2.0"), [2, 3, 4]),
        (where("Parameters.depth.NumberValue", "LessThan", "1"), [0]),
        (where("Parameters.depth", "LessThanOrEqualTo", "1"), [0, 1]),
        (where("Parameters.depth", "NotEquals", "1"), [0, 2, 3, 4]),
        (where("Parameters.depth", "", "1"), [1]),
        (where("Parameters.optimizer.name", "Equals", "sgd"), [0]),
        (where("Parameters.optimizer.name", "In", "sgd, lbfgs"), [0]),
        (where("Parameters.nothing", "Exists"), []),
        (where("Parameters.nothing", "NotExists"), [0, 1, 2, 3, 4]),
        (where("Metrics.validation:loss", "Exists"), [0, 1, 2, 3]),
        (where("Metrics.validation:loss.Max", "GreaterThan", "0.4"), [0, 1]),
        (where("metrics.validation:loss.min", "LessThan", "0.2"), [3]),
        (where("Tags.parity", "Equals", "odd"), [1, 3]),
        (where("InputArtifacts.train", "Contains", "b/4"), [4]),
        (where("DisplayName", "Contains", "shown-3"), [3]),
        (where("Status.PrimaryStatus", "NotExists"), [0, 1, 2, 3, 4]),
        (where("CreationTime", "LessThan", "2020-01-01T00:00:00"), []),
        (where("CreationTime", "GreaterThan", "2020-01-01T00:00:00"), [0, 1, 2, 3, 4]),
    ],
)
def test_operators(api: Any, experiment: str, condition: dict[str, str], numbers: list[int]) -> None:
    assert found(api, experiment, condition) == numbers


def test_sub_expressions_and_or(api: Any, experiment: str) -> None:
    either = {
        "Filters": [where("Parameters.depth", "Equals", "4"), where("Tags.parity", "Equals", "odd")],
        "Operator": "Or",
    }

    assert found(api, experiment, expression={"SubExpressions": [either]}) == [1, 3, 4]
    nested = {"SubExpressions": [either], "Filters": [where("Parameters.depth", "LessThan", "2")]}
    assert found(api, experiment, expression={"SubExpressions": [nested]}) == [1]


def test_nested_filters_are_about_one_entry(api: Any, experiment: str) -> None:
    nested = {
        "NestedPropertyName": "Parents",
        "Filters": [where("Parents.TrialName", "Equals", f"{experiment}-T2"), where("ExperimentName", "Exists")],
    }

    assert found(api, experiment, expression={"NestedFilters": [nested]}) == [1, 3]


def test_results_are_whole_and_in_order(api: Any, experiment: str) -> None:
    assert found(api, experiment, SortBy="metrics.validation:loss.max", SortOrder="Descending") == [0, 1, 2, 3, 4]
    assert found(api, experiment, SortBy="Metrics.validation:loss.Last", SortOrder="Ascending") == [3, 2, 1, 0, 4]

    answer = api.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={"Filters": [where("TrialComponentName", "Equals", f"{experiment.upper()}-1")]},
    )
    (one,) = answer["Results"]
    component = one["TrialComponent"]
    assert component["Parents"] == [{"TrialName": f"{experiment}-t2", "ExperimentName": experiment}]
    assert component["Tags"] == [{"Key": "parity", "Value": "odd"}]
    assert component["Metrics"][0]["Count"] == 3


def test_pages(api: Any, experiment: str) -> None:
    request: Any = {
        "Resource": "ExperimentTrialComponent",
        "SearchExpression": {"Filters": [where("Parents.ExperimentName", "Equals", experiment)]},
        "SortBy": "Parameters.depth",
        "SortOrder": "Ascending",
    }
    pages = list(api.get_paginator("search").paginate(**request, PaginationConfig={"PageSize": 2}))

    assert [len(page["Results"]) for page in pages] == [2, 2, 1]
    assert [page["TotalHits"]["Value"] for page in pages] == [5, 5, 5]
    depths = [one["TrialComponent"]["Parameters"]["depth"]["NumberValue"] for page in pages for one in page["Results"]]
    assert depths == [0, 1, 2, 3, 4]


def test_experiments_and_trials(api: Any, experiment: str) -> None:
    (one,) = api.search(
        Resource="Experiment",
        SearchExpression={
            "Filters": [where("Tags.team", "Equals", "Ranking"), where("ExperimentName", "", experiment)]
        },
    )["Results"]
    assert one["Experiment"]["ExperimentName"] == experiment
    trials = api.search(
        Resource="ExperimentTrial",
        SearchExpression={"Filters": [where("ExperimentName", "Equals", experiment)]},
        SortBy="TrialName",
        SortOrder="Ascending",
    )["Results"]
    assert [len(one["Trial"]["TrialComponentSummaries"]) for one in trials] == [3, 2]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"SearchExpression": {}}, "specify at least one of Filters"),
        ({"SearchExpression": {"Filters": [where("Colour", "Exists")]}}, "Unknown property name: Colour"),
        ({"SortBy": "Colour"}, "Unknown property name: Colour"),
        ({"SearchExpression": {"Filters": [where("DisplayName", "Equals")]}}, "Equals needs a Value"),
        (
            {"SearchExpression": {"Filters": [where("DisplayName", "LessThan", "b")]}},
            "LessThan compares numbers and times",
        ),
        (
            {"SearchExpression": {"Filters": [where("Status.Message", "Contains", text) for text in "ab"]}},
            "'CONTAINS' operator usage limit of 1 exceeded.",
        ),
        ({"NextToken": "abc"}, "Invalid NextToken"),
        ({"CrossAccountFilterOption": "CrossAccount"}, "not emulated"),
        (
            {"SearchExpression": {"SubExpressions": [{"Filters": [where("DisplayName", "Exists")] * 17}] * 3}},
            "it has 51 conditions",
        ),
    ],
)
def test_refusals(api: Any, request_: dict[str, Any], message: str) -> None:
    code, text = refusal_of(api.search, Resource="ExperimentTrialComponent", **request_)

    assert code == "ValidationException"
    assert message in text


def test_other_resources_are_refused_by_name(api: Any) -> None:
    code, text = refusal_of(api.search, Resource="ModelPackage")

    assert code == "UnsupportedOperationException"
    assert "ModelPackage" in text


# Jobs


@pytest.mark.docker
def test_training_jobs(api: Any, jobs: TrainingJobs) -> None:
    token = uuid.uuid4().hex[:8]
    made = [
        jobs.running(
            f"echo loss={rate}",
            HyperParameters={"rate": str(rate)},
            Tags=[{"Key": "token", "Value": token}],
            AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]},
        )
        for rate in (0.5, 0.9)
    ]
    for job in made:
        job.ended()

    def names(*filters: dict[str, str]) -> list[str]:
        mine: Any = [where("Tags.token", "Equals", token), *filters]
        results = api.search(Resource="TrainingJob", SearchExpression={"Filters": mine}, SortBy="CreationTime")[
            "Results"
        ]
        return [one["TrainingJob"]["TrainingJobName"] for one in results]

    first, second = (job.name for job in made)
    assert names() == [second, first]
    assert names(where("TrainingJobName", "Equals", first.upper())) == [first]
    assert names(where("TrainingJobStatus", "Equals", "Completed")) == [second, first]
    assert names(where("Metrics.loss", "GreaterThan", "0.6")) == [second]
    assert names(where("HyperParameters.rate", "LessThan", "0.6")) == [first]


@pytest.mark.docker
def test_the_component_of_a_processing_job_has_its_source(api: Any, processing: ProcessingJobs) -> None:
    job = processing.running("true").ended()

    (one,) = api.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={"Filters": [where("Source.SourceArn", "Equals", job.describe()["ProcessingJobArn"])]},
    )["Results"]

    detail = one["TrialComponent"]["SourceDetail"]
    assert detail["ProcessingJob"]["ProcessingJobName"] == job.name
    assert detail["ProcessingJob"]["ProcessingJobStatus"] == "Completed"


def test_what_the_table_of_runs_is_sorted_and_filtered_by_is_what_search_knows() -> None:
    known = service_model.output_members_below("Search", "Results", "TrialComponent")
    assert {*COMPONENT_MEMBERS} <= {*known}
