"""The service's constraint texts, and that no JSON value can make the check fail or hang."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from botocore.model import Shape as BotocoreShape
from botocore.model import ShapeResolver
from hypothesis import given, settings

from emulator.api.service_model import input_shape, operation_names
from emulator.contract import constraints
from emulator.contract.constraints import (
    MAX_VIOLATIONS,
    Shape,
    _compiled,
    matches,
    normalised,
    shown,
    violations,
    violations_message,
)
from tests.cpu_time import at_most
from tests.strategies import json_values, mutated, requests_for

REQUESTS = json.loads((Path(__file__).parent / "data" / "training_job_requests.json").read_text(encoding="utf-8"))
TRAINING_JOB: dict[str, Any] = REQUESTS["sdk_v2_estimator"]


def training_job_violations(**changes: object) -> list[str]:
    return violations(input_shape("CreateTrainingJob"), {**TRAINING_JOB, **changes})


def shape(**model: object) -> Shape:
    """One shape of a model of its own."""
    shapes: Any = {"Made": model, "Text": {"type": "string"}}
    made: Shape = ShapeResolver(shapes).get_shape_by_name("Made")
    return made


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_of_real_clients_have_no_violation(name: str) -> None:
    create = input_shape("CreateTrainingJob")

    assert violations(create, REQUESTS[name]) == []
    assert normalised(create, REQUESTS[name]) == REQUESTS[name]


# The forms were seen on the real service: Kenza-AI/sagify#57 (with the pattern of its time),
# aws-samples/amazon-sagemaker-pytorch-detectron2#10, aws/sagemaker-python-sdk#6016; that for lists of
# plain values only on other services of AWS.
SERVICE_TEXTS = [
    (
        {"TrainingJobName": "x_y"},
        (
            "Value 'x_y' at 'trainingJobName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
        ),
    ),
    (
        {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
        (
            "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        ),
    ),
    (
        {"HyperParameters": {"classes": "x" * 2501}},
        (
            f"Value '{{classes={'x' * 991}...' at 'hyperParameters' failed to satisfy constraint: "
            "Map value must satisfy constraint: [Member must have length less than or equal to 2500, "
            "Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: .*]"
        ),
    ),
    (
        {"Environment": {"A-B": "x"}},
        (
            "Value '{A-B=x}' at 'environment' failed to satisfy constraint: "
            "Map keys must satisfy constraint: [Member must have length less than or equal to 512, "
            "Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]"
        ),
    ),
    (
        {"HyperParameters": {str(number): "" for number in range(101)}},
        "failed to satisfy constraint: Member must have length less than or equal to 100",
    ),
    (
        {"VpcConfig": {"SecurityGroupIds": ["sg-1", "sg 2"], "Subnets": ["subnet-1"]}},
        (
            "Value '[sg-1, sg 2]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must have length less than or equal to 32, "
            "Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]"
        ),
    ),
    (
        {"OutputDataConfig": {"S3OutputPath": "s3://b/p", "CompressionType": "ZIP"}},
        (
            "Value 'ZIP' at 'outputDataConfig.compressionType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [GZIP, NONE]"
        ),
    ),
    (
        {"RoleArn": None},
        "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
    ),
    (
        {"InputDataConfig": []},
        (
            "Value '[]' at 'inputDataConfig' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        ),
    ),
]


@pytest.mark.parametrize(("change", "text"), SERVICE_TEXTS)
def test_violations_have_the_services_words(change: dict[str, object], text: str) -> None:
    (found,) = training_job_violations(**change)

    assert found.endswith(text)


def test_members_of_list_entries_are_named_by_position_from_one() -> None:
    channels = [
        TRAINING_JOB["InputDataConfig"][0],
        {**TRAINING_JOB["InputDataConfig"][0], "ChannelName": "a b"},
    ]

    (found,) = training_job_violations(InputDataConfig=channels)

    assert "at 'inputDataConfig.2.member.channelName' failed" in found


def test_members_of_map_values_are_named_by_key() -> None:
    component = {"TrialComponentName": "c", "Parameters": {"lr": {"NumberValue": "high"}}}

    (found,) = violations(input_shape("CreateTrialComponent"), component)

    assert "at 'parameters.lr.member.numberValue' failed" in found


def test_one_and_several_violations_are_counted() -> None:
    assert violations_message(["A"]) == "1 validation error detected: A"
    assert violations_message(["A", "B"]) == "2 validation errors detected: A; B"


def test_both_rules_that_a_value_breaks_are_named() -> None:
    too_long = training_job_violations(TrainingJobName="_" * 64)

    assert len(too_long) == 2
    assert all(f"Value '{'_' * 64}' at 'trainingJobName'" in one for one in too_long)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"TrainingJobName": 5},
            "Value '5' at 'trainingJobName' failed to satisfy constraint: Member must be a string",
        ),
        ({"EnableNetworkIsolation": 1}, "Member must be a boolean"),
        ({"EnableNetworkIsolation": "true"}, "Member must be a boolean"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": True}}, "Value 'true' at"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": "60"}}, "Member must be a 32-bit integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 1.5}}, "Member must be a 32-bit integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 2**31}}, "Member must be a 32-bit integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": math.nan}}, "Member must be a 32-bit integer"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 10**5000}}, "Value 'an integer of 16610 bits' at"),
        ({"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 2**63}}, "Member must be a 64-bit integer"),
        ({"InputDataConfig": {"ChannelName": "a"}}, "Value '{ChannelName=a}' at 'inputDataConfig' failed"),
        ({"InputDataConfig": [None]}, "Value null at 'inputDataConfig.1.member' failed"),
        ({"Tags": "a"}, "Member must be a list"),
        (
            {"HyperParameters": []},
            "Value '[]' at 'hyperParameters' failed to satisfy constraint: Member must be an object",
        ),
        ({"HyperParameters": {"a": 1}}, "Map value must satisfy constraint: [Member must be a string"),
        ({"HyperParameters": {"a": None}}, "Map value must satisfy constraint: [Member must not be null]"),
        ({"HyperParameters": {1: "a"}}, "Map keys must satisfy constraint: [Member must be a string"),
        ({"StoppingCondition": "now"}, "Member must be an object"),
        ({"RoleArn": "\ud800" * 20}, f"Value '{'?' * 20}' at 'roleArn'"),
    ],
)
def test_wrong_json_types_are_violations(change: dict[str, object], text: str) -> None:
    (found,) = training_job_violations(**change)

    assert text in found


def test_members_that_the_model_does_not_know_are_named() -> None:
    assert training_job_violations(NoSuchMember=[1, None, {"a": True}], trainingJobName=None) == [
        (
            "Value '[1, null, {a=true}]' at 'noSuchMember' failed to satisfy constraint: "
            "Member is not known to this version of the service model"
        ),
        (
            "Value null at 'trainingJobName' failed to satisfy constraint: "
            "Member is not known to this version of the service model"
        ),
    ]


def test_a_union_has_exactly_one_member() -> None:
    union = shape(type="structure", union=True, members={"A": {"shape": "Text"}, "B": {"shape": "Text"}})

    assert violations(union, {"A": "a"}) == []
    for wrong in ({}, {"A": "a", "B": "b"}):
        (found,) = violations(union, wrong)
        assert found.endswith("Member must have exactly one of its members set: [a, b]")


def test_a_sensitive_value_is_not_repeated() -> None:
    (found,) = violations(shape(type="string", sensitive=True, max=3), "secret")

    assert found.startswith("Value at 'input' failed")


@pytest.mark.parametrize(
    ("type_name", "good", "bad"),
    [
        ("float", [0, 1.5, -3e38], [3.5e38, math.inf, math.nan, "1", True, 10**400]),
        ("double", [0, 1e308], [math.inf, -math.inf, 10**400]),
        (
            "timestamp",
            [0, 1700000000.123, "2024-01-01T00:00:00Z", "2024-01-01"],
            ["now", 1e12, math.nan, True, "9" * 99],
        ),
        ("integer", [0, -(2**31), 1.0], [2**31, 0.1, math.inf, False]),
    ],
)
def test_numbers_and_times(type_name: str, good: list[object], bad: list[object]) -> None:
    one = shape(type=type_name)

    assert [value for value in good if violations(one, value)] == []
    assert [value for value in bad if not violations(one, value)] == []


def test_normalising_drops_nulls_and_settles_numbers_and_times() -> None:
    request = {"MaxResults": 5.0, "NextToken": None, "CreationTimeAfter": "2024-01-01T01:00:00+01:00"}

    settled = normalised(input_shape("ListTrainingJobs"), request)

    assert settled == {"MaxResults": 5, "CreationTimeAfter": 1704067200.0}
    assert isinstance(settled["MaxResults"], int)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("[a-z]+", "abc", True),
        ("[a-z]+", "abc!", False),
        ("[a-z]+", "abc\n", False),
        (".*", "a\nb", False),
        (".*", "a\rb", False),
        (r"[\S\s]*", "a\nb", True),
        (r"\d+", "٣", False),
        (r"[\p{L}\p{N}]+", "é٣", True),
        (r"[\p{Alnum}]+", "é", False),
        (r"[\u0020-\uD7FF\uD800\uDC00-\uDBFF\uDFFF]*", "a😀", True),
        (r"(unclosed", "anything", True),
    ],
)
def test_patterns_are_read_as_java_reads_them(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_a_pattern_that_takes_for_ever_is_no_match(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constraints, "_SECONDS_PER_MATCH", 0.05)
    assert not matches(r"(?:(a|aa)+)+(?<=x)b", "a" * 60)


def test_every_pattern_of_the_model_compiles() -> None:
    patterns = {pattern for operation in operation_names() for pattern in _patterns(input_shape(operation), ())}

    assert len(patterns) > 100
    assert [pattern for pattern in patterns if _compiled(pattern) is None] == []


def _patterns(one: Any, above: tuple[str, ...]) -> set[str]:
    if one.name in above:
        return set()
    parts = [getattr(one, name) for name in ("member", "key", "value") if hasattr(one, name)]
    parts += getattr(one, "members", {}).values()
    own = {one.metadata["pattern"]} if "pattern" in one.metadata else set()
    return own.union(*(_patterns(part, (*above, one.name)) for part in parts))


def test_values_are_shown_as_java_shows_them_and_cut() -> None:
    assert shown({"a": [1, 2.5, None, True, "b"], "c": {}}) == "{a=[1, 2.5, null, true, b], c={}}"
    assert shown("x" * 1001) == "x" * 1000 + "..."
    assert len(shown(["x" * 10] * 10_000)) < 1100


def test_very_deep_and_very_many() -> None:
    deep: dict[str, Any] = {}
    for _ in range(20_000):
        deep = {"SubExpressions": [deep]}

    (found,) = violations(input_shape("Search"), {"Resource": "TrainingJob", "SearchExpression": deep})
    assert "nested deeper than" in found
    (found,) = training_job_violations(Deep=deep)
    assert len(found) < 1200

    many = violations(input_shape("CreateTrainingJob"), {str(number): 1 for number in range(1000)})
    assert len(many) == MAX_VIOLATIONS


def test_shapes_of_botocore_are_shapes() -> None:
    one: Shape = BotocoreShape("Text", {"type": "string"})
    assert violations(one, "a") == []


@settings(max_examples=300)
@given(value=json_values())
def test_any_json_value_is_checked(value: object) -> None:
    with at_most(3):
        for_one = violations(input_shape("CreateTrainingJob"), value)

    assert for_one, "no arbitrary value is a training job"
    "".join(for_one).encode()


@settings(max_examples=200)
@given(request=requests_for("CreateTrainingJob"))
def test_valid_requests_have_no_violations(request: dict[str, object]) -> None:
    with at_most(3):
        assert violations(input_shape("CreateTrainingJob"), request) == []


@settings(max_examples=200)
@given(request=requests_for("CreateTrainingJob").flatmap(mutated))
def test_mutated_requests_are_checked(request: dict[str, object]) -> None:
    create = input_shape("CreateTrainingJob")
    with at_most(3):
        found = violations(create, request)

    violations_message(found).encode()
    if not found:
        assert violations(create, normalised(create, request)) == []
