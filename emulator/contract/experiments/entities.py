"""Experiments, trials, trial components and lineage artifacts: what they are called, and what Describe says of them.

Source: BC `CreateExperimentRequest`, `CreateTrialRequest`, `CreateTrialComponentRequest`, `CreateArtifactRequest` and
their answers. Names are not case-sensitive; the ARN has the name in lower case, and is the entity's identity.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ...errors import ResourceNotFoundError, ValidationError
from ..arns import ResourceName, Scope
from ..requests import merged_tags
from .metric_summary import MetricSummary, metric_list


@dataclass(frozen=True, kw_only=True)
class EntityKind:
    """One kind of what Experiments and lineage keep, by the word its members begin with."""

    noun: str
    resource: str
    """What stands in its ARN."""
    words: str
    """What messages call it."""
    summary_members: tuple[str, ...]
    """The members of the document that a list shows; see `summary_of`."""
    maps: tuple[str, ...] = ()
    """The maps that Describe shows also when they are empty."""

    @property
    def name_member(self) -> str:
        """`TrialName`."""
        return f"{self.noun}Name"

    @property
    def arn_member(self) -> str:
        """`TrialArn`."""
        return f"{self.noun}Arn"

    def arn(self, scope: Scope, name: str) -> str:
        """Return the ARN of an entity with this name, in whatever case."""
        return f"arn:{scope.partition}:sagemaker:{scope.region}:{scope.account}:{self.resource}/{name.lower()}"


EXPERIMENT: Final = EntityKind(
    noun="Experiment", resource="experiment", words="experiment", summary_members=("DisplayName",)
)
TRIAL: Final = EntityKind(noun="Trial", resource="experiment-trial", words="trial", summary_members=("DisplayName",))
TRIAL_COMPONENT: Final = EntityKind(
    noun="TrialComponent",
    resource="experiment-trial-component",
    words="trial component",
    summary_members=("DisplayName", "Status", "StartTime", "EndTime"),
    maps=("Parameters", "InputArtifacts", "OutputArtifacts"),
)
ARTIFACT: Final = EntityKind(
    noun="Artifact", resource="artifact", words="artifact", summary_members=("Source", "ArtifactType")
)
ENTITY_KINDS: Final = (EXPERIMENT, TRIAL, TRIAL_COMPONENT, ARTIFACT)

_BY_RESOURCE: Final = {kind.resource: kind for kind in ENTITY_KINDS}


@dataclass(frozen=True, kw_only=True)
class Entity:
    """One entity. `document` has the members of its Describe answer that are not its name, ARN, times or metrics.

    Times are epoch seconds. `number` counts entities in order of creation.
    """

    scope: Scope
    kind: EntityKind
    name: str
    arn: str
    created: float
    modified: float
    document: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    number: int = 0

    @property
    def experiment_arn(self) -> str | None:
        """The experiment that a trial belongs to."""
        return EXPERIMENT.arn(self.scope, self.document["ExperimentName"]) if self.kind is TRIAL else None

    @property
    def source(self) -> str | None:
        """What the entity was made of, as lists look for it: an ARN in lower case, or an artifact's URI."""
        source = self.document.get("Source", {})
        arn: str | None = source.get("SourceArn")
        uri: str | None = source.get("SourceUri")
        return arn.lower() if arn is not None else uri

    def changed(self, document: Mapping[str, Any], at: float) -> Entity:
        """Return the entity with another document since a time."""
        return replace(self, document=document, modified=at)


@dataclass(frozen=True, kw_only=True)
class ExperimentSize:
    """What belongs to an experiment, and when the last of it was changed (epoch seconds)."""

    trials: int = 0
    components: int = 0
    modified: float = 0.0


def is_entity(arn: str) -> bool:
    """Tell whether a SageMaker ARN is that of one of these kinds.

    Raises:
        ValidationError: the text is no SageMaker ARN.
    """
    return ResourceName.parse(arn).kind in _BY_RESOURCE


def kind_of_entity(arn: str) -> EntityKind:
    """Return the kind of an entity by its ARN."""
    return _BY_RESOURCE[ResourceName.parse(arn).kind]


def name_in(text: str) -> str:
    """Return the name in what Describe is asked for: a name, or an ARN."""
    return text.rpartition("/")[2]


def new_entity(kind: EntityKind, scope: Scope, request: Mapping[str, Any], at: float) -> Entity:
    """Return the entity that a validated Create request asks for.

    DisplayName defaults to the name (BC). An artifact's name may be left out and given twice; its ARN ends in
    a digest of its source and type (seen: 32 hexadecimal digits), so that the same source is the same artifact.

    Raises:
        ValidationError: a tag key stands twice.
    """
    known = (kind.name_member, "Tags")
    document = {name: value for name, value in request.items() if name not in known}
    if kind is ARTIFACT:
        name = request.get(kind.name_member, "")
        key = artifact_key(request["Source"], request["ArtifactType"])
    else:
        name = key = request[kind.name_member]
        document.setdefault("DisplayName", name)
    return Entity(
        scope=scope,
        kind=kind,
        name=name,
        arn=kind.arn(scope, key),
        created=at,
        modified=at,
        document=document,
        tags=merged_tags({}, request.get("Tags", ())),
    )


def artifact_key(source: Mapping[str, Any], artifact_type: str) -> str:
    """Return what an artifact's ARN ends in."""
    identity = json.dumps([source["SourceUri"], source.get("SourceTypes", []), artifact_type], sort_keys=True)
    return hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest()


def describe_entity(entity: Entity, metrics: Sequence[MetricSummary] = ()) -> dict[str, Any]:
    """Return the Describe answer; what there is not is left out, never null.

    But for a component's maps: ExperimentAnalytics of the SDK counts on them, so the service sends empty ones.
    """
    answer = {
        **named(entity),
        **{name: {} for name in entity.kind.maps},
        **entity.document,
        "CreationTime": entity.created,
        "LastModifiedTime": entity.modified,
    }
    if metrics:
        answer["Metrics"] = metric_list(metrics)
    return answer


def is_running(document: Mapping[str, Any]) -> bool:
    """Tell whether the Describe answer of a trial component is of one that may still change."""
    return document.get("Status", {}).get("PrimaryStatus") in ("InProgress", "Stopping")


def summary_of(entity: Entity) -> dict[str, Any]:
    """Return the entity's entry in a list; its Source is called `TrialComponentSource` there (BC)."""
    members = entity.kind.summary_members
    answer = {
        **named(entity),
        **{name: entity.document[name] for name in members if name in entity.document},
        "CreationTime": entity.created,
        "LastModifiedTime": entity.modified,
    }
    if "Source" in entity.document and "Source" not in members:
        answer[f"{entity.kind.noun}Source"] = entity.document["Source"]
    return answer


def named(entity: Entity) -> dict[str, str]:
    """Return the members that name an entity: its name, where it has one, and its ARN."""
    kind = entity.kind
    name = {kind.name_member: entity.name} if entity.name else {}
    return {**name, kind.arn_member: entity.arn}


def name_taken(entity: Entity) -> ValidationError:
    """Return the service's answer to a name in use: the SDK counts on the code and on "already exists".

    Seen for experiments; of the others by analogy (unconfirmed).
    """
    words = entity.kind.words.capitalize()
    return ValidationError(
        f"{words} names must be unique within an AWS account and region. "
        f"{words} with name ({entity.name}) already exists."
    )


def not_found(kind: EntityKind, name: str) -> ResourceNotFoundError:
    """Return the answer to an unknown name or ARN (text unconfirmed)."""
    return ResourceNotFoundError(f"{kind.words.capitalize()} '{name}' does not exist.")


def not_deletable(entity: Entity, count: int) -> ValidationError:
    """Return the answer to deleting what others belong to (text unconfirmed; the rule is BC's)."""
    name = entity.name
    if entity.kind is EXPERIMENT:
        why = f"{count} trial(s) belong to it. Delete them first; ListTrials with its name lists them"
    elif entity.kind is TRIAL:
        why = f"{count} trial component(s) are associated with it. Disassociate them first"
    elif entity.kind is TRIAL_COMPONENT:
        why = f"it is associated with {count} trial(s). Disassociate it from them first"
    else:
        why = f"it has {count} association(s). Delete them first"
        name = entity.arn
    return ValidationError(f"The {entity.kind.words} '{name}' cannot be deleted: {why}.")
