"""Multipart uploads: create, upload parts (sent or copied), list, complete, abort."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element

from ...storage.objects.model import (
    NoSuchPartError,
    NoSuchUploadError,
    ObjectVersion,
    Part,
    Precondition,
    Upload,
)
from . import attributes as attributes_
from . import checksums, xml
from .conditions import precondition_of_write
from .errors import S3Error, invalid_argument, invalid_part, invalid_request, malformed_xml, no_such_upload
from .objects import copy_source, require_acceptable
from .request import OWNER, Answer, S3Request, iso_date, version_header, xml_answer

SMALLEST_PART: Final = 5 * 1024**2
"""Of every part but the last."""

_MOST_PARTS: Final = 10_000
# S3 insists on "bytes="; moto does not, and clients tested with it leave it out.
_SOURCE_RANGE: Final = re.compile(r"(?:bytes=)?(\d+)-(\d+)")


def create_multipart_upload(request: S3Request) -> Answer:
    """Answer CreateMultipartUpload: the object's attributes are fixed here."""
    require_acceptable(request)
    attributes = attributes_.of_request(request)
    algorithm = checksums.known(request.header("x-amz-checksum-algorithm") or "")
    kind = request.header("x-amz-checksum-type")
    if kind is None:
        kind = checksums.FULL_OBJECT if algorithm in (None, "CRC64NVME") else checksums.COMPOSITE
    if kind == checksums.FULL_OBJECT and algorithm in ("SHA1", "SHA256"):
        raise invalid_request(
            f"The FULL_OBJECT checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    if kind == checksums.COMPOSITE and algorithm == "CRC64NVME":
        raise invalid_request("The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.")
    attributes["checksum"] = {"algorithm": algorithm, "type": kind}
    upload = request.store.create_upload(request.bucket.name, request.key, attributes)
    headers = {
        **attributes_.encryption_headers(attributes),
        "x-amz-checksum-algorithm": algorithm,
        "x-amz-checksum-type": kind if algorithm else None,
    }
    result = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.upload_id}
    return xml_answer("InitiateMultipartUploadResult", result, headers)


def upload_part(request: S3Request) -> Answer:
    """Answer UploadPart."""
    require_acceptable(request)
    upload, number = _upload(request), _part_number(request)
    check = _check(request, upload)
    try:
        part = request.store.put_part(upload, number, request.body.chunks(), hashers=check.hashers, verify=check.verify)
    except NoSuchUploadError as error:
        raise no_such_upload(upload.upload_id) from error
    said = part.attributes["checksums"][check.algorithm]
    headers = {
        "ETag": f'"{part.etag}"',
        **attributes_.encryption_headers(upload.attributes),
        f"x-amz-checksum-{check.algorithm.lower()}": said,
    }
    return Answer(200, headers)


def upload_part_copy(request: S3Request) -> Answer:
    """Answer UploadPartCopy."""
    upload, number = _upload(request), _part_number(request)
    source = copy_source(request)
    start, end = _source_range(request, source)
    check = _check(request, upload)
    try:
        with request.store.read(source, start, end) as reader:
            part = request.store.put_part(upload, number, reader, hashers=check.hashers, verify=check.verify)
    except NoSuchUploadError as error:
        raise no_such_upload(upload.upload_id) from error
    headers = {
        **attributes_.encryption_headers(upload.attributes),
        "x-amz-copy-source-version-id": source.version_id if source.version_id != "null" else None,
    }
    result = {"LastModified": iso_date(part.attributes["stored"]), "ETag": f'"{part.etag}"'}
    return xml_answer("CopyPartResult", result, headers)


def list_parts(request: S3Request) -> Answer:
    """Answer ListParts."""
    upload = _upload(request)
    marker, limit = request.number("part-number-marker", 0), request.number("max-parts", 1000)
    parts = [one for one in request.store.list_parts(upload) if one.number > marker]
    page = parts[: min(limit, 1000)]
    algorithm = upload.attributes["checksum"]["algorithm"]
    return xml_answer(
        "ListPartsResult",
        {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.upload_id,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": page[-1].number if page else 0,
            "MaxParts": limit,
            "IsTruncated": len(parts) > len(page) > 0,
            "Part": [
                {
                    "PartNumber": one.number,
                    "LastModified": iso_date(one.attributes.get("stored", upload.initiated)),
                    "ETag": f'"{one.etag}"',
                    "Size": one.size,
                    f"Checksum{algorithm}": one.attributes.get("checksums", {}).get(algorithm),
                }
                for one in page
            ],
            "Initiator": OWNER,
            "Owner": OWNER,
            "StorageClass": upload.attributes.get("storage_class", "STANDARD"),
            "ChecksumAlgorithm": algorithm,
            "ChecksumType": upload.attributes["checksum"]["type"] if algorithm else None,
        },
    )


def list_multipart_uploads(request: S3Request) -> Answer:
    """Answer ListMultipartUploads."""
    prefix, delimiter = request.query("prefix") or "", request.query("delimiter") or ""
    key_marker, id_marker = request.query("key-marker") or "", request.query("upload-id-marker") or ""
    limit = request.number("max-uploads", 1000)
    uploads: list[Upload] = []
    prefixes: list[str] = []
    truncated = False
    for one in request.store.list_uploads(request.bucket.name, prefix):
        if one.key < key_marker or (one.key == key_marker and (not id_marker or one.upload_id <= id_marker)):
            continue
        head, found, _ = one.key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        common = prefix + head + found if found else ""
        if common and common in prefixes:
            continue
        if len(uploads) + len(prefixes) >= min(limit, 1000):
            truncated = True
            break
        if common:
            prefixes.append(common)
        else:
            uploads.append(one)
    last = uploads[-1] if uploads else None
    return xml_answer(
        "ListMultipartUploadsResult",
        {
            "Bucket": request.bucket.name,
            "KeyMarker": key_marker,
            "UploadIdMarker": id_marker,
            "NextKeyMarker": last.key if truncated and last else None,
            "NextUploadIdMarker": last.upload_id if truncated and last else None,
            "Prefix": prefix or None,
            "Delimiter": delimiter or None,
            "MaxUploads": limit,
            "IsTruncated": truncated,
            "Upload": [
                {
                    "Key": one.key,
                    "UploadId": one.upload_id,
                    "Initiator": OWNER,
                    "Owner": OWNER,
                    "StorageClass": one.attributes.get("storage_class", "STANDARD"),
                    "Initiated": iso_date(one.initiated),
                    "ChecksumAlgorithm": one.attributes["checksum"]["algorithm"],
                    "ChecksumType": one.attributes["checksum"]["type"]
                    if one.attributes["checksum"]["algorithm"]
                    else None,
                }
                for one in uploads
            ],
            "CommonPrefixes": [{"Prefix": one} for one in prefixes],
        },
    )


def complete_multipart_upload(request: S3Request) -> Answer:
    """Answer CompleteMultipartUpload; asked a second time it answers the same."""
    upload_id = request.query("uploadId") or ""
    root = xml.parse(request.document(), "CompleteMultipartUpload")
    upload = request.store.get_upload(upload_id)
    if upload is None or (upload.bucket, upload.key) != (request.bucket.name, request.key):
        current = request.store.get(request.bucket.name, request.key)
        if current is not None and current.attributes.get("upload_id") == upload_id:
            return _completed(request, current)
        raise no_such_upload(upload_id)
    parts = _chosen(root, {one.number: one for one in request.store.list_parts(upload)})
    checksum = _checksum(upload, parts)
    _check_total(request, parts, checksum)
    attributes = {**upload.attributes, "checksum": checksum, "upload_id": upload_id}
    digests = b"".join(bytes.fromhex(one.etag) for one in parts)
    precondition: Precondition | None = precondition_of_write(request)
    try:
        version = request.store.complete_upload(
            upload,
            parts,
            etag=f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}",
            attributes=attributes,
            versioning=request.bucket.versioning,
            precondition=precondition,
        )
    except NoSuchUploadError as error:
        raise no_such_upload(upload_id) from error
    except NoSuchPartError as error:
        raise invalid_part() from error
    request.notify("s3:ObjectCreated:CompleteMultipartUpload", version)
    return _completed(request, version)


def abort_multipart_upload(request: S3Request) -> Answer:
    """Answer AbortMultipartUpload."""
    upload = request.store.get_upload(request.query("uploadId") or "")
    if upload is None or upload.bucket != request.bucket.name:  # an upload id is enough, also with another key
        raise no_such_upload(request.query("uploadId") or "")
    request.store.abort_upload(upload)
    return Answer(204)


def _completed(request: S3Request, version: ObjectVersion) -> Answer:
    result = {
        "Location": f"http://{version.bucket}.s3.amazonaws.com/{version.key}",
        "Bucket": version.bucket,
        "Key": version.key,
        "ETag": f'"{version.etag}"',
        **checksums.members(version.attributes.get("checksum")),
    }
    headers = {
        **attributes_.encryption_headers(version.attributes),
        "x-amz-version-id": version_header(request.bucket, version),
    }
    return xml_answer("CompleteMultipartUploadResult", result, headers)


def _upload(request: S3Request) -> Upload:
    upload_id = request.query("uploadId") or ""
    upload = request.store.get_upload(upload_id)
    if upload is None or (upload.bucket, upload.key) != (request.bucket.name, request.key):
        raise no_such_upload(upload_id)
    return upload


def _part_number(request: S3Request) -> int:
    text = request.query("partNumber") or ""
    if not text.isdigit() or not 1 <= int(text) <= _MOST_PARTS:
        raise invalid_argument(
            f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive", "partNumber", text
        )
    return int(text)


def _check(request: S3Request, upload: Upload) -> checksums.PartCheck:
    """Compute what the client says, and what the upload's end needs."""
    algorithm = upload.attributes["checksum"]["algorithm"]
    return checksums.PartCheck(request, algorithm=algorithm, also=(algorithm or checksums.DEFAULT,))


def _source_range(request: S3Request, source: ObjectVersion) -> tuple[int, int]:
    text = request.header("x-amz-copy-source-range")
    if not text:
        return 0, source.size
    match = _SOURCE_RANGE.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            text,
        )
    if int(match[2]) >= source.size:
        raise invalid_argument(
            f"Range specified is not valid for source object of size: {source.size}", "x-amz-copy-source-range", text
        )
    return int(match[1]), int(match[2]) + 1


def _chosen(root: Element, present: Mapping[int, Part]) -> list[Part]:
    """Return the parts that a completion names, in its order."""
    parts: list[Part] = []
    for one in root.findall("Part"):
        text = xml.required(one, "PartNumber").strip()
        if not text.isdigit():
            raise malformed_xml()
        if parts and int(text) <= parts[-1].number:
            raise S3Error(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. The parts list must be specified in order by part "
                "number.",
            )
        part = present.get(int(text))
        if part is None or xml.required(one, "ETag").strip().strip('"') != part.etag:
            raise invalid_part()
        known = part.attributes.get("checksums", {})
        for algorithm in checksums.ALGORITHMS:
            said = one.findtext(f"Checksum{algorithm}")
            if said and said != known.get(algorithm, said):
                raise invalid_part()
        parts.append(part)
    if not parts:
        raise malformed_xml()
    for part in parts[:-1]:
        if part.size < SMALLEST_PART:
            raise S3Error(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed object size.",
                fields={
                    "ETag": part.etag,
                    "MinSizeAllowed": str(SMALLEST_PART),
                    "PartNumber": str(part.number),
                    "ProposedSize": str(part.size),
                },
            )
    return parts


def _checksum(upload: Upload, parts: list[Part]) -> dict[str, Any]:
    """Return the object's checksum: of all bytes, or of the parts' checksums."""
    wanted = upload.attributes["checksum"]
    algorithm = wanted["algorithm"] or checksums.DEFAULT
    found = [(one.attributes["checksums"][algorithm], one.size) for one in parts]
    if wanted["type"] == checksums.COMPOSITE:
        value = checksums.composite(algorithm, [one for one, _ in found])
    else:
        value = checksums.combined(algorithm, found)
    return {"algorithm": algorithm, "value": value, "type": wanted["type"]}


def _check_total(request: S3Request, parts: list[Part], checksum: Mapping[str, Any]) -> None:
    """Compare with what the client says of the whole."""
    size = request.header("x-amz-mp-object-size")
    total = sum(one.size for one in parts)
    if size is not None and size != str(total):
        raise invalid_request(
            f"The provided 'x-amz-mp-object-size' header value {size} does not match what was computed: {total}"
        )
    name = f"x-amz-checksum-{checksum['algorithm'].lower()}"
    said = request.wire.headers.get(name)
    if said is not None and said.partition("-")[0] != checksum["value"].partition("-")[0]:
        raise S3Error("BadDigest", f"The {checksum['algorithm']} you specified did not match the calculated checksum.")
