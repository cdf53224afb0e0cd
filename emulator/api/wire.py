"""Answers in the forms AWS clients read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from ..errors import ServiceError

UNDERSCORED_HEADERS = "emulator.underscored_headers"
"""Key of the WSGI environment under which the server keeps {name: value} of headers such as x-amz-meta-a_b."""

AMZ_JSON = "application/x-amz-json-1.1"


def json_answer(document: Mapping[str, object], status: int = 200) -> Response:
    """Return a JSON 1.1 answer; times in it are numbers, epoch seconds."""
    response = Response(json.dumps(document), status=status, content_type=AMZ_JSON)
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return response


def json_error(error: ServiceError) -> Response:
    """Return an error as JSON services do: in the body, and its code in a header for REST clients."""
    response = json_answer({"__type": error.code, "message": error.message}, error.status)
    response.headers["x-amzn-ErrorType"] = error.code
    return response


def xml_answer(text: str, status: int = 200) -> Response:
    """Return an answer of an XML service (IAM, STS, S3)."""
    response = Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', status=status, content_type="text/xml")
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return response


def error_answer(error: ServiceError, request: Request, service: str) -> Response:
    """Return an error in the protocol of the request, so that its client can read it.

    JSON for SageMaker and every other JSON service; XML for S3 and for form-encoded (query) requests.
    """
    code, message = escape(error.code), escape(error.message)
    if "X-Amz-Target" in request.headers:
        return json_error(error)
    if service == "s3":
        return xml_answer(f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", error.status)
    if request.content_type and request.content_type.startswith("application/x-www-form-urlencoded"):
        return xml_answer(
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>",
            error.status,
        )
    return json_error(error)
