"""Stores that tell of what comes into them, so that who is interested in jobs need not be called by each step.

Whatever the observer meets is its own affair: it is logged, and the job goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ..contract.arns import Scope
from ..contract.kinds import TRAINING
from ..contract.listing import JobQuery
from ..contract.metrics import MetricValue
from ..contract.record import JobRecord
from .ports import JobObserver, JobStore, MetricStore

logger = logging.getLogger(__name__)


class ObservedJobStore:
    """A job store that tells an observer of every job that was created or changed."""

    def __init__(self, store: JobStore, observer: JobObserver) -> None:
        self._store = store
        self._observer = observer

    def create(self, record: JobRecord) -> JobRecord:
        """Add a record under a name that must be free among the jobs of its kind, account and region."""
        created = self._store.create(record)
        self._tell(created)
        return created

    def get(self, arn: str) -> JobRecord | None:
        """Return a job; None: there is none."""
        return self._store.get(arn)

    def update(self, arn: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord | None:
        """Replace a record by `change(record)` with nobody in between; None when it is gone."""
        before: list[JobRecord] = []

        def noted(record: JobRecord) -> JobRecord:
            before.append(record)
            return change(record)

        changed = self._store.update(arn, noted)
        if changed is not None and changed != before[-1]:
            self._tell(changed)
        return changed

    def first(self, scope: Scope, query: JobQuery) -> list[JobRecord]:
        """Return the first `query.size + 1` jobs that a query wants, in any order."""
        return self._store.first(scope, query)

    def unfinished(self) -> list[JobRecord]:
        """Return the jobs of every kind, account and region that have not ended, in the order of their creation."""
        return self._store.unfinished()

    def delete(self, record: JobRecord) -> None:
        """Forget a job; another one that has its name meanwhile stays."""
        self._store.delete(record)

    def _tell(self, record: JobRecord) -> None:
        with unharmed(record.arn):
            self._observer.changed(record)


class ObservedMetricStore:
    """A metric store that tells an observer of the values of every job."""

    def __init__(self, store: MetricStore, jobs: JobStore, observer: JobObserver) -> None:
        self._store = store
        self._jobs = jobs
        self._observer = observer

    def put(self, scope: Scope, namespace: str, job_name: str, values: Iterable[MetricValue]) -> None:
        """Store values under the dimension TrainingJobName."""
        every = list(values)
        self._store.put(scope, namespace, job_name, every)
        with unharmed(job_name):
            record = self._jobs.get(TRAINING.arn(scope, job_name))
            if record is not None:
                self._observer.measured(record, every)


@contextmanager
def unharmed(job: str) -> Iterator[None]:
    """Let an observer fail without harm to the job."""
    try:
        yield
    except Exception:
        logger.exception("The trial component of %s could not be brought up to date", job)


_: type[JobStore] = ObservedJobStore
__: type[MetricStore] = ObservedMetricStore
