"""A job of an endpoint, found by its name whatever its kind is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ..contract.kinds import JobKind
from ..contract.requests import not_found
from ..contract.status import is_terminal, status_of
from ..errors import EmulatorError, UsageError
from ..jobfiles.clients import Clients, code_and_message, service_errors
from .options import KIND_NAMES, kinds_of


@dataclass(kw_only=True)
class FoundJob:
    """A job, and what its last Describe answer said."""

    clients: Clients
    kind: JobKind
    description: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name, as it was created."""
        return str(self.description[self.kind.name_member])

    @property
    def status(self) -> str:
        """Its status."""
        return status_of(self.description)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return is_terminal(self.description)

    def look(self) -> None:
        """Ask again how it is."""
        with service_errors():
            self.description = self.clients.describe(self.name, self.kind)

    def stop(self) -> None:
        """Ask for its end."""
        with service_errors():
            self.clients.stop(self.name, self.kind)


def find_job(clients: Clients, name: str, kind: str | None) -> FoundJob:
    """Find a job by its name.

    Raises:
        EmulatorError: there is no such job here, or the endpoint refused otherwise.
        UsageError: there are jobs of several kinds with this name.
    """
    found = [
        FoundJob(clients=clients, kind=one, description=description)
        for one in kinds_of(kind)
        if (description := _described(clients, name, one)) is not None
    ]
    if not found:
        scope = clients.scope
        what = f"{kind} job" if kind else "job"
        raise EmulatorError(
            f"There is no {what} {name!r} of account {scope.account} in {scope.region}. "
            "See which there are: sagemaker-emulator jobs"
        )
    if len(found) > 1:
        raise UsageError(
            f"There are a {' and a '.join(one.kind.words for one in found)} named {name!r}. "
            f"Choose one: --kind {' or --kind '.join(KIND_NAMES)}"
        )
    return found[0]


def _described(clients: Clients, name: str, kind: JobKind) -> dict[str, Any] | None:
    with service_errors():
        try:
            return clients.describe(name, kind)
        except ClientError as error:
            missing = not_found(kind, name)
            if code_and_message(error) != (missing.code, missing.message):
                raise
            return None
