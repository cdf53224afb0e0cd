"""BatchPutMetrics and BatchGetMetrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contract.arns import ResourceName, Scope
from ..contract.experiments.entities import TRIAL_COMPONENT, Entity, not_found
from ..contract.experiments.job_component import component_arn
from ..contract.experiments.metric_series import SeriesQuery, answered, refused
from ..contract.experiments.metric_summary import MetricPoint, is_timely
from ..contract.kinds import is_job, kind_of
from ..errors import ValidationError
from ..jobs.ports import Clock
from .ports import EntityStore, MetricValueStore


class Metrics:
    """The metrics of all trial components. Requests have the right shape when they come here."""

    def __init__(self, values: MetricValueStore, entities: EntityStore, clock: Clock) -> None:
        self._values = values
        self._entities = entities
        self._clock = clock

    def put(self, scope: Scope, request: Mapping[str, Any]) -> dict[str, Any]:
        """Store what is good of a batch, and tell what is not by its place.

        Raises:
            ResourceNotFoundError: there is no such trial component.
        """
        name = request["TrialComponentName"]
        component = self._entities.get(TRIAL_COMPONENT.arn(scope, name))
        if component is None:
            raise not_found(TRIAL_COMPONENT, name)
        now = self._clock.now()
        batch = request["MetricData"]
        late = [place for place, one in enumerate(batch) if not is_timely(one["Timestamp"], now)]
        self._values.put(
            component,
            "",
            [
                (one["MetricName"], MetricPoint(at=one["Timestamp"], value=float(one["Value"]), step=one.get("Step")))
                for place, one in enumerate(batch)
                if place not in late
            ],
        )
        errors = [{"Code": "VALIDATION_ERROR", "MetricIndex": place} for place in late]
        return {"Errors": errors} if errors else {}

    def get(self, scope: Scope, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer every query of a batch, a wrong one by what is wrong with it."""
        return {"MetricQueryResults": [self._answer(scope, SeriesQuery.parse(one)) for one in request["MetricQueries"]]}

    def _answer(self, scope: Scope, query: SeriesQuery) -> dict[str, Any]:
        if query.fault:
            return refused(query.fault)
        try:
            component = self._component(scope, query.resource_arn)
        except ValidationError as error:
            return refused(error.message)
        if component is None:
            return refused(f"{query.resource_arn} does not exist, or is no trial component and no job.")
        return answered(query, self._values.points(component, query.metric_name))

    def _component(self, scope: Scope, arn: str) -> Entity | None:
        """Return the component that an ARN names, by its own or by its job's."""
        resource = ResourceName.parse(arn)
        if resource.scope != scope:
            return None
        if is_job(arn):
            return self._entities.get(component_arn(kind_of(arn), scope, resource.name))
        found = self._entities.get(TRIAL_COMPONENT.arn(scope, resource.name))
        return found if resource.kind == TRIAL_COMPONENT.resource else None
