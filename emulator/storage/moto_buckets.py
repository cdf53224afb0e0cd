"""Buckets, which are moto's: found, asked for their configuration, brought back after a restart.

Objects are the object store's. The two agree on what exists: a bucket that moto has (a client or a
CloudFormation stack made it) is made in the store when it is first looked up, and its objects in moto are
a view of the store from then on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from moto.iam.access_control import PermissionResult
from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.utils import cors_matches_origin
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from ..contract.arns import Scope
from .bucket_journal import CREATION, BucketJournal
from .buckets import BucketCall, BucketEntry, BucketSettings, DefaultRetention, Grants, Permission
from .moto_keys import StoredKeys, versioning_of
from .moto_services import MotoServices
from .objects.model import ObjectStore, ObjectVersion, Versioning

logger = logging.getLogger(__name__)

_PERMISSIONS: Final = {PermissionResult.DENIED: Permission.DENIED, PermissionResult.PERMITTED: Permission.ALLOWED}


class MotoBuckets:
    """The buckets of all accounts."""

    def __init__(self, services: MotoServices, store: ObjectStore, journal: BucketJournal) -> None:
        """Bring back the buckets of the journal. The objects of buckets that cannot be brought back stay stored."""
        self._services = services
        self._store = store
        self._journal = journal
        self._lock = threading.Lock()
        self._replay()

    def find(self, scope: Scope, name: str) -> BucketSettings | None:
        """Return a bucket of any account, as S3's names are global."""
        bucket = self._bucket(scope, name)
        return None if bucket is None else _settings(bucket)

    def of_account(self, scope: Scope) -> list[BucketEntry]:
        """Return the buckets of an account, of all regions, by name."""
        names = sorted(s3_backends[scope.account][scope.partition].buckets)
        found = [bucket for name in names if (bucket := self._bucket(scope, name)) is not None]
        return [
            BucketEntry(
                name=bucket.name,
                region=bucket.region_name,
                created=_created(bucket),
                versioning=versioning_of(bucket),
            )
            for bucket in found
        ]

    def owns(self, scope: Scope, name: str) -> bool:
        """Tell whether an account may use a bucket: whether there is one."""
        return self._bucket(scope, name) is not None

    def versioning(self, scope: Scope, name: str) -> Versioning:
        """Return whether a bucket keeps versions."""
        bucket = self._bucket(scope, name)
        return Versioning.OFF if bucket is None else versioning_of(bucket)

    def permission(self, scope: Scope, name: str, action: str, key: str) -> Permission:
        """Return what the bucket's policy says about an action (`s3:GetObject`) on an object."""
        bucket = self._bucket(scope, name)
        if bucket is None or bucket.policy is None:
            return Permission.UNSAID
        resource = f"arn:{bucket.partition}:s3:::{name}/{key}"
        return _PERMISSIONS.get(bucket.get_permission(action, resource), Permission.UNSAID)

    def cors_headers(self, scope: Scope, name: str, origin: str) -> dict[str, str]:
        """Return the headers that let a web page of this origin read the answer."""
        bucket = self._bucket(scope, name)
        for rule in bucket.cors if bucket is not None else []:
            if rule.allowed_origins is not None and cors_matches_origin(origin, rule.allowed_origins):
                headers = {
                    "Access-Control-Allow-Origin": origin,
                    "Access-Control-Allow-Methods": rule.allowed_methods,
                    "Access-Control-Allow-Headers": rule.allowed_headers,
                    "Access-Control-Expose-Headers": rule.exposed_headers,
                    "Access-Control-Max-Age": rule.max_age_seconds,
                }
                return {
                    header: ", ".join(value) if isinstance(value, list) else str(value)
                    for header, value in headers.items()
                    if value is not None
                }
        return {}

    def notify(self, scope: Scope, event: str, version: ObjectVersion) -> None:
        """Tell the bucket's notification targets of an event, such as `s3:ObjectCreated:Put`."""
        bucket = self._bucket(scope, version.bucket)
        if bucket is None or bucket.notification_configuration is None:
            return
        key = SimpleNamespace(
            name=version.key, size=version.size, etag=f'"{version.etag}"', version_id=version.version_id
        )
        # moto tells of tags with each object that is put, also when it has none.
        events = [event, "s3:ObjectTagging:Put"] if event == "s3:ObjectCreated:Put" else [event]
        for one in events:
            try:
                notifications.send_event(bucket.account_id, notifications.S3NotificationEvent(one), bucket, key)
            except Exception:
                logger.exception("The notification %s of %s/%s failed", one, version.bucket, version.key)

    def log_access(self, scope: Scope, name: str, request: Request) -> None:
        """Deliver an access log, if the bucket has server access logging."""
        bucket = self._bucket(scope, name)
        if bucket is not None and bucket.logging:
            backend = s3_backends[bucket.account_id][bucket.partition]
            self._bucket(scope, bucket.logging["TargetBucket"])
            backend.log_incoming_request(request, name)

    def record(self, name: str, kind: str, call: BucketCall) -> None:
        """Remember a request that changed a bucket, for after a restart."""
        account = s3_backends.bucket_accounts.get(name) if kind == CREATION else None
        bucket = s3_backends[account[1]][account[0]].get_bucket(name) if account is not None else None
        self._journal.record(name, kind, call, None if bucket is None else _created(bucket))

    def forget(self, name: str, kind: str) -> None:
        """Forget a bucket's configuration of a kind, which was deleted."""
        self._journal.forget(name, kind)

    def forget_bucket(self, name: str) -> None:
        """Forget a bucket that was deleted."""
        self._journal.forget_bucket(name)

    def clear(self) -> None:
        """Forget all objects, and what is remembered of buckets."""
        self._journal.clear()
        self._store.clear()

    def _bucket(self, scope: Scope, name: str) -> FakeBucket | None:
        try:
            bucket = s3_backends[scope.account][scope.partition].get_bucket(name)
        except S3ClientError:
            return None
        if not self._has_adopted(bucket):
            self._adopt(bucket)
        return bucket

    def _has_adopted(self, bucket: FakeBucket) -> bool:
        # moto's buckets are global in a process, where a test may start one emulator after the other.
        return isinstance(bucket.keys, StoredKeys) and bucket.keys.store is self._store

    def _adopt(self, bucket: FakeBucket) -> None:
        with self._lock:
            if self._has_adopted(bucket):
                return
            self._store.create_bucket(bucket.name)
            stored = StoredKeys(self._store, bucket)
            if not isinstance(bucket.keys, StoredKeys):
                stored.adopt(bucket.keys)
            bucket.keys = stored
        self._journal.record(bucket.name, CREATION, _creation(bucket), _created(bucket))

    def _replay(self) -> None:
        for call in self._journal.calls():
            response = Response.from_app(self._services, _environ(call))
            if response.status_code >= 300:
                logger.warning("%s %s was not repeated: %s", call.method, call.target, response.get_data(as_text=True))
        for name, created in self._journal.created().items():
            account = s3_backends.bucket_accounts.get(name)
            if account is not None:
                bucket = s3_backends[account[1]][account[0]].get_bucket(name)
                bucket.creation_date = datetime.fromtimestamp(created, UTC)
                self._adopt(bucket)


def _settings(bucket: FakeBucket) -> BucketSettings:
    return BucketSettings(
        name=bucket.name,
        account=bucket.account_id,
        region=bucket.region_name,
        versioning=versioning_of(bucket),
        object_lock=bucket.object_lock_enabled,
        default_retention=_default_retention(bucket),
        default_encryption=_default_encryption(bucket.encryption),
        acl=_grants(bucket.acl),
    )


def _default_retention(bucket: FakeBucket) -> DefaultRetention | None:
    days = int(bucket.default_lock_days or 0) + 365 * int(bucket.default_lock_years or 0)
    if not bucket.object_lock_enabled or not bucket.default_lock_mode or not days:
        return None
    return DefaultRetention(mode=bucket.default_lock_mode, days=days)


def _default_encryption(configuration: Mapping[str, Any] | None) -> dict[str, Any]:
    if not configuration:
        return {}
    rule = configuration["Rule"]
    default = rule["ApplyServerSideEncryptionByDefault"]
    found = {
        "algorithm": default["SSEAlgorithm"],
        "kms_key_id": default.get("KMSMasterKeyID"),
        "bucket_key_enabled": rule.get("BucketKeyEnabled"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _grants(acl: Any) -> Grants:
    return [
        {"permission": permission, "type": one.type, "id": one.id, "uri": one.uri, "name": one.display_name}
        for grant in (acl.grants if acl is not None else [])
        for permission in grant.permissions
        for one in grant.grantees
    ]


def _created(bucket: FakeBucket) -> float:
    """Return when moto made a bucket, which clients are told, in epoch seconds."""
    created: datetime = bucket.creation_date
    return (created if created.tzinfo is not None else created.replace(tzinfo=UTC)).timestamp()


def _creation(bucket: FakeBucket) -> BucketCall:
    """Return a request that makes a bucket which was not made by one (a stack of CloudFormation made it)."""
    constraint = f"<LocationConstraint>{bucket.region_name}</LocationConstraint>"
    configuration = f"<CreateBucketConfiguration>{constraint}</CreateBucketConfiguration>".encode()
    return BucketCall(
        account=bucket.account_id,
        region=bucket.region_name,
        method="PUT",
        target=f"/{bucket.name}",
        headers={"x-amz-bucket-object-lock-enabled": "true"} if bucket.object_lock_enabled else {},
        body=b"" if bucket.region_name == "us-east-1" else configuration,
    )


def _environ(call: BucketCall) -> dict[str, Any]:
    credential = f"AWS4-HMAC-SHA256 Credential={call.account}/20260101/{call.region}/s3/aws4_request"
    headers = {
        **call.headers,
        "Host": "localhost",
        "Authorization": f"{credential}, SignedHeaders=host, Signature=none",
        "x-moto-account-id": call.account,
    }
    path, _, query = call.target.partition("?")
    return EnvironBuilder(
        path, method=call.method, query_string=query, headers=Headers(headers), data=call.body
    ).get_environ()
