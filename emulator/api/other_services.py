"""Passes a request on to moto, and turns its crashes into answers that a client can read."""

from __future__ import annotations

import io
import logging
from typing import Any

from werkzeug.wrappers import Request, Response

from ..errors import ServiceError
from ..runtime import Emulator
from .caller import Caller
from .wire import UNDERSCORED_HEADERS, error_answer

logger = logging.getLogger(__name__)

_SUCCESS_AND_REDIRECTS = range(100, 400)


def answer(emulator: Emulator, request: Request, caller: Caller) -> Response:
    """Return moto's answer.

    A crash, an HTML page and any 5xx become one 4xx: clients would repeat a 5xx several times and then
    print a page of HTML.
    """
    environ: dict[str, Any] = request.environ
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = caller.scope.account
    emulator.services.keep_header_names(environ, environ.get(UNDERSCORED_HEADERS, {}))
    if "_cached_data" in request.__dict__:  # read on the way here; moto reads it again
        environ["wsgi.input"] = io.BytesIO(request.get_data())
    try:
        response = Response.from_app(emulator.services, environ, buffered=False)
    except Exception as error:
        logger.exception("%s %s: moto crashed", request.method, request.path)
        return _failed(request, caller, f"{type(error).__name__}: {error}")
    if response.status_code in _SUCCESS_AND_REDIRECTS or not _is_crash(response):
        return response
    return _failed(request, caller, f"HTTP {response.status}")


def _is_crash(response: Response) -> bool:
    return response.status_code >= 500 or response.get_data().lstrip()[:9].lower() == b"<!doctype"


def _failed(request: Request, caller: Caller, why: str) -> Response:
    asked = request.headers.get("X-Amz-Target") or request.form.get("Action") or f"{request.method} {request.path}"
    return error_answer(
        ServiceError(
            "UnsupportedOperationException",
            f"{asked} of {caller.service or 's3'} could not be answered: moto, which stands for this service "
            f"here, does not support it or failed ({why}).",
        ),
        request,
        caller.service or "s3",
    )
