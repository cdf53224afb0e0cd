"""What `experiments` needs from the world; storage provides it, `runtime` joins them.

What was stored is there after a restart, also of a process that was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from ..contract.arns import Scope
from ..contract.experiments.associations import Association, AssociationQuery
from ..contract.experiments.curves import Curve
from ..contract.experiments.entities import Entity, EntityKind
from ..contract.experiments.listing import EntityQuery
from ..contract.experiments.metric_summary import MetricPoint, MetricSummary


class EntityStore(Protocol):
    """Experiments, trials, trial components and artifacts, each found by its ARN."""

    def create(self, entity: Entity) -> Entity | None:
        """Add an entity; None: its ARN is taken, or a trial's experiment is not there."""

    def get(self, arn: str) -> Entity | None:
        """Return an entity; None: there is none."""

    def update(self, arn: str, change: Callable[[Entity], Entity]) -> Entity | None:
        """Replace an entity by `change(entity)` with nobody in between; None when it is gone."""

    def delete(self, entity: Entity) -> int:
        """Forget an entity and its metrics, unless others belong to it; return how many do."""

    def first(self, scope: Scope, query: EntityQuery) -> list[Entity]:
        """Return at least the first `query.size + 1` entities that a query wants, in any order."""

    def all(self, scope: Scope, kind: EntityKind, needs: Mapping[str, str]) -> list[Entity]:
        """Return all entities of a kind, but for some of which a property is not equal to what is needed."""

    def unfinished_of_jobs(self) -> list[Entity]:
        """Return the trial components of jobs, of all accounts and regions, whose status is not an end."""

    def associate(self, trial: Entity, component: Entity) -> bool:
        """Put a component into a trial; again changes nothing. False: one of them is gone."""

    def disassociate(self, trial: Entity, component: Entity) -> bool:
        """Take a component out of a trial; False: it was not in it."""

    def parents(self, components: Collection[Entity]) -> Mapping[str, Sequence[Entity]]:
        """Return the trials of components by the components' ARNs."""

    def members(self, trials: Collection[Entity]) -> Mapping[str, Sequence[Entity]]:
        """Return the components of trials by the trials' ARNs."""


class AssociationStore(Protocol):
    """Which lineage entity contributed to, or was produced by, which."""

    def add(self, scope: Scope, association: Association) -> bool:
        """Add an association; False: these two have one already."""

    def delete(self, source: str, destination: str) -> bool:
        """Forget an association; False: there is none."""

    def all(self, scope: Scope, query: AssociationQuery) -> list[Association]:
        """Return the associations of a source and a destination, where the query names them."""


class MetricValueStore(Protocol):
    """The values of metrics of trial components, and their summaries, which are kept up with each value."""

    def put(self, component: Entity, source_arn: str, points: Sequence[tuple[str, MetricPoint]]) -> None:
        """Add values by the names of their metrics, all or none of them."""

    def summaries(self, components: Collection[Entity]) -> Mapping[str, Sequence[MetricSummary]]:
        """Return what is known of the metrics of components, by the components' ARNs.

        If several sources have put values of one name, the one that `points` yields comes last.
        """

    def points(self, component: Entity, name: str) -> Iterator[MetricPoint]:
        """Yield the values of a metric in the order in which they came.

        If several sources have put values of that name, it is what clients have put, else what the newest job has.
        """

    def curve(self, component: Entity, name: str, most: int) -> Curve | None:
        """Return what `contract.experiments.curves` keeps of the values that `points` yields; None: there are none."""

    def forget(self, component: Entity, source_arn: str) -> None:
        """Forget what was put for a source."""
