"""s3fs, pyarrow's own S3 client and pandas, in one environment. What they check themselves is in their scripts."""

from __future__ import annotations

import urllib.request
import uuid
from collections.abc import Callable

import pytest

from tests.clients.many_objects import store_empty
from tests.clients.programs import Programs, Server
from tests.jobs import Clients

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-s3")]

MIB = 1024**2
MANY = 1050
"""More keys than a page of a listing or one deletion has room for."""


@pytest.fixture(scope="module")
def bucket(aws: Clients) -> str:
    name = f"data-{uuid.uuid4().hex[:8]}"
    aws.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def many(server: Server, bucket: str) -> Callable[[str], list[str]]:
    """Stores many objects in three folders below a prefix; returns their keys in order."""

    def store(prefix: str) -> list[str]:
        keys = sorted(f"{prefix}/{number % 3}/{number:04}" for number in range(MANY))
        store_empty(server, bucket, keys)
        return keys

    return store


def etag_and_type(aws: Clients, bucket: str, key: str) -> tuple[str, str]:
    found = aws.s3.head_object(Bucket=bucket, Key=key)
    return found["ETag"].strip('"'), found["ContentType"]


def test_s3fs(programs: Programs, aws: Clients, bucket: str, many: Callable[[str], list[str]]) -> None:
    keys = many("many-s3fs")
    told = programs.script("data", "data_s3fs.py", BUCKET=bucket, MANY="many-s3fs").result().succeeded().result
    assert (told["listed"], told["first"], told["last"]) == (MANY, f"{bucket}/{keys[0]}", f"{bucket}/{keys[-1]}")
    with urllib.request.urlopen(told["url"], timeout=120) as answer:
        assert len(answer.read()) == 17 * MIB + 3
    assert etag_and_type(aws, bucket, "s3fs/large.bin")[0].endswith("-3"), "written in parts of at least 5 MiB"
    left = aws.s3.list_objects_v2(Bucket=bucket, Prefix="many-s3fs/")
    assert left["KeyCount"] == 0
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=bucket, Prefix="s3fs/")


def test_pyarrow_and_pandas(programs: Programs, aws: Clients, bucket: str, many: Callable[[str], list[str]]) -> None:
    many("many-arrow")
    told = programs.script("data", "data_pyarrow.py", BUCKET=bucket, MANY="many-arrow").result().succeeded().result
    assert told["listed"] == MANY + 3, "the keys, and the three folders that they are in"
    etag, content_type = etag_and_type(aws, bucket, "arrow/large.bin")
    assert etag.endswith("-3"), "written in parts of 10 MiB"
    assert content_type == "application/x-noise"
    assert aws.s3.list_objects_v2(Bucket=bucket, Prefix="many-arrow/0")["KeyCount"] == 0
    assert aws.s3.head_object(Bucket=bucket, Key="arrow/made/")["ContentLength"] == 0, "a folder is an object"
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=bucket, Prefix="arrow/")
