"""A client of S3 that is timed: boto3 as it comes, the same for every server.

Arguments: the endpoint, what to do, and what that needs. It says "ready", waits for a line, does it, says "done".
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCOUNT: Final = "123456789012"
BUCKET: Final = "benchmarks"
SMALL_BYTES: Final = 10 * 1024
_LONGEST_SECONDS: Final = 600
_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def small_key(number: int) -> str:
    """Return the key of a small object: a hundred a folder."""
    return f"small/{number // 100:04}/{number:06}"


def seconds(url: str, *clients: Sequence[object]) -> float:
    """Run clients at once, each with an action and its arguments; return the time until the last is done.

    Raises:
        RuntimeError: one failed.
    """
    command = [sys.executable, str(Path(__file__)), url]
    running = [
        subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ENVIRONMENT},
        )
        for arguments in clients
    ]
    try:
        for one in running:
            _expect(one, "ready")
        started = time.perf_counter()
        for one in running:
            assert one.stdin is not None, "it is a pipe"
            print("go", file=one.stdin, flush=True)
        for one in running:
            _expect(one, "done")
        return time.perf_counter() - started
    finally:
        for one in running:
            one.communicate(timeout=_LONGEST_SECONDS)


def _expect(client: subprocess.Popen[str], word: str) -> None:
    assert client.stdout is not None, "it is a pipe"
    if client.stdout.readline().strip() != word:
        raise RuntimeError(f"the client {client.args!r} failed")


def upload(s3: S3Client, file: str, key: str) -> None:
    """Upload a file as boto3 does by default."""
    s3.upload_file(file, BUCKET, key)


def download(s3: S3Client, key: str, file: str) -> None:
    """Download an object as boto3 does by default."""
    s3.download_file(BUCKET, key, file)


def put(s3: S3Client, first: str, end: str, threads: str) -> None:
    """Put small objects with some threads."""
    body = os.urandom(SMALL_BYTES)

    def put_one(number: int) -> None:
        s3.put_object(Bucket=BUCKET, Key=small_key(number), Body=body)

    with ThreadPoolExecutor(int(threads)) as pool:
        for _ in pool.map(put_one, range(int(first), int(end))):
            pass


def get(s3: S3Client, first: str, end: str, threads: str) -> None:
    """Get small objects with some threads."""

    def get_one(number: int) -> None:
        body = s3.get_object(Bucket=BUCKET, Key=small_key(number))["Body"].read()
        assert len(body) == SMALL_BYTES, f"{len(body)} bytes came"

    with ThreadPoolExecutor(int(threads)) as pool:
        for _ in pool.map(get_one, range(int(first), int(end))):
            pass


def list_all(s3: S3Client, count: str) -> None:
    """List all objects by pages of a thousand."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    found = sum(page["KeyCount"] for page in pages)
    assert found == int(count), f"{found} keys came"


def create_bucket(s3: S3Client) -> None:
    """Create the bucket of all these."""
    s3.create_bucket(Bucket=BUCKET)


_ACTIONS: Final[dict[str, Callable[..., None]]] = {
    action.__name__: action for action in (upload, download, put, get, list_all, create_bucket)
}


def main(url: str, action: str, *arguments: str) -> None:
    """Make a client, with a connection for each thread, and wait for the start."""
    import boto3
    from botocore.config import Config

    s3 = boto3.client("s3", endpoint_url=url, config=Config(max_pool_connections=20, retries={"total_max_attempts": 1}))
    print("ready", flush=True)
    sys.stdin.readline()
    _ACTIONS[action](s3, *arguments)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
