"""Temporary credentials of job roles, and who an access key is."""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..contract.arns import Scope
from ..jobs.ports import CredentialIssuer

_LIFETIME = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class IssuedCredentials:
    """What the credentials endpoint answers, for one job."""

    scope: Scope
    role_arn: str
    session: str
    access_key_id: str
    secret_access_key: str
    token: str

    @property
    def document(self) -> dict[str, str]:
        """The ECS credentials document; a new Expiration each time it is fetched."""
        expiration = datetime.now(UTC) + _LIFETIME
        return {
            "RoleArn": self.role_arn,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "Token": self.token,
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    @property
    def caller_arn(self) -> str:
        """Who sts:GetCallerIdentity says this is."""
        role = self.role_arn.rpartition("/")[2]
        return f"arn:{self.scope.partition}:sts::{self.scope.account}:assumed-role/{role}/{self.session}"


class RoleCredentials:
    """Issued credentials, by id and by access key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, IssuedCredentials] = {}

    def issue(self, scope: Scope, role_arn: str, session: str) -> str:
        """Return the id under which new credentials can be fetched."""
        credentials = IssuedCredentials(
            scope=scope,
            role_arn=role_arn,
            session=session,
            access_key_id=f"ASIA{secrets.token_hex(8).upper()}",
            secret_access_key=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(120),
        )
        identifier = str(uuid.uuid4())
        with self._lock:
            self._by_id[identifier] = credentials
        return identifier

    def revoke(self, credentials_id: str) -> None:
        """Make the credentials useless."""
        with self._lock:
            self._by_id.pop(credentials_id, None)

    def fetch(self, credentials_id: str) -> IssuedCredentials | None:
        """Return the credentials with this id."""
        with self._lock:
            return self._by_id.get(credentials_id)

    def of_access_key(self, access_key_id: str) -> IssuedCredentials | None:
        """Return the credentials that an access key belongs to."""
        with self._lock:
            return next((one for one in self._by_id.values() if one.access_key_id == access_key_id), None)


_: type[CredentialIssuer] = RoleCredentials
