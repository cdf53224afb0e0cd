"""The SageMaker service: finds the operation, checks the request, answers JSON and nothing else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from ..contract.fidelity import operation_refusal, operation_treatment
from ..contract.fidelity_rows import Treatment
from ..contract.kinds import PROCESSING, TRAINING
from ..errors import ServiceError
from ..runtime import Emulator
from . import service_model
from .caller import Caller
from .operations import (
    artifacts,
    associations,
    experiments,
    jobs,
    search,
    tags,
    trial_components,
    trials,
)
from .wire import json_answer, json_error

logger = logging.getLogger(__name__)

Operation = Callable[..., dict[str, Any]]

TARGET_PREFIX: Final = "SageMaker."
_LARGEST_REQUEST_BYTES: Final = 10 * 1024**2
_MOST_DRAINED_BYTES: Final = 1024**3

_OPERATIONS: Final[dict[str, Operation]] = {
    **jobs.operations(TRAINING),
    **jobs.operations(PROCESSING),
    **experiments.OPERATIONS,
    **trials.OPERATIONS,
    **trial_components.OPERATIONS,
    **artifacts.OPERATIONS,
    **associations.OPERATIONS,
    **search.OPERATIONS,
    "AddTags": tags.add_tags,
    "ListTags": tags.list_tags,
    "DeleteTags": tags.delete_tags,
}
_TAG_OPERATIONS: Final = ("AddTags", "ListTags", "DeleteTags")


def answer(emulator: Emulator, request: Request, caller: Caller) -> Response | None:
    """Answer a JSON 1.1 request; None when moto keeps the records the operation is about."""
    operation = request.headers.get("X-Amz-Target", "").removeprefix(TARGET_PREFIX)
    try:
        document = service_model.validated(operation, _document(request))
        if _is_motos(operation, document):
            return None
        perform = _OPERATIONS.get(operation)
        if perform is None:
            return json_error(ServiceError("UnsupportedOperationException", operation_refusal(operation)))
        return json_answer(perform(emulator, caller.scope, document))
    except ServiceError as error:
        return json_error(error)


def refuse_rest_operation(request: Request) -> Response:
    """Answer requests to SageMaker's REST services that are not emulated: runtime, and what is unknown of metrics."""
    return json_error(
        ServiceError(
            "UnsupportedOperationException",
            f"{request.method} {request.path} of a SageMaker runtime service is not emulated. "
            "docs/fidelity.md lists what is.",
        )
    )


def _drain(request: Request) -> None:
    """Read a body that is refused: a client that is still sending would see a broken connection, not the answer."""
    read = 0
    while read < _MOST_DRAINED_BYTES and (chunk := request.stream.read(1024**2)):
        read += len(chunk)


def _is_motos(operation: str, document: Mapping[str, Any]) -> bool:
    if operation in _TAG_OPERATIONS:
        return not tags.is_ours(document)
    return operation_treatment(operation) is Treatment.RECORDED


def _document(request: Request) -> object:
    """Return the request's JSON.

    Raises:
        ServiceError: the service's SerializationException.
    """
    if (request.content_length or 0) > _LARGEST_REQUEST_BYTES:
        _drain(request)
        raise ServiceError("RequestEntityTooLargeException", "The request is larger than 10 MiB.", 413)
    body = request.get_data(cache=True)
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"The request body is not valid JSON: {error}") from error
