"""S3's errors: code, text and status as the service has them, with the fields that belong to each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...errors import ServiceError


class S3Error(ServiceError):
    """An error answer of S3; `fields` are further elements of its document, `headers` of the answer."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, message, status)
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})


MALFORMED_XML: Final = "The XML you provided was not well-formed or did not validate against our published schema"


def no_such_bucket(bucket: str) -> S3Error:
    return S3Error("NoSuchBucket", "The specified bucket does not exist", 404, fields={"BucketName": bucket})


def no_such_key(key: str, headers: Mapping[str, str] | None = None) -> S3Error:
    return S3Error("NoSuchKey", "The specified key does not exist.", 404, fields={"Key": key}, headers=headers)


def no_such_version(key: str, version_id: str) -> S3Error:
    fields = {"Key": key, "VersionId": version_id}
    return S3Error("NoSuchVersion", "The specified version does not exist.", 404, fields=fields)


def no_such_upload(upload_id: str) -> S3Error:
    return S3Error(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed.",
        404,
        fields={"UploadId": upload_id},
    )


def invalid_part() -> S3Error:
    return S3Error(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part might not have been uploaded, or the "
        "specified entity tag might not have matched the part's entity tag.",
    )


def precondition_failed(condition: str) -> S3Error:
    return S3Error(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        412,
        fields={"Condition": condition},
    )


def method_not_allowed(method: str, resource: str, headers: Mapping[str, str] | None = None) -> S3Error:
    return S3Error(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        405,
        fields={"Method": method, "ResourceType": resource},
        headers=headers,
    )


def access_denied(message: str = "Access Denied") -> S3Error:
    return S3Error("AccessDenied", message, 403)


def invalid_request(message: str) -> S3Error:
    return S3Error("InvalidRequest", message)


def invalid_argument(message: str, name: str = "", value: str = "") -> S3Error:
    fields = {"ArgumentName": name, "ArgumentValue": value} if name else None
    return S3Error("InvalidArgument", message, fields=fields)


def malformed_xml() -> S3Error:
    return S3Error("MalformedXML", MALFORMED_XML)


def disk_full() -> S3Error:
    """Return what a full disk is to a client: 507, which SDKs report at once instead of trying again."""
    return S3Error(
        "InsufficientStorage",
        "The disk of the emulator's state directory is full; nothing was stored. Make room, or start the emulator "
        "with another --state-dir.",
        507,
    )
