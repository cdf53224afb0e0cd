"""An endpoint for the tests of S3, and clients of it: boto3's, and bare HTTP for what no SDK sends."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from emulator.config import Settings
from emulator.endpoint import Endpoint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SESSION = boto3.session.Session()  # what it has read of S3's model, all clients share
SIGNED = "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Bare:
    """Sends requests as they are written here."""

    port: int

    def __call__(
        self, method: str, target: str, body: bytes | Iterator[bytes] = b"", *, signed: bool = True, **headers: str
    ) -> Reply:
        """Send a request; underscores in the names of headers stand for dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        named = {"Authorization": SIGNED} if signed else {}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, target, body=body, headers=named, encode_chunked=not isinstance(body, bytes))
            response = connection.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, received, response.read())
        finally:
            connection.close()


def client_of(url: str, **config: object) -> S3Client:
    """Return a boto3 client that gives up at the first error."""
    settings = Config(retries={"total_max_attempts": 1}, **config)  # type: ignore[arg-type]  # any option
    return SESSION.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="secret",
        config=settings,
    )


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with Endpoint(Settings(port=0, state_dir=tmp_path_factory.mktemp("s3"))) as running:
        yield running


@pytest.fixture(scope="session")
def s3(s3_endpoint: Endpoint) -> S3Client:
    return client_of(s3_endpoint.url)


@pytest.fixture(scope="session")
def bare(s3_endpoint: Endpoint) -> Bare:
    return Bare(s3_endpoint.port)


@pytest.fixture
def s3_bucket(s3: S3Client) -> str:
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@contextmanager
def process_of(state: Path) -> Iterator[str]:
    """Run an emulator as a process of its own, since moto's state is global in one; yield its URL."""
    with process_and_url_of(state) as (_, url):
        yield url


@contextmanager
def process_and_url_of(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Do the same for who wants to kill it. It takes a free port, and says which."""
    command = [sys.executable, "-m", "emulator", "up", "--port", "0", "--state-dir", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            serves_at = re.search(r" serves at http://127\.0\.0\.1:(\d+) ", said)
            assert serves_at, f"it ended, or said {said!r}"
            yield process, f"http://localhost:{serves_at[1]}"
        finally:
            process.terminate()


@pytest.fixture
def started(tmp_path: Path) -> Callable[[], AbstractContextManager[str]]:
    """Start an emulator again and again with one state directory."""
    return lambda: process_of(tmp_path / "state")
