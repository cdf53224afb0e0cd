"""What the API can do with training jobs: create, look up, list, stop, delete, tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..contract import requests, status
from ..contract.arns import Scope
from ..contract.fidelity import refusals
from ..contract.kinds import TRAINING
from ..contract.listing import JobQuery, Page, page_of
from ..contract.record import JobRecord
from ..contract.training_job import TrainingJob
from ..errors import ResourceNotFoundError, ValidationError
from .ports import Clock, JobStore, ObjectStore
from .supervisor import Supervisor


class TrainingJobs:
    """The training jobs of all accounts. Requests have the right shape when they come here."""

    def __init__(self, store: JobStore, objects: ObjectStore, clock: Clock, supervisor: Supervisor) -> None:
        self._store = store
        self._objects = objects
        self._clock = clock
        self._supervisor = supervisor

    def create(self, scope: Scope, request: Mapping[str, Any]) -> JobRecord:
        """Check a request, store the job and start it.

        Raises:
            ValidationError: the request cannot be met, or asks for what is not emulated.
            ResourceInUseError: the name is taken, in whatever case.
        """
        refused = refusals("CreateTrainingJob", request)
        if refused:
            raise ValidationError(f"Not emulated: {' '.join(refused)}")
        requests.check_training_job(request)
        job = TrainingJob.parse(request, scope)
        if self._store.get(scope, job.name) is not None:
            raise requests.name_taken(job.arn)
        for channel in job.channels:
            if not self._objects.objects(scope, channel.source):
                raise requests.no_objects(channel.source, job.role_arn, scope.region)
        record = self._store.create(
            JobRecord(
                scope=scope,
                name=job.name,
                arn=job.arn,
                request={name: value for name, value in request.items() if name != "Tags"},
                facts=status.created(self._clock.now()),
                tags=requests.merged_tags({}, request.get("Tags", ())),
            )
        )
        self._supervisor.submit(record)
        return record

    def get(self, scope: Scope, name: str) -> JobRecord:
        """Return a job, looked up without regard to case.

        Raises:
            ValidationError: there is none (the service does not say ResourceNotFound here).
        """
        record = self._store.get(scope, name)
        if record is None:
            raise requests.not_found(TRAINING, name)
        return record

    def page(self, scope: Scope, request: Mapping[str, Any]) -> Page:
        """Return one page of the list.

        Raises:
            ValidationError: the token is not one of ours.
        """
        query = JobQuery.parse(request, TRAINING)
        return page_of(self._store.first(scope, query), query)

    def stop(self, scope: Scope, name: str) -> None:
        """Ask a job to stop; asking again while it stops changes nothing.

        Raises:
            ValidationError: there is no such job, or it has ended.
        """
        at = self._clock.now()

        def stopping(record: JobRecord) -> JobRecord:
            if status.is_terminal(record.facts):
                raise requests.not_stoppable(TRAINING, record.facts["TrainingJobStatus"])
            return record.with_facts(status.stop_requested(record.facts, at))

        record = self._store.update(scope, name, stopping)
        if record is None:
            raise requests.not_found(TRAINING, name)
        self._supervisor.stop(record)

    def delete(self, scope: Scope, name: str) -> None:
        """Forget a job that has ended; its name is free afterwards.

        Raises:
            ResourceNotFoundError: there is no such job.
            ResourceInUseError: it has not ended.
        """
        record = self._store.get(scope, name)
        if record is None:
            raise ResourceNotFoundError("Requested resource not found.")
        if not status.is_terminal(record.facts):
            raise requests.not_deletable(record.arn, record.facts["TrainingJobStatus"])
        self._store.delete(scope, name)

    def add_tags(self, scope: Scope, name: str, tags: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
        """Add tags to a job, or give known keys a new value, and return all it has."""
        return self._retag(scope, name, lambda existing: requests.merged_tags(existing, tags))

    def delete_tags(self, scope: Scope, name: str, keys: Sequence[str]) -> None:
        """Take tags off a job; keys it does not have change nothing."""
        self._retag(scope, name, lambda existing: {k: v for k, v in existing.items() if k not in keys})

    def _retag(
        self, scope: Scope, name: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> Mapping[str, str]:
        record = self._store.update(scope, name, lambda current: replace(current, tags=change(current.tags)))
        if record is None:
            raise requests.not_found(TRAINING, name)
        return record.tags
