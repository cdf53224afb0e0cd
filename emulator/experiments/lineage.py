"""Associations between artifacts, trial components and experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contract.arns import Scope
from ..contract.experiments.associations import (
    ASSOCIABLE,
    Association,
    AssociationQuery,
    association_exists,
    association_page,
    no_association,
)
from ..contract.experiments.entities import Entity, is_entity, kind_of_entity, not_found
from ..errors import ValidationError
from ..jobs.ports import Clock
from .ports import AssociationStore, EntityStore


class Lineage:
    """The associations of all accounts. Requests have the right shape when they come here."""

    def __init__(self, associations: AssociationStore, entities: EntityStore, clock: Clock) -> None:
        self._associations = associations
        self._entities = entities
        self._clock = clock

    def add(self, scope: Scope, request: Mapping[str, Any]) -> None:
        """Add an association.

        Raises:
            ResourceNotFoundError: one of its ends is not there.
            ValidationError: these two have one already, or one of them is of a kind that is not emulated.
        """
        source, destination = self._end(request["SourceArn"]), self._end(request["DestinationArn"])
        association = Association.between(source, destination, request.get("AssociationType"), self._clock.now())
        if not self._associations.add(scope, association):
            raise association_exists(source.arn, destination.arn)

    def delete(self, request: Mapping[str, Any]) -> None:
        """Forget an association.

        Raises:
            ResourceNotFoundError: there is none.
        """
        source, destination = _arn(request["SourceArn"]), _arn(request["DestinationArn"])
        if not self._associations.delete(source, destination):
            raise no_association(source, destination)

    def page(self, scope: Scope, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the ListAssociations answer, its times in the request in epoch seconds.

        Raises:
            ValidationError: the token is not one of ours.
        """
        ends = {name: _arn(request[name]) for name in ("SourceArn", "DestinationArn") if name in request}
        query = AssociationQuery.parse({**request, **ends})
        return association_page(self._associations.all(scope, query), query)

    def _end(self, arn: str) -> Entity:
        if not is_entity(arn) or kind_of_entity(arn) not in ASSOCIABLE:
            raise ValidationError(
                f"{arn}: only experiments, trial components and artifacts can be associated here. Actions and contexts "
                "are not emulated; docs/fidelity.md lists what is."
            )
        entity = self._entities.get(_arn(arn))
        if entity is None:
            raise not_found(kind_of_entity(arn), arn)
        return entity


def _arn(text: str) -> str:
    """Return an ARN as entities are found by it: its name in lower case."""
    above, _, name = text.rpartition("/")
    return f"{above}/{name.lower()}"
