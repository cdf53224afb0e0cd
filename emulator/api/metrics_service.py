"""The `sagemaker-metrics` service: values of metrics in, and series of them out. JSON over REST."""

from __future__ import annotations

import json
from typing import Final

from werkzeug.wrappers import Request, Response

from ..contract.constraints import epoch_seconds
from ..errors import ServiceError
from ..runtime import Emulator
from . import service_model
from .caller import Caller
from .wire import json_answer, json_error

SERVICE: Final = "sagemaker-metrics"
_OPERATIONS: Final = {("PUT", "/BatchPutMetrics"): "BatchPutMetrics", ("POST", "/BatchGetMetrics"): "BatchGetMetrics"}
_LARGEST_REQUEST_BYTES: Final = 1024**2


def is_metrics(request: Request) -> bool:
    """Tell whether a request signed for `sagemaker` is one of this service."""
    return (request.method, request.path) in _OPERATIONS


def answer(emulator: Emulator, request: Request, caller: Caller) -> Response:
    """Answer a request of this service."""
    operation = _OPERATIONS[request.method, request.path]
    try:
        document = service_model.validated(operation, _document(request), SERVICE)
        if operation == "BatchGetMetrics":
            return json_answer(emulator.metrics.get(caller.scope, document))
        for one in document["MetricData"]:
            one["Timestamp"] = epoch_seconds(one["Timestamp"])
        return json_answer(emulator.metrics.put(caller.scope, document))
    except ServiceError as error:
        return json_error(error)


def _document(request: Request) -> object:
    if (request.content_length or 0) > _LARGEST_REQUEST_BYTES:
        request.get_data(cache=False)
        raise ServiceError("RequestEntityTooLargeException", "The request is larger than 1 MiB.", 413)
    try:
        return json.loads(request.get_data(cache=True) or b"{}")
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"The request body is not valid JSON: {error}") from error
