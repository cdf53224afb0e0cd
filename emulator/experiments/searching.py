"""Search over experiments, trials, trial components and training jobs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from ..contract.arns import Scope
from ..contract.experiments.entities import EXPERIMENT, TRIAL, TRIAL_COMPONENT, Entity, describe_entity, summary_of
from ..contract.experiments.search import check_expression, check_property, needs
from ..contract.experiments.search_page import ALL_OF_THEM, Found, SearchPage, search_page
from ..contract.kinds import TRAINING, is_job, kind_of
from ..contract.listing import JobQuery
from ..contract.record import describe
from ..errors import ServiceError, ValidationError
from ..jobs.ports import JobStore
from .ports import EntityStore, MetricValueStore

RECORD_MEMBERS: Final = {
    "Experiment": "Experiment",
    "ExperimentTrial": "Trial",
    "ExperimentTrialComponent": "TrialComponent",
    "TrainingJob": "TrainingJob",
}
"""Which member of a SearchRecord a resource is; what is not here is not searched."""


class Searching:
    """Finds resources of all accounts. Requests have the right shape when they come here."""

    def __init__(self, entities: EntityStore, metrics: MetricValueStore, jobs: JobStore) -> None:
        self._entities = entities
        self._metrics = metrics
        self._jobs = jobs
        self._finders: Mapping[str, Callable[[Scope, Mapping[str, str]], Iterator[Found]]] = {
            "Experiment": self._experiments,
            "ExperimentTrial": self._trials,
            "ExperimentTrialComponent": self.components,
            "TrainingJob": self._training_jobs,
        }

    def search(self, scope: Scope, request: Mapping[str, Any], known: Collection[str]) -> SearchPage:
        """Return the page that a request asks for; `known` are the members of the resource.

        Raises:
            ServiceError: the resource is not searched here.
            ValidationError: the expression cannot be evaluated, or the token is not one of ours.
        """
        resource = request["Resource"]
        if resource not in self._finders:
            raise ServiceError(
                "UnsupportedOperationException",
                f"Search over {resource} is not emulated. It is over {', '.join(self._finders)}.",
            )
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            raise ValidationError("CrossAccountFilterOption: CrossAccount is not emulated: nothing is shared here.")
        if "SearchExpression" in request:
            check_expression(resource, request["SearchExpression"], known)
        if "SortBy" in request:
            check_property(request["SortBy"], known)
        needed = needs(request.get("SearchExpression", {}))
        page = search_page(self._finders[resource](scope, needed), request)
        if resource != "ExperimentTrialComponent":
            return page
        return SearchPage(
            results=tuple(self._with_source(one) for one in page.results),
            total=page.total,
            next_token=page.next_token,
        )

    def components(self, scope: Scope, needed: Mapping[str, str]) -> Iterator[Found]:
        """Yield trial components as Search has them, read in one pass; each has the properties that are `needed`."""
        components = self._entities.all(scope, TRIAL_COMPONENT, needed)
        parents = self._entities.parents(components)
        metrics = self._metrics.summaries(components)
        for component in components:
            trials = _parents(parents[component.arn])
            extra = {"Parents": trials} if trials else {}
            yield _found(component, {**describe_entity(component, metrics[component.arn]), **extra})

    def _experiments(self, scope: Scope, needed: Mapping[str, str]) -> Iterator[Found]:
        for entity in self._entities.all(scope, EXPERIMENT, needed):
            yield _found(entity, describe_entity(entity))

    def _trials(self, scope: Scope, needed: Mapping[str, str]) -> Iterator[Found]:
        trials = self._entities.all(scope, TRIAL, needed)
        members = self._entities.members(trials)
        for trial in trials:
            summaries = [_without_status(summary_of(one)) for one in members[trial.arn]]
            extra = {"TrialComponentSummaries": summaries} if summaries else {}
            yield _found(trial, {**describe_entity(trial), **extra})

    def _training_jobs(self, scope: Scope, needed: Mapping[str, str]) -> Iterator[Found]:
        if "TrainingJobName" in needed:
            one = self._jobs.get(TRAINING.arn(scope, needed["TrainingJobName"]))
            records = [one] if one is not None else []
        else:
            records = self._jobs.first(scope, JobQuery(kind=TRAINING, size=ALL_OF_THEM))
        for record in records:
            yield Found(identity=record.arn, document={**describe(record), **_tags(record.tags)})

    def _with_source(self, found: Found) -> Found:
        """Return a component with the job that it is of: of the results only, as jobs are large."""
        arn = found.document.get("Source", {}).get("SourceArn")
        if arn is None or not is_job(arn):
            return found
        record = self._jobs.get(arn)
        detail = {"SourceArn": arn}
        if record is not None:
            detail |= {kind_of(arn).noun: {**describe(record), **_tags(record.tags)}}
        return Found(identity=found.identity, document={**found.document, "SourceDetail": detail})


def _found(entity: Entity, document: Mapping[str, Any]) -> Found:
    return Found(identity=entity.arn, document={**document, **_tags(entity.tags)})


def _tags(tags: Mapping[str, str]) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {}


def _parents(trials: Sequence[Entity]) -> list[dict[str, str]]:
    return [{"TrialName": trial.name, "ExperimentName": trial.document["ExperimentName"]} for trial in trials]


def _without_status(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a component as a trial shows it: name, ARN, source and time of creation (BC)."""
    wanted = ("TrialComponentName", "TrialComponentArn", "TrialComponentSource", "CreationTime")
    return {name: summary[name] for name in wanted if name in summary}
