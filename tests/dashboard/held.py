"""Jobs that go on until a test has seen enough of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from tests.jobs import Clients


@dataclass(frozen=True)
class Held:
    """A line of shell that waits until an object is there."""

    clients: Clients
    bucket: str
    key: str = field(default_factory=lambda: f"go-on/{uuid.uuid4().hex}")

    @property
    def program(self) -> str:
        return (
            "until python3 -c 'import os, urllib.request; "
            f'urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/{self.bucket}/{self.key}", timeout=60)\' '
            " 2>/dev/null; do sleep 0.2; done"
        )

    def let_go(self) -> None:
        self.clients.s3.put_object(Bucket=self.bucket, Key=self.key, Body=b"", ACL="public-read")
