"""How updates merge, what a list says, and the lists of entities against a naive reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.arns import Scope
from emulator.contract.experiments.entities import (
    ARTIFACT,
    EXPERIMENT,
    TRIAL_COMPONENT,
    Entity,
    describe_entity,
    name_in,
    new_entity,
    summary_of,
)
from emulator.contract.experiments.listing import EntityQuery, entity_page
from emulator.contract.experiments.updates import updated
from emulator.errors import ValidationError

SCOPE = Scope()
KEYS = st.sampled_from("abcd")
ENTRIES = st.dictionaries(KEYS, st.integers(0, 3).map(lambda value: {"NumberValue": float(value)}), max_size=4)
UPDATES = st.fixed_dictionaries({"Parameters": ENTRIES, "ParametersToRemove": st.lists(KEYS, max_size=2)})


def component(**members: Any) -> Entity:
    return new_entity(TRIAL_COMPONENT, SCOPE, {"TrialComponentName": "Exp-Run", **members}, 10.0)


@given(first=ENTRIES, changes=st.lists(UPDATES, max_size=5))
def test_updates_merge_key_by_key(first: dict[str, Any], changes: list[dict[str, Any]]) -> None:
    entity = component(Parameters=first)
    expected: dict[str, Any] = dict(first)
    for number, change in enumerate(changes):
        entity = updated(entity, {"TrialComponentName": "exp-run", **change}, 11.0 + number)
        expected.update(change["Parameters"])
        for key in change["ParametersToRemove"]:
            expected.pop(key, None)

    assert dict(describe_entity(entity).get("Parameters", {})) == expected
    assert entity.name == "Exp-Run"
    assert (entity.created, entity.modified) == (10.0, 10.0 + len(changes))
    assert set(entity.document) <= {"DisplayName", "Parameters"}


def test_what_is_not_sent_stays_and_what_is_sent_is_replaced_whole() -> None:
    entity = component(
        Status={"PrimaryStatus": "InProgress", "Message": "m"}, StartTime=5.0, InputArtifacts={"a": {"Value": "1"}}
    )

    changed = updated(entity, {"TrialComponentName": "exp-run", "Status": {"PrimaryStatus": "Failed"}}, 20.0)

    assert changed.document == {
        "DisplayName": "Exp-Run",
        "Status": {"PrimaryStatus": "Failed"},
        "StartTime": 5.0,
        "InputArtifacts": {"a": {"Value": "1"}},
    }


@pytest.mark.parametrize(("name", "most"), [("Parameters", 300), ("InputArtifacts", 60), ("OutputArtifacts", 60)])
def test_a_map_has_only_so_many_entries_after_any_number_of_updates(name: str, most: int) -> None:
    value = {"NumberValue": 1.0} if name == "Parameters" else {"Value": "1"}
    full = component(**{name: {f"k{number}": value for number in range(most)}})

    updated(full, {name: {"k0": value}}, 11.0)
    updated(full, {name: {"new": value}, f"{name}ToRemove": ["k0"]}, 11.0)
    with pytest.raises(ValidationError, match=f"{name} can have at most {most} entries"):
        updated(full, {name: {"new": value}}, 11.0)


def test_an_arn_names_what_its_last_part_says() -> None:
    entity = component()

    assert entity.arn == "arn:aws:sagemaker:us-east-1:123456789012:experiment-trial-component/exp-run"
    assert name_in(entity.arn) == "exp-run"
    assert name_in("Exp-Run") == "Exp-Run"


def test_an_artifact_is_what_its_source_and_type_are() -> None:
    def arn(uri: str, kind: str, name: str | None = None) -> str:
        named = {"ArtifactName": name} if name else {}
        return new_entity(ARTIFACT, SCOPE, {"Source": {"SourceUri": uri}, "ArtifactType": kind, **named}, 1.0).arn

    assert arn("s3://b/a", "Data", "x") == arn("s3://b/a", "Data", "y") == arn("s3://b/a", "Data")
    assert len({arn("s3://b/a", "Data"), arn("s3://b/c", "Data"), arn("s3://b/a", "Model")}) == 3
    assert len(arn("s3://b/a", "Data").rpartition("/")[2]) == 32


def test_a_summary_calls_the_source_by_the_kind() -> None:
    source = {"SourceArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/J", "SourceType": "T"}
    entity = component(Parameters={"a": {"NumberValue": 1}}, Status={"PrimaryStatus": "Completed"}, Source=source)

    summary = summary_of(entity)

    assert summary["TrialComponentSource"] == source
    assert summary["Status"] == {"PrimaryStatus": "Completed"}
    assert not {"Source", "Parameters", "Metrics"} & set(summary)
    assert entity.source == source["SourceArn"].lower()


# Lists

TIMES = st.integers(0, 4).map(float)


@st.composite
def experiments(draw: st.DrawFn) -> list[Entity]:
    made: Sequence[tuple[float, str]] = draw(st.lists(st.tuples(TIMES, st.sampled_from("abAB")), max_size=8))
    return [
        Entity(
            scope=SCOPE,
            kind=EXPERIMENT,
            name=name,
            arn=f"arn/{number}",
            created=created,
            modified=created,
            document={},
            number=number,
        )
        for number, (created, name) in enumerate(made, start=1)
    ]


@given(
    every=experiments(),
    size=st.integers(1, 4),
    by=st.sampled_from(["Name", "CreationTime"]),
    order=st.sampled_from(["Ascending", "Descending"]),
    after=st.none() | TIMES,
)
def test_pages_come_to_the_whole_list(every: list[Entity], size: int, by: str, order: str, after: float | None) -> None:
    request: Mapping[str, Any] = {
        "SortBy": by,
        "SortOrder": order,
        "MaxResults": size,
        **({} if after is None else {"CreatedAfter": after}),
    }
    page = entity_page(every, EntityQuery.parse(EXPERIMENT, request))
    walked = list(page.entities)
    while page.next_token is not None:
        page = entity_page(every, EntityQuery.parse(EXPERIMENT, {**request, "NextToken": page.next_token}))
        walked += page.entities

    wanted = [one for one in every if after is None or one.created > after]
    by_value = sorted(
        wanted,
        key=lambda one: (one.name.lower() if by == "Name" else one.created, one.number),
        reverse=order == "Descending",
    )
    assert [one.number for one in walked] == [one.number for one in by_value]
