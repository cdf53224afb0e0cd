"""What a bucket is configured to do, as the S3 wire needs to know it. Types only; moto keeps the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .objects.model import Versioning

Grants = list[dict[str, str]]
"""An access control list: permission, type ("CanonicalUser", "Group") and id, uri or name of each grantee."""


@dataclass(frozen=True, kw_only=True)
class DefaultRetention:
    """How long a bucket with object lock keeps new objects that say nothing themselves."""

    mode: str
    days: int


@dataclass(frozen=True, kw_only=True)
class BucketSettings:
    """The part of a bucket's configuration that decides how object operations behave.

    `default_encryption` is in the terms of an object's own: algorithm, kms_key_id, bucket_key_enabled.
    """

    name: str
    account: str
    region: str
    versioning: Versioning
    object_lock: bool = False
    default_retention: DefaultRetention | None = None
    default_encryption: Mapping[str, Any] = field(default_factory=dict)
    acl: Grants = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class BucketEntry:
    """A bucket in a list of them; `created` in epoch seconds."""

    name: str
    region: str
    created: float
    versioning: Versioning


class Permission(Enum):
    """What a bucket's policy says about an action."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNSAID = "unsaid"


@dataclass(frozen=True, kw_only=True)
class BucketCall:
    """A request that changed a bucket's configuration, to be made again after a restart."""

    account: str
    region: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
