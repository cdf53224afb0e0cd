"""Job records held in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from ..contract import requests
from ..contract.arns import Scope
from ..contract.record import JobRecord
from .ports import JobStore


class MemoryJobStore:
    """All records behind one lock; a record itself is never changed, only replaced."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._records: dict[tuple[Scope, str], JobRecord] = {}

    def create(self, record: JobRecord) -> JobRecord:
        """Add a record under a name that must be free."""
        with self._lock:
            if record.key in self._records:
                raise requests.name_taken(record.arn)
            numbered = replace(record, number=next(self._numbers))
            self._records[record.key] = numbered
            return numbered

    def get(self, scope: Scope, name: str) -> JobRecord | None:
        """Return a job, looked up without regard to case."""
        with self._lock:
            return self._records.get((scope, name.lower()))

    def update(self, scope: Scope, name: str, change: Callable[[JobRecord], JobRecord]) -> JobRecord | None:
        """Replace a record by `change(record)` with nobody in between; None when it is gone."""
        with self._lock:
            record = self._records.get((scope, name.lower()))
            if record is None:
                return None
            changed = self._records[record.key] = change(record)
            return changed

    def all(self, scope: Scope) -> list[JobRecord]:
        """Return the jobs of one account and region."""
        with self._lock:
            return [record for record in self._records.values() if record.scope == scope]

    def delete(self, scope: Scope, name: str) -> None:
        """Forget a job."""
        with self._lock:
            self._records.pop((scope, name.lower()), None)


_: type[JobStore] = MemoryJobStore
