"""What is there after a restart, on a full disk, and for moto's other services."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.s3.conftest import SESSION, SIGNED, client_of, process_and_url_of, process_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.docker

RULES: Any = {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 1}}]}
CORS: Any = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}


def test_a_restart_forgets_nothing(started: Callable[[], AbstractContextManager[str]]) -> None:
    with started() as url:
        s3 = client_of(url)
        s3.create_bucket(Bucket="first-bucket")
        other = _client(url, account="222222222222", region="eu-west-1")
        other.create_bucket(Bucket="of-another", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.create_bucket(Bucket="gone-bucket")
        s3.delete_bucket(Bucket="gone-bucket")
        created = {one["Name"]: one["CreationDate"] for one in s3.list_buckets()["Buckets"]}
        _configure(s3)
        s3.delete_bucket_policy(Bucket="first-bucket")
        first = s3.put_object(Bucket="first-bucket", Key="key", Body=b"one", Metadata={"a": "1"})["VersionId"]
        s3.put_object(Bucket="first-bucket", Key="key", Body=b"two", Tagging="t=1")
        upload = s3.create_multipart_upload(Bucket="first-bucket", Key="parts")["UploadId"]
        part = s3.upload_part(Bucket="first-bucket", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    with started() as url:
        s3 = client_of(url)
        assert {one["Name"]: one["CreationDate"] for one in s3.list_buckets()["Buckets"]} == created
        assert s3.get_object(Bucket="first-bucket", Key="key")["Body"].read() == b"two"
        assert s3.get_object_tagging(Bucket="first-bucket", Key="key")["TagSet"] == [{"Key": "t", "Value": "1"}]
        old = s3.get_object(Bucket="first-bucket", Key="key", VersionId=first)
        assert (old["Body"].read(), old["Metadata"]) == (b"one", {"a": "1"})
        parts: Any = [{"PartNumber": 1, "ETag": part["ETag"]}]
        place: Any = {"Bucket": "first-bucket", "Key": "parts"}
        s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
        assert s3.get_object(**place)["Body"].read() == b"part"
        _check(s3)
        other = _client(url, account="222222222222", region="eu-west-1")
        assert other.get_bucket_location(Bucket="of-another")["LocationConstraint"] == "eu-west-1"
        assert [one["Name"] for one in other.list_buckets()["Buckets"]] == ["of-another"]


def test_a_reset_forgets_everything(started: Callable[[], AbstractContextManager[str]]) -> None:
    with started() as url:
        s3 = client_of(url)
        for path in ("/_emulator/reset", "/moto-api/reset"):
            bucket = f"of{path.translate({ord('/'): '-', ord('_'): None})}"
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="key", Body=b"one")
            urllib.request.urlopen(f"{url}{path}", data=b"", timeout=120).close()
            assert s3.list_buckets()["Buckets"] == []
    with started() as url:
        s3 = client_of(url)
        assert s3.list_buckets()["Buckets"] == []
        for bucket in ("of-emulator-reset", "of-moto-api-reset"):
            s3.create_bucket(Bucket=bucket)
            assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=28m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_told_at_once_breaks_nothing_and_lets_everything_be_deleted(small_disk: Path) -> None:
    with process_of(small_disk) as url:
        s3 = client_of(url)
        s3.create_bucket(Bucket="first-bucket")
        s3.put_object(Bucket="first-bucket", Key="kept", Body=b"x" * 2_000_000)
        patient = SESSION.client(
            "s3", endpoint_url=url, region_name="us-east-1",
            aws_access_key_id="123456789012", aws_secret_access_key="secret",
        )  # fmt: skip
        with pytest.raises(ClientError) as error:
            patient.put_object(Bucket="first-bucket", Key="too-large", Body=b"x" * 14_000_000)
        assert error.value.response["Error"]["Code"] == "InsufficientStorage"
        assert error.value.response["ResponseMetadata"]["RetryAttempts"] == 0
        assert [one["Key"] for one in s3.list_objects_v2(Bucket="first-bucket")["Contents"]] == ["kept"]
        s3.put_object(Bucket="first-bucket", Key="fits", Body=b"y" * 2_000_000)
        assert s3.get_object(Bucket="first-bucket", Key="kept")["Body"].read() == b"x" * 2_000_000
        delete_without_one_free_byte(s3, "first-bucket", small_disk)
        assert s3.list_buckets()["Buckets"] == []


def delete_without_one_free_byte(s3: S3Client, bucket: str, disk: Path) -> None:
    keys = [f"{number:03}" for number in range(100)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    fill(disk / "ballast")
    assert os.statvfs(disk).f_bavail == 0
    with pytest.raises(ClientError, match="InsufficientStorage"):
        s3.put_object(Bucket=bucket, Key="too-large", Body=b"x" * 2_000_000)
    for key in keys[:50]:
        s3.delete_object(Bucket=bucket, Key=key)
    rest = [*keys[50:], "kept", "fits"]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in rest]})
    assert len(answer["Deleted"]) == len(rest)
    s3.abort_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload)
    s3.delete_bucket(Bucket=bucket)


def test_a_full_disk_can_be_cleaned_and_started_on_until_other_things_fill_it(small_disk: Path) -> None:
    """Databases want room to be opened; without the reserve's nobody could delete anything any more."""
    with process_and_url_of(small_disk) as (process, url):
        s3 = client_of(url)
        s3.create_bucket(Bucket="first-bucket")
        s3.put_object(Bucket="first-bucket", Key="kept", Body=b"x" * 2_000_000)
        process.kill()
        process.wait()
    fill(small_disk / "ballast")
    done = emulator("clean", "--yes", "--state-dir", str(small_disk))
    assert done.returncode == 0, done.stderr
    with process_of(small_disk) as url:
        answer = client_of(url).delete_objects(Bucket="first-bucket", Delete={"Objects": [{"Key": "kept"}]})
        assert [one["Key"] for one in answer["Deleted"]] == ["kept"]
    fill(small_disk / "more")
    (small_disk / "objects/reserve").unlink(missing_ok=True)
    fill(small_disk / "even more")
    done = emulator("up", "--port", "0", "--state-dir", str(small_disk))
    assert done.returncode == 2
    assert re.search("no space is left|No space left", done.stderr), done.stderr
    assert "backup" not in done.stderr


def emulator(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    command = [sys.executable, "-m", "emulator", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def fill(path: Path) -> None:
    """Leave not one free byte on a disk."""
    with path.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while ballast.write(b"x" * 4096):
            pass


def test_what_a_killed_emulator_was_writing_is_gone_after_the_next_start(tmp_path: Path) -> None:
    tmp = tmp_path / "objects/tmp"
    with process_and_url_of(tmp_path) as (process, url), ExitStack() as connections:
        s3 = client_of(url)
        s3.create_bucket(Bucket="first-bucket")
        upload = s3.create_multipart_upload(Bucket="first-bucket", Key="parts")["UploadId"]
        s3.upload_part(Bucket="first-bucket", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
        for target in ("key", f"parts?partNumber=2&uploadId={upload}"):
            connection = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=120)
            connections.enter_context(connection)
            head = f"PUT /first-bucket/{target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {SIGNED}\r\n"
            connection.sendall(f"{head}Content-Length: 9000000\r\n\r\n".encode() + b"x" * 1_000_000)
        deadline = time.monotonic() + 120
        while len(list(tmp.iterdir())) < 2 or not all(file.stat().st_size for file in tmp.iterdir()):
            assert time.monotonic() < deadline, "the bodies are not written aside"
            time.sleep(0.02)
        process.kill()
    assert len(list(tmp.iterdir())) == 2
    half_written = tmp_path / "buckets/first-bucket.new"
    half_written.write_text('{"": {"at"')
    stray = tmp_path / "objects/segments/00/00000000000000000000000000000000"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"moved into place, but no row came to name it")
    with process_of(tmp_path) as url:
        s3 = client_of(url)
        deadline = time.monotonic() + 120
        while stray.exists():
            assert time.monotonic() < deadline, "the stray file stays"
            time.sleep(0.02)
        assert list(tmp.iterdir()) == []
        assert not half_written.exists()
        assert "Contents" not in s3.list_objects_v2(Bucket="first-bucket")
        assert len(s3.list_parts(Bucket="first-bucket", Key="parts", UploadId=upload)["Parts"]) == 1


def test_moto_finds_objects_and_its_own_are_stored(s3: S3Client, s3_bucket: str) -> None:
    """S3 Select and server access logs are moto's."""
    s3.put_object(Bucket=s3_bucket, Key="people.json", Body=b'{"name": "a"}\n{"name": "b"}\n')
    selected: Any = s3.select_object_content(
        Bucket=s3_bucket, Key="people.json", ExpressionType="SQL", Expression="SELECT count(*) FROM S3Object",
        InputSerialization={"JSON": {"Type": "LINES"}}, OutputSerialization={"JSON": {}},
    )  # fmt: skip
    records = b"".join(event["Records"]["Payload"] for event in selected["Payload"] if "Records" in event)
    assert json.loads(records) == {"_1": 2}
    delivery: Any = {"ACL": "log-delivery-write"}
    s3.create_bucket(Bucket=f"{s3_bucket}-logs", **delivery)
    target: Any = {"TargetBucket": f"{s3_bucket}-logs", "TargetPrefix": "log/"}
    s3.put_bucket_logging(Bucket=s3_bucket, BucketLoggingStatus={"LoggingEnabled": target})
    s3.head_object(Bucket=s3_bucket, Key="people.json")
    logged = s3.list_objects_v2(Bucket=f"{s3_bucket}-logs")["Contents"]
    assert [one["Key"].startswith("log/") for one in logged] == [True]


def _client(url: str, *, account: str, region: str) -> S3Client:
    return SESSION.client(
        "s3", endpoint_url=url, region_name=region, aws_access_key_id=account, aws_secret_access_key="x"
    )


def _configure(s3: S3Client) -> None:
    bucket = "first-bucket"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_policy(Bucket=bucket, Policy='{"Version":"2012-10-17","Statement":[]}')
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=RULES)
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=CORS)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "old"}]})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "new"}]})
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key-1"}}]
        },
    )


def _check(s3: S3Client) -> None:
    bucket = "first-bucket"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    with pytest.raises(ClientError) as error:
        s3.get_bucket_policy(Bucket=bucket)
    assert error.value.response["Error"]["Code"] == "NoSuchBucketPolicy"
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["ID"] == "r"
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["AllowedOrigins"] == ["*"]
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "new"}]
    assert s3.put_object(Bucket=bucket, Key="secret", Body=b"")["ServerSideEncryption"] == "aws:kms"
