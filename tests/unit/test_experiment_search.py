"""Search expressions against a naive reading of them, and the names of properties."""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.experiments.search import check_expression, needs, satisfies
from emulator.contract.experiments.search_page import Found, search_page
from emulator.contract.experiments.search_values import searchable, values
from emulator.errors import ValidationError

COMPONENT: dict[str, Any] = {
    "TrialComponentName": "exp-One",
    "DisplayName": "One",
    "Parameters": {"lr": {"NumberValue": 0.5}, "a.b": {"StringValue": "x"}, "a": {"StringValue": "short"}},
    "InputArtifacts": {"train": {"Value": "s3://b/k", "MediaType": "text/csv"}},
    "Metrics": [
        {"MetricName": "loss", "Min": 0.1, "Max": 0.9, "Last": 0.2, "Count": 3},
        {"MetricName": "loss.Max", "Min": 7, "Max": 8, "Last": 7.5, "Count": 2},
    ],
    "Parents": [
        {"TrialName": "t1", "ExperimentName": "E"},
        {"TrialName": "t2", "ExperimentName": "F"},
    ],
    "Tags": [{"Key": "team", "Value": "ads"}],
    "CreationTime": 1_767_323_045.0,  # 2026-01-02T03:04:05Z
}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("DisplayName", ["One"]),
        ("displayname", ["One"]),
        ("Parameters.lr", [0.5]),
        ("Parameters.lr.NumberValue", [0.5]),
        ("Parameters.lr.StringValue", []),
        ("Parameters.a.b", ["x"]),
        ("Parameters.a", ["short"]),
        ("InputArtifacts.train", ["s3://b/k"]),
        ("InputArtifacts.train.MediaType", ["text/csv"]),
        ("Metrics.loss", [0.2]),
        ("metrics.loss.min", [0.1]),
        ("Metrics.loss.Max", [7.5]),  # a metric of that very name goes first
        ("Metrics.loss.Max.Max", [8]),
        ("Parents.TrialName", ["t1", "t2"]),
        ("Tags.team", ["ads"]),
        ("Tags.other", []),
        ("EndTime", []),
        ("DisplayName.More", []),
    ],
)
def test_what_a_name_means(name: str, found: list[Any]) -> None:
    assert values(searchable(COMPONENT), name) == found


def condition(name: str, operator: str, value: str = "") -> dict[str, Any]:
    return {"Name": name, "Operator": operator, **({"Value": value} if value else {})}


@pytest.mark.parametrize(
    ("one", "holds"),
    [
        (condition("TrialComponentName", "Equals", "EXP-one"), True),
        (condition("DisplayName", "Equals", "one"), True),
        (condition("Tags.team", "Equals", "Ads"), False),
        (condition("Parents.ExperimentName", "Equals", "f"), True),
        (condition("Parents.ExperimentName", "NotEquals", "f"), False),
        (condition("Tags.other", "NotEquals", "x"), True),
        (condition("Parameters.lr", "Equals", "0.50"), True),
        (condition("Parameters.a", "GreaterThan", "1"), False),
        (condition("CreationTime", "Equals", "2026-01-02T03:04:05"), True),
        (condition("CreationTime", "GreaterThan", "2026-01-02T03:04:06"), False),
        (condition("CreationTime", "LessThan", "1767323046"), True),
        (condition("Tags.team", "In", "x,ads"), True),
        (condition("Tags.team", "Contains", "d"), True),
    ],
)
def test_a_condition(one: dict[str, Any], holds: bool) -> None:
    assert satisfies(searchable(COMPONENT), {"Filters": [one]}) is holds


@pytest.mark.parametrize(
    ("value", "operator", "sought", "holds"),
    [
        ("0.3", "LessThan", "0.5", True),
        ("0.3", "Equals", "0", True),  # a decimal is cut where it is compared with an integer
        ("0.3", "Equals", "0.0", False),
        ("2.9", "LessThanOrEqualTo", "2", True),
        ('"adam"', "Equals", '"adam"', True),
        ("1e3", "Equals", "1000", True),
    ],
)
def test_hyperparameters(value: str, operator: str, sought: str, holds: bool) -> None:
    job = searchable({"HyperParameters": {"p.q": value}})

    assert satisfies(job, {"Filters": [condition("HyperParameters.p.q", operator, sought)]}) is holds


def test_a_nested_filter_is_about_one_entry() -> None:
    def nested(trial: str, experiment: str) -> dict[str, Any]:
        filters = [
            condition("Parents.TrialName", "Equals", trial),
            condition("Parents.ExperimentName", "Equals", experiment),
        ]
        return {"NestedFilters": [{"NestedPropertyName": "Parents", "Filters": filters}]}

    assert satisfies(searchable(COMPONENT), nested("t1", "E"))
    assert not satisfies(searchable(COMPONENT), nested("t1", "F"))


def test_several_contains_are_for_some_properties_only() -> None:
    known = ("DisplayName", "Source", "Tags")

    def contains(name: str) -> dict[str, Any]:
        return {"Filters": [condition(name, "Contains", "a"), condition(name, "Contains", "b")]}

    check_expression("ExperimentTrialComponent", contains("DisplayName"), known)
    with pytest.raises(ValidationError, match="'CONTAINS' operator usage limit of 1 exceeded"):
        check_expression("ExperimentTrialComponent", contains("Source.SourceArn"), known)


# Against a naive reading: numbers and texts of one letter, as deep as an expression goes

PROPERTIES = ("p", "q", "r")


def documents() -> st.SearchStrategy[dict[str, Any]]:
    number = st.integers(0, 3).map(lambda value: {"NumberValue": float(value)})
    text = st.sampled_from("xyz").map(lambda value: {"StringValue": value})
    return st.fixed_dictionaries(
        {"Parameters": st.dictionaries(st.sampled_from(PROPERTIES), number | text, max_size=3)}
    )


def filters() -> st.SearchStrategy[dict[str, Any]]:
    name = st.sampled_from(PROPERTIES).map(lambda one: f"Parameters.{one}")
    numeric = st.builds(
        condition,
        name,
        st.sampled_from(["GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"]),
        st.integers(0, 3).map(str),
    )
    textual = st.builds(
        condition, name, st.sampled_from(["Equals", "NotEquals", "Contains", "In"]), st.sampled_from("xyz0123")
    )
    return numeric | textual | st.builds(condition, name, st.sampled_from(["Exists", "NotExists"]))


def expressions() -> st.SearchStrategy[dict[str, Any]]:
    operator = st.sampled_from([{}, {"Operator": "And"}, {"Operator": "Or"}])
    some = st.lists(filters(), min_size=1, max_size=3)
    flat = st.builds(lambda found, how: {"Filters": found, **how}, some, operator)
    return st.recursive(
        flat,
        lambda inner: st.builds(
            lambda found, below, how: {"Filters": found, "SubExpressions": below, **how},
            some,
            st.lists(inner, min_size=1, max_size=3),
            operator,
        ),
        max_leaves=6,
    )


def naively(document: dict[str, Any], expression: dict[str, Any]) -> bool:
    """Read an expression as its documentation does, for documents as above."""
    held = [naively(document, inner) for inner in expression.get("SubExpressions", ())]
    for one in expression["Filters"]:
        entry = document["Parameters"].get(one["Name"].removeprefix("Parameters."))
        held.append(naive_condition(entry, one["Operator"], one.get("Value", "")))
    return any(held) if expression.get("Operator") == "Or" else all(held)


def naive_condition(entry: dict[str, Any] | None, operator: str, value: str) -> bool:
    if operator in ("Exists", "NotExists"):
        return (entry is not None) == (operator == "Exists")
    number = entry.get("NumberValue") if entry else None
    text = entry.get("StringValue") if entry else None
    equal = text == value if text is not None else number is not None and value.isdigit() and number == int(value)
    if operator in ("Equals", "In"):
        return equal
    if operator == "NotEquals":
        return not equal
    if operator == "Contains":
        return value in (text if text is not None else str(number) if number is not None else "")
    orders: dict[str, Callable[[float, float], bool]] = {
        "GreaterThan": gt,
        "GreaterThanOrEqualTo": ge,
        "LessThan": lt,
        "LessThanOrEqualTo": le,
    }
    return number is not None and orders[operator](number, int(value))


@given(document=documents(), expression=expressions())
def test_expressions_mean_what_their_documentation_says(document: dict[str, Any], expression: dict[str, Any]) -> None:
    assert satisfies(searchable(document), expression) == naively(document, expression)


@given(document=documents(), expression=expressions())
def test_what_is_needed_holds_for_all_that_satisfy(document: dict[str, Any], expression: dict[str, Any]) -> None:
    found = searchable(document)
    if satisfies(found, expression):
        for name, value in needs(expression).items():
            assert satisfies(found, {"Filters": [condition(name, "Equals", value)]})


@given(
    every=st.lists(documents(), max_size=12),
    size=st.integers(1, 5),
    descending=st.booleans(),
)
def test_pages_come_to_the_whole_in_order(every: list[dict[str, Any]], size: int, descending: bool) -> None:
    resources = [Found(identity=str(number), document=document) for number, document in enumerate(every)]
    request: dict[str, Any] = {
        "SortBy": "Parameters.p",
        "SortOrder": "Descending" if descending else "Ascending",
        "MaxResults": size,
    }
    walked: list[Found] = []
    page = search_page(resources, request)
    walked += page.results
    while page.next_token is not None:
        page = search_page(resources, {**request, "NextToken": page.next_token})
        assert page.total == len(every)
        walked += page.results

    assert sorted(one.identity for one in walked) == sorted(one.identity for one in resources)
    keys = [one.document["Parameters"].get("p") for one in walked]
    there = [key for key in keys if key is not None]
    assert keys == there + [None] * (len(keys) - len(there))
    numbers = [key["NumberValue"] for key in there if "NumberValue" in key]
    assert numbers == sorted(numbers, reverse=descending)
