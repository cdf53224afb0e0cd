"""boto3's transfers and its resources, in this process."""

from __future__ import annotations

import hashlib
import io
import random
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.clients.many_objects import store_empty
from tests.clients.programs import Server
from tests.jobs import Clients

if TYPE_CHECKING:
    from mypy_boto3_s3.service_resource import Bucket, S3ServiceResource

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-s3")]

MIB = 1024**2
PARTS = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=5 * MIB, max_concurrency=8)
LARGE = random.Random(3).randbytes(17 * MIB + 11)
AT_ONCE = TransferConfig(multipart_threshold=1024 * MIB, use_threads=False)


class Progress:
    """Adds up what a transfer's callback is told, from whichever thread."""

    def __init__(self) -> None:
        self.total = 0
        self._lock = threading.Lock()

    def __call__(self, count: int) -> None:
        with self._lock:
            self.total += count


@pytest.fixture(scope="module")
def resource(server: Server) -> S3ServiceResource:
    return boto3.resource(
        "s3",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="secret",
    )


@pytest.fixture
def bucket(resource: S3ServiceResource) -> Bucket:
    made = resource.create_bucket(Bucket=f"boto3-{uuid.uuid4().hex[:8]}")
    made.wait_until_exists()
    return made


def multipart_etag(content: bytes, part_size: int) -> str:
    """Return the entity tag that S3 gives to an object of parts."""
    parts = [content[start : start + part_size] for start in range(0, len(content), part_size)]
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    return f'"{hashlib.md5(digests).hexdigest()}-{len(parts)}"'


def test_files_in_parts_arrive_whole_and_tell_their_progress(aws: Clients, bucket: Bucket, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(LARGE)
    up, down = Progress(), Progress()
    about: Any = {"ContentType": "x/y", "Metadata": {"who": "me"}, "Tagging": "a=1", "CacheControl": "no-store"}
    aws.s3.upload_file(str(source), bucket.name, "large", ExtraArgs=about, Callback=up, Config=PARTS)
    head = aws.s3.head_object(Bucket=bucket.name, Key="large")
    assert head["ETag"] == multipart_etag(LARGE, 5 * MIB)
    assert (head["ContentType"], head["CacheControl"], head["Metadata"]) == ("x/y", "no-store", {"who": "me"})
    assert aws.s3.get_object_tagging(Bucket=bucket.name, Key="large")["TagSet"] == [{"Key": "a", "Value": "1"}]
    aws.s3.download_file(bucket.name, "large", str(target), Callback=down, Config=PARTS)
    assert target.read_bytes() == LARGE
    assert up.total == down.total == len(LARGE)


@pytest.mark.parametrize("config", [PARTS, AT_ONCE], ids=["in parts", "at once"])
@pytest.mark.parametrize("checksum", ["CRC32", "SHA256", "CRC64NVME"])
def test_file_objects_with_checksums(aws: Clients, bucket: Bucket, config: TransferConfig, checksum: str) -> None:
    extra: Any = {"ChecksumAlgorithm": checksum}
    aws.s3.upload_fileobj(io.BytesIO(LARGE), bucket.name, "key", ExtraArgs=extra, Config=config)
    head = aws.s3.head_object(Bucket=bucket.name, Key="key", ChecksumMode="ENABLED")
    assert f"Checksum{checksum}" in head
    for reading in (PARTS, AT_ONCE):
        read = io.BytesIO()
        aws.s3.download_fileobj(bucket.name, "key", read, ExtraArgs={"ChecksumMode": "ENABLED"}, Config=reading)
        assert read.getvalue() == LARGE


@pytest.mark.parametrize("size", [0, 1, 5 * MIB, 6 * MIB - 1, 6 * MIB])
def test_sizes_around_the_threshold(aws: Clients, bucket: Bucket, size: int) -> None:
    progress, read = Progress(), io.BytesIO()
    aws.s3.upload_fileobj(io.BytesIO(LARGE[:size]), bucket.name, "key", Callback=progress, Config=PARTS)
    aws.s3.download_fileobj(bucket.name, "key", read, Config=PARTS)
    assert (read.getvalue(), progress.total) == (LARGE[:size], size)
    in_parts = aws.s3.head_object(Bucket=bucket.name, Key="key")["ETag"].endswith('-2"')
    assert in_parts == (size >= 6 * MIB)


def test_an_object_of_parts_is_copied_in_parts(aws: Clients, bucket: Bucket) -> None:
    aws.s3.upload_fileobj(io.BytesIO(LARGE), bucket.name, "source +ü", Config=PARTS)
    progress = Progress()
    source: Any = {"Bucket": bucket.name, "Key": "source +ü"}
    extra: Any = {"MetadataDirective": "REPLACE", "Metadata": {"copied": "yes"}}
    aws.s3.copy(source, bucket.name, "copy", ExtraArgs=extra, Callback=progress, Config=PARTS)
    aws.s3.copy(source, bucket.name, "copied at once", Config=AT_ONCE)
    assert progress.total == len(LARGE)
    head = aws.s3.head_object(Bucket=bucket.name, Key="copy")
    assert (head["ETag"], head["Metadata"]) == (multipart_etag(LARGE, 5 * MIB), {"copied": "yes"})
    bucket.Object("source +ü").delete()
    for key in ("copy", "copied at once"):
        assert bucket.Object(key).get()["Body"].read() == LARGE


def test_a_transfer_that_fails_leaves_no_upload(aws: Clients, bucket: Bucket) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 8 * MIB:
                raise ConnectionError("the source went away")
            return super().read(size)

    with pytest.raises(ConnectionError):
        aws.s3.upload_fileobj(Cut(LARGE), bucket.name, "key", Config=PARTS)
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket=bucket.name)
    with pytest.raises(ClientError, match="404"):
        aws.s3.download_fileobj(bucket.name, "key", io.BytesIO())


def test_collections_of_more_than_a_page(server: Server, bucket: Bucket) -> None:
    keys = sorted(f"{number % 2}/{number:04}" for number in range(1100))
    store_empty(server, bucket.name, keys)
    assert [one.key for one in bucket.objects.all()] == keys
    assert [one.key for one in bucket.objects.filter(Prefix="1/")] == [key for key in keys if key.startswith("1/")]
    assert [one.key for one in bucket.objects.filter(Prefix="0/", Marker="0/1090")] == keys[546:550]
    assert len(list(bucket.objects.limit(7))) == 7
    deleted = bucket.objects.filter(Prefix="0/").delete()
    assert sum(len(answer.get("Deleted", [])) for answer in deleted) == 550
    assert [one.key for one in bucket.objects.page_size(100)] == keys[550:]
    bucket.objects.delete()
    assert list(bucket.objects.all()) == []
    bucket.delete()
    bucket.wait_until_not_exists()


def test_objects_as_resources(resource: S3ServiceResource, bucket: Bucket, tmp_path: Path) -> None:
    one = bucket.Object("folder/one")
    one.put(Body=b"first", ContentType="text/plain", Metadata={"n": "1"})
    one.wait_until_exists()
    assert (one.content_length, one.content_type, one.metadata) == (5, "text/plain", {"n": "1"})
    assert one.get(Range="bytes=1-2")["Body"].read() == b"ir"
    two = resource.Object(bucket.name, "two")
    two.copy_from(CopySource={"Bucket": bucket.name, "Key": "folder/one"})
    assert two.get()["Body"].read() == b"first"
    two.copy({"Bucket": bucket.name, "Key": "folder/one"})
    file = tmp_path / "file"
    file.write_bytes(LARGE)
    bucket.upload_file(str(file), "large", Config=PARTS)
    bucket.download_file("large", str(tmp_path / "again"), Config=PARTS)
    assert (tmp_path / "again").read_bytes() == LARGE
    upload = bucket.Object("by hand").initiate_multipart_upload()
    part = upload.Part(1).upload(Body=b"part")
    assert [each.size for each in upload.parts.all()] == [4]
    upload.complete(MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]})
    assert bucket.Object("by hand").get()["Body"].read() == b"part"
    two.delete()
    two.wait_until_not_exists()
    assert sorted(each.key for each in bucket.objects.all()) == ["by hand", "folder/one", "large"]
    assert bucket.name in [each.name for each in resource.buckets.all()]


def test_versions_as_resources(bucket: Bucket) -> None:
    bucket.Versioning().enable()
    for body in (b"one", b"two"):
        bucket.put_object(Key="key", Body=body)
    bucket.Object("key").delete()
    two, one, marker = bucket.object_versions.filter(Prefix="key")  # boto3 puts markers behind versions
    assert [(each.is_latest, each.size) for each in (two, one, marker)] == [(False, 3), (False, 3), (True, None)]
    assert [each.get()["Body"].read() for each in (two, one)] == [b"two", b"one"]
    marker.delete()
    assert bucket.Object("key").get()["Body"].read() == b"two"
    bucket.object_versions.delete()
    assert list(bucket.object_versions.all()) == []
    bucket.delete()


def test_waiters(aws: Clients, bucket: Bucket) -> None:
    soon: Any = {"Delay": 1, "MaxAttempts": 60}
    aws.s3.get_waiter("bucket_exists").wait(Bucket=bucket.name, WaiterConfig=soon)
    aws.s3.get_waiter("object_not_exists").wait(Bucket=bucket.name, Key="late", WaiterConfig=soon)
    timer = threading.Timer(0.3, bucket.put_object, kwargs={"Key": "late", "Body": b""})
    timer.start()
    aws.s3.get_waiter("object_exists").wait(Bucket=bucket.name, Key="late", WaiterConfig=soon)
    timer.join()
    bucket.objects.delete()
    bucket.delete()
    aws.s3.get_waiter("bucket_not_exists").wait(Bucket=bucket.name, WaiterConfig=soon)
