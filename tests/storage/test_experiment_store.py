"""Experiments in the database: found again by the next process, and found by the rules of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator.contract.arns import Scope
from emulator.contract.experiments.curves import kept
from emulator.contract.experiments.entities import (
    ARTIFACT,
    EXPERIMENT,
    TRIAL,
    TRIAL_COMPONENT,
    Entity,
    EntityKind,
    ExperimentSize,
    new_entity,
)
from emulator.contract.experiments.listing import EntityQuery, entity_page
from emulator.contract.experiments.metric_summary import MetricPoint
from emulator.storage.database import FILE_NAME, Database
from emulator.storage.experiments.entities import SqliteEntityStore
from emulator.storage.experiments.metric_values import SqliteMetricValueStore
from tests.cpu_time import at_most

SCOPE = Scope()
ELSEWHERE = Scope(account="210987654321", region="eu-west-1")


FINITE = st.floats(allow_nan=False, allow_infinity=False)


class Stores:
    """The stores of one database."""

    def __init__(self, database: Database) -> None:
        self.entities = SqliteEntityStore(database)
        self.metrics = SqliteMetricValueStore(database)

    def made(self, kind: EntityKind, name: str, at: float = 1.0, scope: Scope = SCOPE, **members: Any) -> Entity:
        created = self.entities.create(new_entity(kind, scope, {kind.name_member: name, **members}, at))
        assert created is not None
        return created

    def names(self, query: EntityQuery) -> list[str]:
        return [one.name for one in entity_page(self.entities.first(SCOPE, query), query).entities]


@contextmanager
def opened(folder: Path) -> Iterator[Stores]:
    database = Database(folder / FILE_NAME)
    try:
        yield Stores(database)
    finally:
        database.close()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with opened(tmp_path) as found:
        yield found


def points(*values: float, step: int | None = None) -> list[tuple[str, MetricPoint]]:
    return [("loss", MetricPoint(at=float(place), value=value, step=step)) for place, value in enumerate(values)]


def test_the_next_process_finds_everything(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.made(EXPERIMENT, "E", Tags=[{"Key": "a", "Value": "é"}])
        trial = first.made(TRIAL, "T", ExperimentName="E")
        component = first.made(TRIAL_COMPONENT, "C", Parameters={"a": {"NumberValue": 1.5}})
        assert first.entities.associate(trial, component)
        first.metrics.put(component, "", points(0.5, 0.25, step=3))
    with opened(tmp_path) as second:
        assert second.entities.get(component.arn) == component
        assert second.entities.parents([component]) == {component.arn: [trial]}
        assert second.entities.members([trial]) == {trial.arn: [component]}
        (summary,) = second.metrics.summaries([component])[component.arn]
        assert (summary.count, summary.last, summary.smallest) == (2, 0.25, 0.25)
        assert list(second.metrics.points(component, "loss")) == [point for _, point in points(0.5, 0.25, step=3)]


def test_a_trial_needs_its_experiment(stores: Stores) -> None:
    orphan = new_entity(TRIAL, SCOPE, {"TrialName": "T", "ExperimentName": "none"}, 1.0)

    assert stores.entities.create(orphan) is None


def test_a_name_is_free_after_a_deletion_and_its_metrics_are_gone(stores: Stores) -> None:
    component = stores.made(TRIAL_COMPONENT, "C")
    stores.metrics.put(component, "", points(1, 2))
    assert stores.entities.create(new_entity(TRIAL_COMPONENT, SCOPE, {"TrialComponentName": "c"}, 2.0)) is None

    assert stores.entities.delete(component) == 0

    again = stores.made(TRIAL_COMPONENT, "c")
    assert again.number > component.number
    assert list(stores.metrics.points(again, "loss")) == []
    stores.metrics.put(component, "", points(3))  # of the one that is gone
    assert stores.metrics.summaries([again]) == {again.arn: []}


def test_what_has_children_stays(stores: Stores) -> None:
    experiment = stores.made(EXPERIMENT, "E")
    trials = [stores.made(TRIAL, f"T{number}", ExperimentName="E") for number in range(2)]
    component = stores.made(TRIAL_COMPONENT, "C")
    for trial in (*trials, trials[0]):
        assert stores.entities.associate(trial, component)

    assert [stores.entities.delete(one) for one in (experiment, trials[0], component)] == [2, 1, 2]
    assert stores.entities.disassociate(trials[0], component)
    assert not stores.entities.disassociate(trials[0], component)
    assert stores.entities.delete(trials[0]) == 0
    assert not stores.entities.associate(trials[0], component)


def test_lists_by_what_entities_belong_to(stores: Stores) -> None:
    for name in ("E", "F"):
        stores.made(EXPERIMENT, name)
        stores.made(TRIAL, f"{name}1", ExperimentName=name)
    for number in range(4):
        component = stores.made(TRIAL_COMPONENT, f"C{number}", at=float(number))
        trial = stores.entities.get(TRIAL.arn(SCOPE, "E1" if number % 2 else "F1"))
        assert trial is not None
        stores.entities.associate(trial, component)
    stores.made(EXPERIMENT, "E", scope=ELSEWHERE)

    components = EntityQuery(kind=TRIAL_COMPONENT, experiment=EXPERIMENT.arn(SCOPE, "E"))
    assert stores.names(components) == ["C3", "C1"]
    assert stores.names(EntityQuery(kind=TRIAL_COMPONENT, trial=TRIAL.arn(SCOPE, "F1"))) == ["C2", "C0"]
    assert stores.names(EntityQuery(kind=TRIAL, experiment=EXPERIMENT.arn(SCOPE, "F"))) == ["F1"]
    assert stores.names(EntityQuery(kind=TRIAL, component=TRIAL_COMPONENT.arn(SCOPE, "C1"))) == ["E1"]
    assert stores.names(EntityQuery(kind=EXPERIMENT, by_name=True, descending=False)) == ["E", "F"]
    for needs, names in (
        ({"Parents.ExperimentName": "e"}, {"C1", "C3"}),
        ({"Parents.TrialName": "F1", "TrialComponentName": "c2"}, {"C2"}),
        ({"DisplayName": "unknown to the store"}, {"C0", "C1", "C2", "C3"}),
    ):
        assert {one.name for one in stores.entities.all(SCOPE, TRIAL_COMPONENT, needs)} == names


ARTIFACTS = st.lists(
    st.tuples(st.integers(0, 3).map(float), st.sampled_from("abAB"), st.sampled_from("xy"), st.sampled_from("uv")),
    max_size=8,
    unique_by=lambda one: one[2:],
)
QUERIES = st.builds(
    EntityQuery,
    kind=st.just(ARTIFACT),
    by_name=st.booleans(),
    descending=st.booleans(),
    size=st.integers(1, 3),
    created_after=st.none() | st.integers(0, 3),
    created_before=st.none() | st.integers(0, 3),
    source=st.none() | st.sampled_from("xy"),
    artifact_type=st.none() | st.sampled_from("uv"),
)


@settings(deadline=None, max_examples=60)
@given(made=ARTIFACTS, query=QUERIES)
def test_the_store_finds_what_the_contract_wants(made: list[tuple[float, str, str, str]], query: EntityQuery) -> None:
    with TemporaryDirectory() as folder, opened(Path(folder)) as stores:
        every = [
            stores.made(ARTIFACT, name, at=at, Source={"SourceUri": uri}, ArtifactType=kind)
            for at, name, uri, kind in made
        ]
        wanted = entity_page(every, query)
        assert entity_page(stores.entities.first(SCOPE, query), query) == wanted


def test_a_thousand_runs_of_ten_metrics_are_found_at_once(stores: Stores) -> None:
    """A tenth of the points that `make bench` loads, and a bound that a slow machine keeps."""
    experiment = stores.made(EXPERIMENT, "E")
    trial = stores.made(TRIAL, "T", ExperimentName="E")
    batch = [
        (f"m{metric}", MetricPoint(at=float(step), value=step / 7, step=step))
        for metric in range(10)
        for step in range(10)
    ]
    components = [stores.made(TRIAL_COMPONENT, f"C{number}") for number in range(1000)]
    for component in components:
        stores.entities.associate(trial, component)
        stores.metrics.put(component, "", batch)

    with at_most(2):
        found = stores.entities.all(SCOPE, TRIAL_COMPONENT, {"Parents.ExperimentName": experiment.name})
        summaries = stores.metrics.summaries(found)
        parents = stores.entities.parents(found)

    assert (len(found), len(parents)) == (1000, 1000)
    assert all(len(one) == 10 and one[0].count == 10 for one in summaries.values())


@given(
    values=st.lists(
        st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=120
    ),
    most=st.integers(0, 40),
)
@example(values=[0.0, 1.7976931348623157e308, -8.98846567431158e307], most=0)
@settings(deadline=None, max_examples=60)
def test_a_curve_is_what_the_contract_keeps(values: list[float], most: int) -> None:
    with TemporaryDirectory() as folder, opened(Path(folder)) as stores:
        component = stores.made(TRIAL_COMPONENT, "C")
        stores.metrics.put(component, "", points(*values, step=3))

        curve = stores.metrics.curve(component, "loss", most)

        assert curve is not None
        every = list(stores.metrics.points(component, "loss"))
        assert [every[number] for number in curve.numbers] == list(curve.points)
        assert [point.value for point in curve.points] == [values[place] for place in kept(values, most)]
        assert curve.summary.count == len(values)


def test_there_is_no_curve_of_what_was_not_measured(stores: Stores) -> None:
    assert stores.metrics.curve(stores.made(TRIAL_COMPONENT, "C"), "loss", 100) is None


def test_of_several_sources_of_a_metric_all_that_is_told_is_of_one(stores: Stores) -> None:
    component = stores.made(TRIAL_COMPONENT, "run")
    for source, value, told in (("arn:z", 1.0, 1.0), ("arn:a", 2.0, 2.0), ("", 3.0, 3.0), ("arn:b", 4.0, 3.0)):
        stores.metrics.put(component, source, [("loss", MetricPoint(at=1.0, value=value, step=None))])
        curve = stores.metrics.curve(component, "loss", 100)
        assert curve is not None
        assert [one.value for one in curve.points] == [told]
        assert list(stores.metrics.points(component, "loss")) == list(curve.points)
        assert stores.metrics.summaries([component])[component.arn][-1] == curve.summary


def test_how_large_experiments_are(stores: Stores) -> None:
    experiment = stores.made(EXPERIMENT, "E")
    stores.made(EXPERIMENT, "empty")
    trials = [stores.made(TRIAL, name, at=2.0, ExperimentName="E") for name in ("T", "U", "V")]
    for name in ("C", "D"):
        component = stores.made(TRIAL_COMPONENT, name, at=5.0)
        for trial in trials[:2]:
            stores.entities.associate(trial, component)

    assert stores.entities.sizes(SCOPE) == {experiment.arn: ExperimentSize(trials=3, components=2, modified=5.0)}
    assert stores.entities.sizes(ELSEWHERE) == {}
