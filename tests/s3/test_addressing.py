"""How a request can name its bucket, and who may send it: hosts, presigned URLs, forms, anonymous requests."""

from __future__ import annotations

import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from emulator.endpoint import Endpoint
from tests.s3.conftest import Bare, client_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    "host",
    [
        "{bucket}.localhost:4750",
        "{bucket}.s3.localhost",
        "{bucket}.s3.amazonaws.com",
        "{bucket}.s3.eu-west-1.amazonaws.com",
        "{bucket}.s3-us-west-2.amazonaws.com",
        "{bucket}.s3.dualstack.us-east-1.amazonaws.com",
        "{bucket}.s3.cn-north-1.amazonaws.com.cn",
        "{bucket}.host.docker.internal:4750",
        "{bucket}.s3.example.test",
    ],
)
def test_a_bucket_in_the_host_name(bare: Bare, s3_bucket: str, host: str) -> None:
    named: Any = {"Host": host.format(bucket=s3_bucket)}
    assert bare("PUT", "/a/b%20c", b"x", **named).status == 200
    assert bare("GET", "/a/b%20c", **named).body == b"x"
    assert b"<Key>a/b c</Key>" in bare("GET", "/?list-type=2", **named).body
    assert bare("GET", f"/{s3_bucket}/a/b%20c").body == b"x"
    assert bare("GET", "/?versioning", **named).status == 200


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "s3.amazonaws.com", "s3.eu-west-1.amazonaws.com", "host.docker.internal", "emulator",
     "emulator.example.test", "[::1]:4750", "169.254.170.2"],
)  # fmt: skip
def test_a_bucket_in_the_path(bare: Bare, s3_bucket: str, host: str) -> None:
    assert bare("PUT", f"/{s3_bucket}/a", b"x", Host=host).status == 200
    assert bare("GET", f"/{s3_bucket}/a", Host=host).body == b"x"


def test_a_bucket_of_another_name_than_the_hosts(bare: Bare) -> None:
    assert bare("PUT", "/", b"", Host="made-by-host.localhost").status == 200
    assert bare("PUT", "/key", b"x", Host="made-by-host.s3.amazonaws.com").status == 200
    assert bare("GET", "/made-by-host/key").body == b"x"
    assert bare("DELETE", "/key", Host="made-by-host.localhost").status == 204
    assert bare("DELETE", "/", Host="made-by-host.localhost").status == 204


def fetch(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls(s3_endpoint: Endpoint, s3_bucket: str, version: str) -> None:
    client = client_of(s3_endpoint.url, signature_version=version)
    place: Any = {"Bucket": s3_bucket, "Key": "a b/+é"}
    put = client.generate_presigned_url("put_object", place)
    assert fetch(put, "PUT", b"content")[0] == 200
    get = client.generate_presigned_url("get_object", {**place, "ResponseContentType": "text/x"})
    assert fetch(get) == (200, b"content")
    gone = client.generate_presigned_url("get_object", place, ExpiresIn=1)
    time.sleep(2.1)
    status, body = fetch(gone)
    assert (status, b"<Message>Request has expired</Message>" in body) == (403, True)
    typed = client.generate_presigned_url("put_object", {**place, "ContentType": "text/plain"})
    assert fetch(typed, "PUT", b"typed", **{"Content-Type": "text/plain"})[0] == 200
    if version == "s3":
        status, body = fetch(typed, "PUT", b"typed", **{"Content-Type": "text/other"})
        assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    assert client.get_object(**place)["ContentType"] == "text/plain"


def test_a_form(s3: S3Client, s3_endpoint: Endpoint, s3_bucket: str) -> None:
    form: Any = s3.generate_presigned_post(s3_bucket, "up/${filename}", Fields={"x-amz-meta-a": "1"})
    boundary = "----b"
    fields = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    )
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    body = (fields + head).encode() + b"content" + f"\r\n--{boundary}--\r\n".encode()
    kind: Any = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert fetch(form["url"], "POST", body, **kind)[0] == 204
    got = s3.get_object(Bucket=s3_bucket, Key="up/a.txt")
    assert (got["Body"].read(), got["Metadata"]) == (b"content", {"a": "1"})


def test_who_does_not_sign_reads_what_is_public(s3: S3Client, bare: Bare, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="private", Body=b"x")
    s3.put_object(Bucket=s3_bucket, Key="public", Body=b"x", ACL="public-read")
    assert bare("GET", f"/{s3_bucket}/public", signed=False).body == b"x"
    answer = bare("GET", f"/{s3_bucket}/private", signed=False)
    assert (answer.status, b"<Code>AccessDenied</Code>" in answer.body) == (403, True)


def test_who_does_not_sign_may_write(s3: S3Client, bare: Bare, s3_bucket: str) -> None:
    """As moto's `test_upload_data_without_content_type`, which wants moto's own port."""
    assert bare("PUT", f"/{s3_bucket}/key", b"x", signed=False).status == 200
    stored = s3.get_object(Bucket=s3_bucket, Key="key")
    assert (stored["Body"].read(), stored["ContentType"]) == (b"x", "binary/octet-stream")


def test_a_policy_that_denies(s3: S3Client, bare: Bare, s3_bucket: str) -> None:
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject",'
        f'"Resource":"arn:aws:s3:::{s3_bucket}/*"}}]}}'
    )
    s3.put_bucket_policy(Bucket=s3_bucket, Policy=policy)
    s3.put_object(Bucket=s3_bucket, Key="key", Body=b"x")
    assert bare("DELETE", f"/{s3_bucket}/key").status == 403
    assert bare("GET", f"/{s3_bucket}/key").status == 200


def test_a_bucket_of_somebody_else(bare: Bare, s3_bucket: str) -> None:
    assert bare("PUT", f"/{s3_bucket}/key", b"x", x_amz_expected_bucket_owner="999999999999").status == 403
    assert bare("PUT", f"/{s3_bucket}/key", b"x", x_amz_expected_bucket_owner="123456789012").status == 200
