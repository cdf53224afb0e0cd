"""Experiments, trials and trial components: create, describe, update, list, delete, associate, tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..contract.arns import Scope
from ..contract.experiments.entities import (
    ARTIFACT,
    EXPERIMENT,
    TRIAL,
    TRIAL_COMPONENT,
    Entity,
    EntityKind,
    describe_entity,
    kind_of_entity,
    name_in,
    name_taken,
    new_entity,
    not_deletable,
    not_found,
)
from ..contract.experiments.job_component import ExperimentConfig, missing
from ..contract.experiments.listing import EntityPage, EntityQuery, entity_page
from ..contract.experiments.updates import updated
from ..contract.requests import merged_tags
from ..errors import ValidationError
from ..jobs.ports import Clock
from .ports import EntityStore, MetricValueStore


class Tracking:
    """The entities of all accounts. Requests have the right shape when they come here, times are epoch seconds.

    A name is one of its kind, account and region, without regard to case.
    """

    def __init__(self, entities: EntityStore, metrics: MetricValueStore, clock: Clock) -> None:
        self._entities = entities
        self._metrics = metrics
        self._clock = clock

    def create(self, kind: EntityKind, scope: Scope, request: Mapping[str, Any]) -> Entity:
        """Store a new entity. An artifact of a source that is known already is that one.

        Raises:
            ResourceNotFoundError: a trial's experiment is not there.
            ValidationError: the name is taken, or a tag key stands twice.
        """
        entity = new_entity(kind, scope, request, self._clock.now())
        if entity.kind is TRIAL:
            experiment = self.get(EXPERIMENT, scope, request["ExperimentName"])
            entity = replace(entity, document={**entity.document, "ExperimentName": experiment.name})
        created = self._entities.create(entity)
        if created is not None:
            return created
        known = self._entities.get(entity.arn)
        if known is not None and kind is ARTIFACT:
            return known
        if known is None:  # its experiment was deleted meanwhile
            raise not_found(EXPERIMENT, request["ExperimentName"])
        raise name_taken(entity)

    def get(self, kind: EntityKind, scope: Scope, name: str) -> Entity:
        """Return an entity by its name, or by its ARN.

        Raises:
            ResourceNotFoundError: there is none.
        """
        entity = self._entities.get(kind.arn(scope, name_in(name)))
        if entity is None:
            raise not_found(kind, name)
        return entity

    def describe(self, entity: Entity) -> dict[str, Any]:
        """Return the Describe answer, of a trial component with the summaries of its metrics."""
        metrics = self._metrics.summaries([entity])[entity.arn] if entity.kind is TRIAL_COMPONENT else ()
        return describe_entity(entity, metrics)

    def update(self, kind: EntityKind, scope: Scope, request: Mapping[str, Any]) -> Entity:
        """Change what a request names, and leave the rest.

        Raises:
            ResourceNotFoundError: there is no such entity.
            ValidationError: it would have too many parameters or artifacts.
        """
        name = request[kind.arn_member if kind is ARTIFACT else kind.name_member]
        at = self._clock.now()
        return self._changed(kind, scope, name, lambda entity: updated(entity, request, at))

    def delete(self, kind: EntityKind, scope: Scope, name: str) -> Entity:
        """Forget an entity; its name is free afterwards.

        Raises:
            ResourceNotFoundError: there is no such entity.
            ValidationError: others belong to it.
        """
        entity = self.get(kind, scope, name)
        children = self._entities.delete(entity)
        if children:
            raise not_deletable(entity, children)
        return entity

    def page(self, kind: EntityKind, scope: Scope, request: Mapping[str, Any]) -> EntityPage:
        """Return one page of a list.

        Raises:
            ResourceNotFoundError: what the entities should belong to is not there.
            ValidationError: the token is not one of ours, or a list of components has two filters at once.
        """
        given = [name for name in ("ExperimentName", "TrialName", "SourceArn") if name in request]
        if kind is TRIAL_COMPONENT and len(given) > 1:
            raise ValidationError(f"Specify only one of ExperimentName, TrialName and SourceArn, not {given}.")
        source = request.get("SourceArn")
        query = EntityQuery.parse(
            kind,
            request,
            experiment=self._arn_of(EXPERIMENT, scope, request.get("ExperimentName")),
            trial=self._arn_of(TRIAL, scope, request.get("TrialName")),
            component=self._arn_of(TRIAL_COMPONENT, scope, request.get("TrialComponentName")),
            source=request.get("SourceUri") if kind is ARTIFACT else source and source.lower(),
        )
        return entity_page(self._entities.first(scope, query), query)

    def associate(self, scope: Scope, request: Mapping[str, Any]) -> tuple[Entity, Entity]:
        """Put a component into a trial, which may be a second time; return trial and component.

        Raises:
            ResourceNotFoundError: one of the two is not there.
        """
        trial, component = self._pair(scope, request)
        if not self._entities.associate(trial, component):
            raise not_found(TRIAL_COMPONENT, component.name)
        return trial, component

    def disassociate(self, scope: Scope, request: Mapping[str, Any]) -> tuple[Entity, Entity]:
        """Take a component out of a trial; return both.

        Raises:
            ResourceNotFoundError: one of the two is not there, or the component is not in the trial.
        """
        trial, component = self._pair(scope, request)
        if not self._entities.disassociate(trial, component):
            raise not_found(TRIAL_COMPONENT, f"{component.name}' in the trial '{trial.name}")
        return trial, component

    def tags(self, scope: Scope, arn: str) -> Mapping[str, str]:
        """Return the tags of an entity.

        Raises:
            ResourceNotFoundError: there is none.
        """
        return self.get(kind_of_entity(arn), scope, arn).tags

    def add_tags(self, scope: Scope, arn: str, tags: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
        """Add tags to an entity, or give known keys a new value, and return all it has.

        Raises:
            ResourceNotFoundError: there is no such entity.
            ValidationError: it would have too many tags.
        """
        return self._changed(
            kind_of_entity(arn), scope, arn, lambda entity: replace(entity, tags=merged_tags(entity.tags, tags))
        ).tags

    def delete_tags(self, scope: Scope, arn: str, keys: Sequence[str]) -> None:
        """Take tags off an entity; keys it does not have change nothing.

        Raises:
            ResourceNotFoundError: there is no such entity.
        """

        def without_keys(entity: Entity) -> Entity:
            return replace(entity, tags={key: value for key, value in entity.tags.items() if key not in keys})

        self._changed(kind_of_entity(arn), scope, arn, without_keys)

    def check_config(self, scope: Scope, request: Mapping[str, Any]) -> None:
        """Refuse a request for a job whose ExperimentConfig names what is not there.

        Raises:
            ResourceNotFoundError: an experiment, a trial or the component of a run.
            ValidationError: the trial belongs to another experiment.
        """
        config = ExperimentConfig.parse(request)
        for kind, name in config.named():
            entity = self._entities.get(kind.arn(scope, name))
            if entity is None:
                raise missing(kind, name)
            if kind is TRIAL:
                config.check_trial(entity)

    def _pair(self, scope: Scope, request: Mapping[str, Any]) -> tuple[Entity, Entity]:
        return (
            self.get(TRIAL, scope, request["TrialName"]),
            self.get(TRIAL_COMPONENT, scope, request["TrialComponentName"]),
        )

    def _arn_of(self, kind: EntityKind, scope: Scope, name: str | None) -> str | None:
        return None if name is None else self.get(kind, scope, name).arn

    def _changed(self, kind: EntityKind, scope: Scope, name: str, change: Callable[[Entity], Entity]) -> Entity:
        entity = self._entities.update(kind.arn(scope, name_in(name)), change)
        if entity is None:
            raise not_found(kind, name)
        return entity
