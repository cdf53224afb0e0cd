"""Reading, writing, copying and deleting objects as boto3 sees it."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.s3.conftest import Bare

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.docker

BODY = bytes(range(256)) * 4
PAST, FUTURE = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def stored(s3: S3Client, s3_bucket: str) -> dict[str, Any]:
    s3.put_object(Bucket=s3_bucket, Key="key", Body=BODY, ContentType="text/plain", Metadata={"one_two": "3"})
    return {"Bucket": s3_bucket, "Key": "key"}


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=1000-", 1000, 1024),
        ("bytes=1000-5000", 1000, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=-5000", 0, 1024),
    ],
)
def test_a_range_is_its_bytes(s3: S3Client, stored: dict[str, Any], wanted: str, start: int, end: int) -> None:
    answer = s3.get_object(**stored, Range=wanted)
    assert answer["Body"].read() == BODY[start:end]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"] == f"bytes {start}-{end - 1}/1024"
    assert answer["ContentLength"] == end - start


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_outside_is_refused(s3: S3Client, stored: dict[str, Any], wanted: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.get_object(**stored, Range=wanted)
    assert refusal(error) == ("InvalidRange", 416)


@pytest.mark.parametrize("wanted", ["bytes=5-2", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=-"])
def test_a_range_that_cannot_be_read_is_ignored(s3: S3Client, stored: dict[str, Any], wanted: str) -> None:
    answer = s3.get_object(**stored, Range=wanted)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["Body"].read() == BODY


def test_an_empty_object(s3: S3Client, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="empty", Body=b"")
    answer = s3.get_object(Bucket=s3_bucket, Key="empty")
    assert (answer["Body"].read(), answer["ContentLength"]) == (b"", 0)
    assert answer["ETag"] == f'"{hashlib.md5(b"").hexdigest()}"'


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"IfMatch": "same"}, 200),
        ({"IfMatch": "*"}, 200),
        ({"IfMatch": '"other"'}, 412),
        ({"IfNoneMatch": "same"}, 304),
        ({"IfNoneMatch": '"other"'}, 200),
        ({"IfModifiedSince": PAST}, 200),
        ({"IfModifiedSince": FUTURE}, 304),
        ({"IfUnmodifiedSince": FUTURE}, 200),
        ({"IfUnmodifiedSince": PAST}, 412),
        ({"IfMatch": "same", "IfUnmodifiedSince": PAST}, 200),
        ({"IfNoneMatch": "same", "IfModifiedSince": PAST}, 304),
    ],
)
def test_conditions_of_reading(s3: S3Client, stored: dict[str, Any], conditions: dict[str, Any], status: int) -> None:
    same = f'"{hashlib.md5(BODY).hexdigest()}"'
    asked: Any = {**stored, **{name: same if value == "same" else value for name, value in conditions.items()}}
    for read in (s3.get_object, s3.head_object):
        try:
            found = read(**asked)["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as error:
            found = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert found == status, read


def test_conditions_of_writing(s3: S3Client, stored: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(**stored, Body=b"new", IfNoneMatch="*")
    assert refusal(error) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as error:
        s3.put_object(**stored, Body=b"new", IfMatch='"other"')
    assert refusal(error) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=stored["Bucket"], Key="nothing", Body=b"new", IfMatch='"other"')
    assert refusal(error) == ("NoSuchKey", 404)
    assert s3.get_object(**stored)["Body"].read() == BODY
    s3.put_object(**stored, Body=b"new", IfMatch=hashlib.md5(BODY).hexdigest())
    assert s3.get_object(**stored)["Body"].read() == b"new"


def test_headers_of_the_answer_can_be_chosen(s3: S3Client, stored: dict[str, Any]) -> None:
    answer = s3.get_object(
        **stored,
        ResponseContentType="text/html",
        ResponseContentDisposition='attachment; filename="a.html"',
        ResponseCacheControl="no-cache",
        ResponseContentEncoding="x",
        ResponseContentLanguage="de",
    )
    assert answer["ContentType"] == "text/html"
    assert answer["ContentDisposition"] == 'attachment; filename="a.html"'
    assert (answer["CacheControl"], answer["ContentEncoding"], answer["ContentLanguage"]) == ("no-cache", "x", "de")
    assert s3.get_object(**stored)["ContentType"] == "text/plain"


KEYS = [
    "a/../../b",
    "../../../../etc/passwd",
    "/leading",
    "//",
    "trailing/",
    ".",
    "..",
    "a//b",
    "a b+c%20d%2Fe",
    "100%",
    "?versionId=1&x=y#z",
    "ü/日本/🙂",
    "e\u0301",
    "\u00e9",
    "new\nline",
    "<&>\"'",
    "x" * 1024,
    "é" * 512,
]


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_any_key_is_kept_as_it_is(s3: S3Client, s3_bucket: str, key: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=s3_bucket, Key=key)["Body"].read() == key.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=s3_bucket)["Contents"]] == [key]
    s3.copy_object(Bucket=s3_bucket, Key=f"{key[:500]}-copy", CopySource={"Bucket": s3_bucket, "Key": key})
    removed = s3.delete_objects(Bucket=s3_bucket, Delete={"Objects": [{"Key": key}]})
    assert [one["Key"] for one in removed["Deleted"]] == [key]
    assert [one["Key"] for one in s3.list_objects(Bucket=s3_bucket)["Contents"]] == [f"{key[:500]}-copy"]


def test_a_key_that_is_too_long(s3: S3Client, s3_bucket: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=s3_bucket, Key="é" * 512 + "x", Body=b"")
    assert refusal(error) == ("KeyTooLongError", 400)


def test_keys_that_differ_only_in_encoding_are_different(bare: Bare, s3: S3Client, s3_bucket: str) -> None:
    for target, body in {"a%2Fb": b"slash", "a%252Fb": b"percent", "a+b": b"plus", "a%20b": b"space"}.items():
        assert bare("PUT", f"/{s3_bucket}/{target}", body).status == 200
    found = {one["Key"] for one in s3.list_objects_v2(Bucket=s3_bucket)["Contents"]}
    assert found == {"a/b", "a%2Fb", "a+b", "a b"}


def test_what_is_said_of_an_object_comes_back(s3: S3Client, s3_bucket: str) -> None:
    said: dict[str, Any] = {
        "CacheControl": "max-age=1",
        "ContentDisposition": "inline",
        "ContentEncoding": "gzip",
        "ContentLanguage": "en",
        "ContentType": "application/x-tar",
        "Metadata": {"author": "me", "under_score": "1"},
        "StorageClass": "STANDARD_IA",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "key-1",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    s3.put_object(Bucket=s3_bucket, Key="key", Body=b"x", Tagging="a=1&b=%20", **said)
    described: dict[str, Any] = dict(s3.head_object(Bucket=s3_bucket, Key="key"))
    assert {name: described[name] for name in said} == said
    tags = s3.get_object_tagging(Bucket=s3_bucket, Key="key")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": " "}]


def test_a_copy_takes_over_or_replaces(s3: S3Client, stored: dict[str, Any]) -> None:
    bucket = stored["Bucket"]
    s3.put_object_tagging(**stored, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.copy_object(Bucket=bucket, Key="kept", CopySource=f"{bucket}/key")
    kept = s3.head_object(Bucket=bucket, Key="kept")
    assert (kept["ContentType"], kept["Metadata"]) == ("text/plain", {"one_two": "3"})
    assert s3.get_object_tagging(Bucket=bucket, Key="kept")["TagSet"] == [{"Key": "a", "Value": "1"}]
    s3.copy_object(
        Bucket=bucket,
        Key="replaced",
        CopySource=f"/{bucket}/key",
        MetadataDirective="REPLACE",
        TaggingDirective="REPLACE",
        Metadata={"other": "4"},
        Tagging="b=2",
    )
    replaced = s3.get_object(Bucket=bucket, Key="replaced")
    assert (replaced["ContentType"], replaced["Metadata"]) == ("binary/octet-stream", {"other": "4"})
    assert replaced["Body"].read() == BODY
    assert s3.get_object_tagging(Bucket=bucket, Key="replaced")["TagSet"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key")
    assert refusal(error) == ("InvalidRequest", 400)
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="no", CopySource=f"{bucket}/key", CopySourceIfMatch="other")
    assert refusal(error) == ("PreconditionFailed", 412)


def test_versions(s3: S3Client, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="key", Body=b"zero")
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=s3_bucket, Key="key", Body=b"one")["VersionId"]
    second = s3.put_object(Bucket=s3_bucket, Key="key", Body=b"two")["VersionId"]
    marker = s3.delete_object(Bucket=s3_bucket, Key="key")
    assert marker["DeleteMarker"] is True
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=s3_bucket, Key="key")
    assert refusal(error) == ("NoSuchKey", 404)
    assert error.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=s3_bucket, Key="key", VersionId=marker["VersionId"])
    assert refusal(error) == ("MethodNotAllowed", 405)
    contents = {
        version: s3.get_object(Bucket=s3_bucket, Key="key", VersionId=version)["Body"].read()
        for version in ("null", first, second)
    }
    assert contents == {"null": b"zero", first: b"one", second: b"two"}
    listed = s3.list_object_versions(Bucket=s3_bucket)
    assert [one["VersionId"] for one in listed["Versions"]] == [second, first, "null"]
    assert [one["IsLatest"] for one in listed["DeleteMarkers"]] == [True]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=s3_bucket, PaginationConfig={"PageSize": 1})
    paged = [one["VersionId"] for page in pages for one in page.get("Versions", []) + page.get("DeleteMarkers", [])]
    assert paged == [marker["VersionId"], second, first, "null"]
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket=s3_bucket)
    assert refusal(error) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=s3_bucket, Key="key", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=s3_bucket, Key="key")["Body"].read() == b"two"


def test_listing_by_pages_and_folders(s3: S3Client, s3_bucket: str) -> None:
    keys = sorted([f"a/{number}" for number in range(5)] + [f"b/{number}/x" for number in range(5)] + ["c", "z+ %"])
    for key in keys:
        s3.put_object(Bucket=s3_bucket, Key=key, Body=b"")
    for name in ("list_objects", "list_objects_v2"):
        paginator: Any = s3.get_paginator(name)
        pages = list(paginator.paginate(Bucket=s3_bucket, PaginationConfig={"PageSize": 3}))
        assert [one["Key"] for page in pages for one in page["Contents"]] == keys
        folders = list(paginator.paginate(Bucket=s3_bucket, Delimiter="/", PaginationConfig={"PageSize": 1}))
        assert [one["Prefix"] for page in folders for one in page.get("CommonPrefixes", [])] == ["a/", "b/"]
        assert [one["Key"] for page in folders for one in page.get("Contents", [])] == ["c", "z+ %"]
        below = list(paginator.paginate(Bucket=s3_bucket, Delimiter="/", Prefix="b/"))
        assert [one["Prefix"] for page in below for one in page["CommonPrefixes"]] == [f"b/{n}/" for n in range(5)]
    after = s3.list_objects_v2(Bucket=s3_bucket, StartAfter="b/4/x", FetchOwner=True)
    assert [one["Key"] for one in after["Contents"]] == ["c", "z+ %"]
    assert after["Contents"][0]["Owner"]["ID"]
    assert s3.list_objects_v2(Bucket=s3_bucket, MaxKeys=0)["KeyCount"] == 0
    with pytest.raises(ClientError) as error:
        s3.list_objects_v2(Bucket=s3_bucket, ContinuationToken="%%%")
    assert refusal(error) == ("InvalidArgument", 400)


def test_what_is_not_there(s3: S3Client, s3_bucket: str) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=s3_bucket, Key="nothing")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.get_object(Bucket="nothing-anywhere", Key="nothing")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="nothing-anywhere")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="nothing-anywhere", Key="key", Body=b"x" * 10_000_000)
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=s3_bucket, Key="nothing")
    assert refusal(error) == ("404", 404)
    s3.delete_object(Bucket=s3_bucket, Key="nothing")


def test_a_locked_version_cannot_be_removed(s3: S3Client, s3_bucket: str) -> None:
    bucket = f"{s3_bucket}-lock"
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    version = s3.put_object(
        Bucket=bucket, Key="key", Body=b"x", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=FUTURE
    )["VersionId"]
    with pytest.raises(ClientError) as error:
        s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
    assert refusal(error) == ("AccessDenied", 403)
    assert s3.get_object_retention(Bucket=bucket, Key="key")["Retention"]["Mode"] == "GOVERNANCE"
    s3.put_object_legal_hold(Bucket=bucket, Key="key", LegalHold={"Status": "ON"})
    with pytest.raises(ClientError) as error:
        s3.delete_object(Bucket=bucket, Key="key", VersionId=version, BypassGovernanceRetention=True)
    assert refusal(error) == ("AccessDenied", 403)
    s3.put_object_legal_hold(Bucket=bucket, Key="key", LegalHold={"Status": "OFF"})
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version, BypassGovernanceRetention=True)


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_lock_holds_until_its_time_and_no_longer(s3: S3Client, s3_bucket: str, mode: Any) -> None:
    bucket = f"{s3_bucket}-lock"
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    place: Any = {"Bucket": bucket, "Key": "key"}
    locked, free = (s3.put_object(**place, Body=body)["VersionId"] for body in (b"locked", b"free"))
    s3.put_object_retention(**place, VersionId=locked, Retention={"Mode": mode, "RetainUntilDate": FUTURE})
    s3.delete_object(**place, VersionId=free)
    s3.delete_object(**place)  # hides it, and removes nothing
    named: Any = {"Objects": [{"Key": "key", "VersionId": locked}]}
    answer = s3.delete_objects(Bucket=bucket, Delete=named)
    assert answer["Errors"][0]["Code"] == "AccessDenied"
    if mode == "COMPLIANCE":
        answer = s3.delete_objects(Bucket=bucket, Delete=named, BypassGovernanceRetention=True)
        assert answer["Errors"][0]["Message"] == "Access Denied because object protected by object lock."
    else:
        s3.delete_objects(Bucket=bucket, Delete=named, BypassGovernanceRetention=True)
        with pytest.raises(ClientError):
            s3.head_object(**place, VersionId=locked)
    ends = datetime.now(UTC) + timedelta(seconds=5)
    short = s3.put_object(**place, Body=b"short", ObjectLockMode=mode, ObjectLockRetainUntilDate=ends)["VersionId"]
    while datetime.now(UTC) <= ends:
        time.sleep(0.1)
    s3.delete_object(**place, VersionId=short)
    with pytest.raises(ClientError):
        s3.head_object(**place, VersionId=short)


def test_what_no_key_and_no_header_can_be(bare: Bare, s3_bucket: str) -> None:
    assert b"<Code>InvalidURI</Code>" in bare("PUT", f"/{s3_bucket}/%ff%fe", b"x").body
    assert bare("PUT", f"/{s3_bucket}/key", b"x").status == 200
    answer = bare("GET", f"/{s3_bucket}/key?response-content-disposition=a%0d%0ab")
    assert (answer.status, b"<Code>InvalidArgument</Code>" in answer.body) == (400, True)
    answer = bare("GET", f"/{s3_bucket}/key?response-content-disposition=%C3%BC%F0%9F%99%82")
    assert answer.headers["content-disposition"].encode("latin-1").decode() == "ü🙂"


def test_what_is_not_emulated_says_so(bare: Bare, s3_bucket: str) -> None:
    for target in (f"/{s3_bucket}?requestPayment", f"/{s3_bucket}?metrics&id=1", f"/{s3_bucket}/key?torrent"):
        answer = bare("GET", target)
        assert (answer.status, b"<Code>NotImplemented</Code>" in answer.body) == (400, True)
