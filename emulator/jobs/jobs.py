"""What the API can do with the jobs of one kind: create, look up, list, stop, delete, tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..contract import life, requests
from ..contract.arns import Scope
from ..contract.fidelity import refusals
from ..contract.job import InputData
from ..contract.kinds import JobKind
from ..contract.listing import JobQuery, Page, page_of
from ..contract.record import JobRecord
from ..contract.s3_data import MANIFEST_FILE
from ..contract.status import is_terminal, status_of
from ..errors import ResourceNotFoundError, ValidationError
from .ports import Clock, JobStore, ObjectStore, ViewStore


class Runner(Protocol):
    """Runs jobs; see `Supervisor`."""

    def submit(self, record: JobRecord) -> None:
        """Run a job that was just created."""

    def stop(self, record: JobRecord) -> None:
        """Stop a job whose status is Stopping already."""


class Jobs:
    """The jobs of one kind of all accounts. Requests have the right shape when they come here.

    A name is one of the kind, account and region, without regard to case.
    """

    def __init__(
        self,
        kind: JobKind,
        store: JobStore,
        views: ViewStore,
        *,
        objects: ObjectStore,
        clock: Clock,
        supervisor: Runner,
    ) -> None:
        self._kind = kind
        self._views = views
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
        refused = refusals(f"Create{self._kind.noun}", request)
        if refused:
            raise ValidationError(f"Not emulated: {' '.join(refused)}")
        life.check(self._kind, request)
        job = life.parse(self._kind, request, scope)
        if self._store.get(job.arn) is not None:
            raise requests.name_taken(job.arn)
        for data in job.input_data:
            if not self._is_there(scope, data):
                raise requests.no_objects(data.source, job.role_arn, scope.region)
        record = self._store.create(
            JobRecord(
                scope=scope,
                name=job.name,
                arn=job.arn,
                request={name: value for name, value in request.items() if name != "Tags"},
                facts=life.created(self._kind, self._clock.now()),
                tags=requests.merged_tags({}, request.get("Tags", ())),
            )
        )
        self._supervisor.submit(record)
        return record

    def get(self, scope: Scope, name: str) -> JobRecord:
        """Return a job.

        Raises:
            ValidationError: there is none (the service does not say ResourceNotFound here).
        """
        record = self._store.get(self._kind.arn(scope, name))
        if record is None:
            raise requests.not_found(self._kind, name)
        return record

    def page(self, scope: Scope, request: Mapping[str, Any]) -> Page:
        """Return one page of the list.

        Raises:
            ValidationError: the token is not one of ours.
        """
        query = JobQuery.parse(request, self._kind)
        return page_of(self._store.first(scope, query), query)

    def stop(self, scope: Scope, name: str) -> None:
        """Ask a job to stop; asking again while it stops changes nothing.

        Raises:
            ValidationError: there is no such job, or it has ended.
        """
        at = self._clock.now()

        def stopping(record: JobRecord) -> JobRecord:
            if is_terminal(record.facts):
                raise requests.not_stoppable(self._kind, status_of(record.facts))
            return record.with_facts(life.stop_requested(self._kind, record.facts, at))

        self._supervisor.stop(self._changed(scope, name, stopping))

    def delete(self, scope: Scope, name: str) -> None:
        """Forget a job that has ended; its name is free afterwards.

        Raises:
            ResourceNotFoundError: there is no such job.
            ResourceInUseError: it has not ended.
        """
        record = self._store.get(self._kind.arn(scope, name))
        if record is None:
            raise ResourceNotFoundError("Requested resource not found.")
        if not is_terminal(record.facts):
            raise requests.not_deletable(record.arn, status_of(record.facts))
        self._views.delete(record.unique_name)
        self._store.delete(record)

    def add_tags(self, scope: Scope, name: str, tags: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
        """Add tags to a job, or give known keys a new value, and return all it has.

        Raises:
            ValidationError: there is no such job, or it would have too many tags.
        """
        return self._changed(
            scope, name, lambda record: replace(record, tags=requests.merged_tags(record.tags, tags))
        ).tags

    def delete_tags(self, scope: Scope, name: str, keys: Sequence[str]) -> None:
        """Take tags off a job; keys it does not have change nothing.

        Raises:
            ValidationError: there is no such job.
        """

        def without_keys(record: JobRecord) -> JobRecord:
            return replace(record, tags={key: value for key, value in record.tags.items() if key not in keys})

        self._changed(scope, name, without_keys)

    def _changed(self, scope: Scope, name: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord:
        record = self._store.update(self._kind.arn(scope, name), change)
        if record is None:
            raise requests.not_found(self._kind, name)
        return record

    def _is_there(self, scope: Scope, data: InputData) -> bool:
        """Tell whether there is an object of a prefix, or the manifest itself; what it lists is read later."""
        found = self._objects.objects(scope, data.source)
        return any(data.s3_data_type != MANIFEST_FILE or one.key == data.source.key for one in found)
