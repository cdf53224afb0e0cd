"""Temporary credentials of job roles, and who an access key is."""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ..contract.arns import Scope
from ..jobs.ports import CredentialIssuer
from .database import Database

_LIFETIME: Final = timedelta(hours=6)
_COLUMNS: Final = "job, id, account, region, role_arn, session, access_key_id, secret_access_key, token"


@dataclass(frozen=True, kw_only=True)
class IssuedCredentials:
    """What the credentials endpoint answers, for one job."""

    id: str
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
    """The credentials of jobs that run, by job, by id and by access key. A restart does not change them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._of_job: dict[str, IssuedCredentials] = {}
        rows = database.rows(f"SELECT {_COLUMNS} FROM role_credentials")  # noqa: S608 - a text of this file
        for job, identifier, account, region, role_arn, session, key, secret, token in rows:
            self._of_job[job] = IssuedCredentials(
                id=identifier,
                scope=Scope(account=account, region=region),
                role_arn=role_arn,
                session=session,
                access_key_id=key,
                secret_access_key=secret,
                token=token,
            )

    def issue(self, job: str, scope: Scope, role_arn: str, session: str) -> str:
        """Return the id under which a job's credentials can be fetched."""
        with self._lock:
            if job not in self._of_job:
                self._of_job[job] = self._create(job, scope, role_arn, session)
            return self._of_job[job].id

    def revoke(self, job: str) -> None:
        """Make a job's credentials useless."""
        with self._lock, self._database.transaction() as connection:
            connection.execute("DELETE FROM role_credentials WHERE job = ?", (job,))
            self._of_job.pop(job, None)

    def revoke_others(self, jobs: Collection[str]) -> None:
        """Make the credentials of all other jobs useless: those of a killed emulator's that had just ended."""
        for job in self._of_job.keys() - set(jobs):
            self.revoke(job)

    def fetch(self, credentials_id: str) -> IssuedCredentials | None:
        """Return the credentials with this id."""
        with self._lock:
            return next((one for one in self._of_job.values() if one.id == credentials_id), None)

    def of_access_key(self, access_key_id: str) -> IssuedCredentials | None:
        """Return the credentials that an access key belongs to."""
        with self._lock:
            return next((one for one in self._of_job.values() if one.access_key_id == access_key_id), None)

    def _create(self, job: str, scope: Scope, role_arn: str, session: str) -> IssuedCredentials:
        created = IssuedCredentials(
            id=str(uuid.uuid4()),
            scope=scope,
            role_arn=role_arn,
            session=session,
            access_key_id=f"ASIA{secrets.token_hex(8).upper()}",
            secret_access_key=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(120),
        )
        values = (job, created.id, scope.account, scope.region, role_arn, session)
        keys = (created.access_key_id, created.secret_access_key, created.token)
        with self._database.transaction() as connection:
            connection.execute(
                f"INSERT INTO role_credentials ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (*values, *keys),
            )
        return created


_: type[CredentialIssuer] = RoleCredentials
