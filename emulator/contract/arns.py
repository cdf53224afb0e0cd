"""Names that the service makes from other names: ARNs, S3 URIs, log streams, host names."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from ..errors import ValidationError

_S3_URI: Final = re.compile(r"(?:s3|https)://([^/]+)/?(.*)", re.DOTALL)
_JOB_ARN: Final = re.compile(
    r"arn:(?P<partition>[^:]+):sagemaker:(?P<region>[^:]*):(?P<account>\d{12}):(?P<kind>[a-z-]+)/(?P<name>.+)"
)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The account and region a request was signed for."""

    account: str = "123456789012"
    region: str = "us-east-1"

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`, as the region tells."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"


@dataclass(frozen=True, kw_only=True)
class ResourceName:
    """A SageMaker ARN taken apart."""

    scope: Scope
    kind: str
    name: str

    @classmethod
    def parse(cls, arn: str) -> ResourceName:
        """Take a SageMaker ARN apart.

        Raises:
            ValidationError: it is not one.
        """
        match = _JOB_ARN.fullmatch(arn)
        if match is None:
            raise ValidationError(f"Invalid resource ARN: {arn}")
        return cls(
            scope=Scope(account=match["account"], region=match["region"]),
            kind=match["kind"],
            name=match["name"],
        )


@dataclass(frozen=True, kw_only=True)
class S3Uri:
    """A bucket and a key (or key prefix); the key is text, never a path."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> S3Uri:
        """Take `s3://bucket/key` apart; the key may be empty.

        Raises:
            ValidationError: the text is no S3 URI.
        """
        match = _S3_URI.fullmatch(uri)
        if match is None:
            raise ValidationError(f"Invalid S3 URI: {uri!r}. Write it as s3://bucket/key.")
        return cls(bucket=match[1], key=match[2])

    def joined(self, *names: str) -> S3Uri:
        """Return this URI with names appended, with exactly one slash between any two."""
        parts = [self.key.rstrip("/"), *names] if self.key.rstrip("/") else list(names)
        return S3Uri(bucket=self.bucket, key="/".join(parts))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def instance_hostname(job_arn: str, host: str, region: str) -> str:
    """Return the container's own host name: the instance's, such as ip-10-0-119-27.ec2.internal, not algo-1."""
    third, fourth = hashlib.sha256(f"{job_arn}/{host}".encode()).digest()[:2]
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-10-0-{third}-{fourth}.{domain}"
