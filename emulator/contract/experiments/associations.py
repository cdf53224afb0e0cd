"""Lineage associations: which entity contributed to, was derived from, or was produced by which.

Source: BC `AddAssociationRequest`, `ListAssociationsRequest`. Unconfirmed: the texts of errors, that between two
entities there is one association whatever its type, and that the type shown of a trial component is its job's
SourceType, else `TrialComponent`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from ...errors import ResourceNotFoundError, ValidationError
from .entities import ARTIFACT, EXPERIMENT, TRIAL_COMPONENT, Entity

DEFAULT_MAX_RESULTS: Final = 10
ASSOCIABLE: Final = (EXPERIMENT, TRIAL_COMPONENT, ARTIFACT)


@dataclass(frozen=True, kw_only=True)
class Association:
    """One association, with what was known of its two ends when it was made; the time is in epoch seconds."""

    source: str
    destination: str
    created: float
    source_name: str = ""
    destination_name: str = ""
    source_type: str = ""
    destination_type: str = ""
    association_type: str | None = None

    @classmethod
    def between(cls, source: Entity, destination: Entity, association_type: str | None, at: float) -> Self:
        """Return the association of two entities."""
        return cls(
            source=source.arn,
            destination=destination.arn,
            created=at,
            source_name=source.name,
            destination_name=destination.name,
            source_type=lineage_type(source),
            destination_type=lineage_type(destination),
            association_type=association_type,
        )

    def summary(self) -> dict[str, Any]:
        """Return its entry in a list; what there is not is left out."""
        members = {
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "SourceType": self.source_type,
            "DestinationType": self.destination_type,
            "AssociationType": self.association_type,
            "SourceName": self.source_name,
            "DestinationName": self.destination_name,
            "CreationTime": self.created,
        }
        return {name: value for name, value in members.items() if value not in ("", None)}


@dataclass(frozen=True, kw_only=True)
class AssociationQuery:
    """A ListAssociations request, read; None does not filter."""

    source: str | None = None
    destination: str | None = None
    equal: Mapping[str, str]
    created_after: float | None = None
    created_before: float | None = None
    sort_by: str = "CreationTime"
    descending: bool = True
    size: int = DEFAULT_MAX_RESULTS
    offset: int = 0

    @classmethod
    def parse(cls, request: Mapping[str, Any]) -> Self:
        """Read a request that has the right shape, its times in epoch seconds.

        Raises:
            ValidationError: the token is not one of ours.
        """
        return cls(
            source=request.get("SourceArn"),
            destination=request.get("DestinationArn"),
            equal={
                name: request[name] for name in ("SourceType", "DestinationType", "AssociationType") if name in request
            },
            created_after=request.get("CreatedAfter"),
            created_before=request.get("CreatedBefore"),
            sort_by=request.get("SortBy", "CreationTime"),
            descending=request.get("SortOrder", "Descending") == "Descending",
            size=request.get("MaxResults", DEFAULT_MAX_RESULTS),
            offset=_offset(request["NextToken"]) if "NextToken" in request else 0,
        )


def association_page(associations: Iterable[Association], query: AssociationQuery) -> dict[str, Any]:
    """Return the ListAssociations answer; `associations` are at least all of the ends that the query names."""
    chosen = [
        one.summary()
        for one in associations
        if (query.created_after is None or one.created > query.created_after)
        and (query.created_before is None or one.created < query.created_before)
    ]
    chosen = [one for one in chosen if all(one.get(name) == value for name, value in query.equal.items())]
    ends = ("SourceArn", "DestinationArn")
    chosen.sort(
        key=lambda one: (one.get(query.sort_by, ""), *(one[end] for end in ends)),
        reverse=query.descending,
    )
    stop = query.offset + query.size
    answer: dict[str, Any] = {"AssociationSummaries": chosen[query.offset : stop]}
    if len(chosen) > stop:
        answer["NextToken"] = base64.urlsafe_b64encode(json.dumps([stop]).encode()).decode()
    return answer


def lineage_type(entity: Entity) -> str:
    """Return what an entity is as an end of an association."""
    if entity.kind is ARTIFACT:
        artifact_type: str = entity.document["ArtifactType"]
        return artifact_type
    source_type: str = entity.document.get("Source", {}).get("SourceType", entity.kind.noun)
    return source_type


def association_exists(source: str, destination: str) -> ValidationError:
    """Return the answer to adding an association again: the SDK counts on the code and on "already exists"."""
    return ValidationError(f"Association between {source} and {destination} already exists.")


def no_association(source: str, destination: str) -> ResourceNotFoundError:
    """Return the answer to deleting what is not there."""
    return ResourceNotFoundError(f"Association between {source} and {destination} does not exist.")


def _offset(token: str) -> int:
    try:
        (offset,) = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError):  # a binascii.Error is a ValueError
        offset = None
    if not isinstance(offset, int) or not 0 <= offset < 2**31:
        raise ValidationError("Invalid NextToken: use the token of the previous page.")
    return offset
