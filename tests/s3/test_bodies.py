"""Bodies as SDKs of all ages frame them, and the checksums that come with them."""

from __future__ import annotations

import base64
import hashlib
import socket
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import anycrc
import pytest
from botocore.exceptions import ClientError

from emulator.endpoint import Endpoint
from tests.s3.conftest import SIGNED, Bare

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.docker

BODY = b"".join(bytes([number % 251]) * 1000 for number in range(700))
SIGNATURE = "0" * 64
ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")


def encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def checksum_of(algorithm: str, body: bytes) -> str:
    match algorithm:
        case "CRC32":
            return encoded(zlib.crc32(body).to_bytes(4, "big"))
        case "CRC32C":
            return encoded(anycrc.Model("CRC32C").calc(body).to_bytes(4, "big"))
        case "CRC64NVME":
            return encoded(anycrc.Model("CRC64-NVME").calc(body).to_bytes(8, "big"))
        case _:
            return encoded(hashlib.new(algorithm, body).digest())


def framed(body: bytes, *, signed: bool, trailers: dict[str, str] | None = None, size: int = 65536) -> bytes:
    """Frame a body as aws-chunked."""
    signature = f";chunk-signature={SIGNATURE}" if signed else ""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    text = b"".join(f"{len(piece):x}{signature}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    text += f"0{signature}\r\n".encode()
    for name, value in (trailers or {}).items():
        text += f"{name}:{value}\r\n".encode()
    if signed and trailers:
        text += f"x-amz-trailer-signature:{SIGNATURE}\r\n".encode()
    return text + b"\r\n"


def said(name: str, value: str) -> Any:
    return {name: value}


def chunked_headers(kind: str, **more: str) -> dict[str, Any]:
    return {
        "x_amz_content_sha256": kind,
        "Content_Encoding": "aws-chunked",
        "x_amz_decoded_content_length": str(len(BODY)),
        **more,
    }


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_of_boto3_is_verified_kept_and_told(s3: S3Client, s3_bucket: str, algorithm: Any) -> None:
    put: Any = s3.put_object(Bucket=s3_bucket, Key="key", Body=BODY, ChecksumAlgorithm=algorithm)
    expected = checksum_of(algorithm, BODY)
    assert put[f"Checksum{algorithm}"] == expected
    got: Any = s3.get_object(Bucket=s3_bucket, Key="key", ChecksumMode="ENABLED")
    assert (got["Body"].read(), got[f"Checksum{algorithm}"], got["ChecksumType"]) == (BODY, expected, "FULL_OBJECT")
    copied: Any = s3.copy_object(Bucket=s3_bucket, Key="copy", CopySource=f"{s3_bucket}/key")["CopyObjectResult"]
    assert copied[f"Checksum{algorithm}"] == expected


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_that_differs_is_refused_and_nothing_stored(
    s3: S3Client, bare: Bare, s3_bucket: str, algorithm: str
) -> None:
    wrong = checksum_of(algorithm, b"other")
    name = f"x-amz-checksum-{algorithm.lower()}"
    answer = bare("PUT", f"/{s3_bucket}/key", BODY, **said(name, wrong))
    assert (answer.status, b"<Code>BadDigest</Code>" in answer.body) == (400, True)
    answer = bare("PUT", f"/{s3_bucket}/key", BODY, **said(name, "AAAA"))
    assert (answer.status, b"<Code>InvalidRequest</Code>" in answer.body) == (400, True)
    headers: Any = chunked_headers("STREAMING-UNSIGNED-PAYLOAD-TRAILER", x_amz_trailer=name)
    body = framed(BODY, signed=False, trailers={name: wrong})
    answer = bare("PUT", f"/{s3_bucket}/key", body, **headers)
    assert (answer.status, b"<Code>BadDigest</Code>" in answer.body) == (400, True)
    assert "Contents" not in s3.list_objects_v2(Bucket=s3_bucket)


def test_content_md5(bare: Bare, s3_bucket: str) -> None:
    target = f"/{s3_bucket}/key"
    assert bare("PUT", target, BODY, Content_MD5=encoded(hashlib.md5(BODY).digest())).status == 200
    answer = bare("PUT", target, b"other", Content_MD5=encoded(hashlib.md5(BODY).digest()))
    assert (answer.status, b"<Code>BadDigest</Code>" in answer.body) == (400, True)
    answer = bare("PUT", target, b"other", Content_MD5="nonsense")
    assert (answer.status, b"<Code>InvalidDigest</Code>" in answer.body) == (400, True)
    assert bare("GET", target).body == BODY


def test_two_checksums_are_one_too_many(bare: Bare, s3_bucket: str) -> None:
    answer = bare(
        "PUT", f"/{s3_bucket}/key", BODY, x_amz_checksum_crc32=checksum_of("CRC32", BODY),
        x_amz_checksum_sha1=checksum_of("SHA1", BODY),
    )  # fmt: skip
    assert (answer.status, b"<Code>InvalidRequest</Code>" in answer.body) == (400, True)


def test_an_object_without_a_checksum_gets_s3s_own(bare: Bare, s3_bucket: str) -> None:
    answer = bare("PUT", f"/{s3_bucket}/key", BODY)
    assert answer.headers["x-amz-checksum-crc64nvme"] == checksum_of("CRC64NVME", BODY)


@pytest.mark.parametrize(
    "framing",
    [
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", False, True),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", False, False),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", True, False),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", True, True),
    ],
)
@pytest.mark.parametrize("size", [1, 65536, 10**9])
def test_aws_chunked(bare: Bare, s3_bucket: str, framing: tuple[str, bool, bool], size: int) -> None:
    kind, signed, trailing = framing
    content = BODY[:3000] if size == 1 else BODY
    trailers = {"x-amz-checksum-crc32c": checksum_of("CRC32C", content)} if trailing else None
    headers: Any = chunked_headers(kind) | {"x_amz_decoded_content_length": str(len(content))}
    if trailing:
        headers["x_amz_trailer"] = "x-amz-checksum-crc32c"
    body = framed(content, signed=signed, trailers=trailers, size=size)
    answer = bare("PUT", f"/{s3_bucket}/key", body, **headers)
    assert answer.status == 200, answer.body
    assert answer.headers["etag"] == f'"{hashlib.md5(content).hexdigest()}"'
    got = bare("GET", f"/{s3_bucket}/key")
    assert got.body == content
    assert "content-encoding" not in got.headers


def test_aws_chunked_keeps_the_other_coding(bare: Bare, s3_bucket: str) -> None:
    headers: Any = chunked_headers("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Content_Encoding="aws-chunked,gzip")
    assert bare("PUT", f"/{s3_bucket}/key", framed(BODY, signed=True), **headers).status == 200
    assert bare("HEAD", f"/{s3_bucket}/key").headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "body",
    [
        framed(BODY, signed=False)[:-3000],
        framed(BODY[:-1], signed=False),
        b"nonsense\r\n" + BODY,
        b"",
    ],
    ids=["cut", "short", "nonsense", "empty"],
)
def test_aws_chunked_that_is_not_whole(s3: S3Client, bare: Bare, s3_bucket: str, body: bytes) -> None:
    answer = bare("PUT", f"/{s3_bucket}/key", body, **chunked_headers("STREAMING-UNSIGNED-PAYLOAD-TRAILER"))
    assert (answer.status, b"<Code>IncompleteBody</Code>" in answer.body) == (400, True)
    assert "Contents" not in s3.list_objects_v2(Bucket=s3_bucket)


def test_http_chunks_inside_and_outside(bare: Bare, s3_bucket: str) -> None:
    def pieces(body: bytes) -> Iterator[bytes]:
        yield from (body[start : start + 7000] for start in range(0, len(body), 7000))

    chunked: Any = {"Transfer_Encoding": "chunked"}
    assert bare("PUT", f"/{s3_bucket}/plain", pieces(BODY), **chunked).status == 200
    headers: Any = chunked_headers("STREAMING-UNSIGNED-PAYLOAD-TRAILER", **chunked)
    assert bare("PUT", f"/{s3_bucket}/both", pieces(framed(BODY, signed=False)), **headers).status == 200
    assert [bare("GET", f"/{s3_bucket}/{key}").body for key in ("plain", "both")] == [BODY, BODY]


def test_a_client_that_hangs_up_leaves_nothing(s3: S3Client, s3_endpoint: Endpoint, s3_bucket: str) -> None:
    head = f"PUT /{s3_bucket}/key HTTP/1.1\r\nHost: x\r\nAuthorization: {SIGNED}\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", s3_endpoint.port), timeout=120) as connection:
        connection.sendall(head.encode() + BODY[:5000])
        connection.shutdown(socket.SHUT_WR)
        assert b"IncompleteBody" in b"".join(iter(lambda: connection.recv(65536), b""))
    assert "Contents" not in s3.list_objects_v2(Bucket=s3_bucket)


def test_a_length_is_needed(s3_endpoint: Endpoint, s3_bucket: str) -> None:
    head = f"PUT /{s3_bucket}/key HTTP/1.1\r\nHost: x\r\nAuthorization: {SIGNED}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", s3_endpoint.port), timeout=120) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b" 411 " in answer.splitlines()[0]
    assert b"MissingContentLength" in answer


def test_a_refused_upload_leaves_the_connection_usable(s3_endpoint: Endpoint, s3_bucket: str) -> None:
    refused = f"PUT /nothing-here/key HTTP/1.1\r\nHost: x\r\nAuthorization: {SIGNED}\r\nContent-Length: 3000000\r\n\r\n"
    listed = f"GET /{s3_bucket} HTTP/1.1\r\nHost: x\r\nAuthorization: {SIGNED}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", s3_endpoint.port), timeout=120) as connection:
        connection.sendall(refused.encode() + b"x" * 3_000_000 + listed.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 404") == 1
    assert b"ListBucketResult" in answer


@pytest.mark.parametrize("algorithm", [None, *ALGORITHMS])
def test_checksums_of_a_multipart_upload(s3: S3Client, s3_bucket: str, algorithm: str | None) -> None:
    place: Any = {"Bucket": s3_bucket, "Key": "key"}
    parts = [b"a" * 5 * 1024**2, b"b" * 5 * 1024**2, b"c"]
    extra: Any = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    upload: Any = s3.create_multipart_upload(**place, **extra)
    sent: list[Any] = [
        s3.upload_part(**place, UploadId=upload["UploadId"], PartNumber=number, Body=part, **extra)
        for number, part in enumerate(parts, 1)
    ]
    name = f"Checksum{algorithm or 'CRC32'}"
    named: Any = [{"PartNumber": number, "ETag": one["ETag"], name: one[name]} for number, one in enumerate(sent, 1)]
    done: Any = s3.complete_multipart_upload(**place, UploadId=upload["UploadId"], MultipartUpload={"Parts": named})
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
    head: Any = s3.head_object(**place, ChecksumMode="ENABLED")
    if head["ChecksumType"] == "FULL_OBJECT":
        kind = algorithm or "CRC64NVME"
        assert head.get(f"Checksum{kind}") == checksum_of(kind, b"".join(parts))
    else:
        kind = algorithm or "CRC32"
        of_parts = b"".join(base64.b64decode(checksum_of(kind, part)) for part in parts)
        assert head[f"Checksum{kind}"] == f"{checksum_of(kind, of_parts)}-3"
    got = s3.get_object(**place, PartNumber=2)
    assert (got["Body"].read(), got["PartsCount"]) == (parts[1], 3)
    assert s3.get_object(**place, Range="bytes=5242879-5242880")["Body"].read() == b"ab"


def test_a_full_object_checksum_is_combined(s3: S3Client, s3_bucket: str) -> None:
    place: Any = {"Bucket": s3_bucket, "Key": "key"}
    parts = [b"a" * 5 * 1024**2, b"b" * 17]
    for algorithm in ("CRC32", "CRC32C", "CRC64NVME"):
        kind: Any = {"ChecksumAlgorithm": algorithm, "ChecksumType": "FULL_OBJECT"}
        upload = s3.create_multipart_upload(**place, **kind)["UploadId"]
        named: Any = []
        for number, part in enumerate(parts, 1):
            extra: Any = {"ChecksumAlgorithm": algorithm}
            sent = s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=part, **extra)
            named.append({"PartNumber": number, "ETag": sent["ETag"]})
        whole: Any = {f"Checksum{algorithm}": checksum_of(algorithm, b"".join(parts))}
        done: Any = s3.complete_multipart_upload(
            **place, UploadId=upload, MultipartUpload={"Parts": named}, ChecksumType="FULL_OBJECT", **whole
        )
        assert done[f"Checksum{algorithm}"] == checksum_of(algorithm, b"".join(parts))


def test_rules_of_completing(s3: S3Client, s3_bucket: str) -> None:
    place: Any = {"Bucket": s3_bucket, "Key": "key"}
    upload = s3.create_multipart_upload(**place)["UploadId"]
    small = {
        number: s3.upload_part(**place, UploadId=upload, PartNumber=number, Body=b"small")["ETag"] for number in (1, 2)
    }

    def complete(*parts: tuple[int, str]) -> str:
        named: Any = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
        with pytest.raises(ClientError) as error:
            s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": named})
        return str(error.value.response["Error"]["Code"])

    assert complete((1, small[1]), (2, small[2])) == "EntityTooSmall"
    assert complete((2, small[2]), (1, small[1])) == "InvalidPartOrder"
    assert complete((1, small[1]), (3, small[2])) == "InvalidPart"
    assert complete((1, '"0123456789abcdef0123456789abcdef"')) == "InvalidPart"
    assert complete() == "MalformedXML"
    assert [one["PartNumber"] for one in s3.list_parts(**place, UploadId=upload)["Parts"]] == [1, 2]
    s3.abort_multipart_upload(**place, UploadId=upload)
    assert complete((1, small[1])) == "NoSuchUpload"


def test_parts_copied_from_an_object(s3: S3Client, s3_bucket: str) -> None:
    place: Any = {"Bucket": s3_bucket, "Key": "key"}
    source = b"0123456789" * 600_000
    s3.put_object(Bucket=s3_bucket, Key="source", Body=source)
    upload = s3.create_multipart_upload(**place)["UploadId"]
    named: Any = []
    for number, stretch in enumerate(("bytes=0-5242879", "bytes=10-19"), 1):
        part = s3.upload_part_copy(
            **place, UploadId=upload, PartNumber=number, CopySource=f"{s3_bucket}/source", CopySourceRange=stretch
        )
        named.append({"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]})
    with pytest.raises(ClientError) as error:
        s3.upload_part_copy(
            **place, UploadId=upload, PartNumber=3, CopySource=f"{s3_bucket}/source", CopySourceRange="bytes=0-9000000"
        )
    assert error.value.response["Error"]["Code"] == "InvalidArgument"
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": named})
    assert s3.get_object(**place)["Body"].read() == source[:5242880] + source[10:20]
