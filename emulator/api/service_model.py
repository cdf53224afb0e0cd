"""botocore's models of the services that are ours: which operations there are and what they take and give."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, Final

from botocore.model import OperationModel, ServiceModel, StructureShape

from ..contract.constraints import Shape, normalised, violations, violations_message
from ..errors import ServiceError, ValidationError
from ..service_models import service_model

SAGEMAKER: Final = "sagemaker"
_NOTHING: Final = StructureShape("Nothing", {"type": "structure", "members": {}})
_loading = threading.Lock()


def operation_names() -> frozenset[str]:
    """Return the name of every operation of the service."""
    return frozenset(_service_model().operation_names)


def input_shape(operation: str, service: str = SAGEMAKER) -> Shape:
    """Return the shape of an operation's request.

    Raises:
        ServiceError: the service has no such operation.
    """
    return _operation(operation, service).input_shape or _NOTHING


def output_members(operation: str) -> tuple[str, ...]:
    """Return the names of the top-level members of an operation's answer.

    Raises:
        ServiceError: the service has no such operation.
    """
    shape = _operation(operation, SAGEMAKER).output_shape
    return tuple(shape.members) if shape is not None else ()


def output_members_below(operation: str, *path: str) -> tuple[str, ...]:
    """Return the names of the members of a structure in an operation's answer, through lists on the way."""
    shape: Any = _operation(operation, SAGEMAKER).output_shape
    for name in path:
        shape = shape.members[name]
        shape = shape.member if shape.type_name == "list" else shape
    return tuple(shape.members)


def validated(operation: str, payload: object, service: str = SAGEMAKER) -> dict[str, Any]:
    """Return a request that satisfies the service model, without its null members.

    Raises:
        ServiceError: the service has no such operation.
        ValidationError: the request breaks the model's rules; the text names every one.
    """
    shape = input_shape(operation, service)
    found = violations(shape, payload)
    if found:
        raise ValidationError(violations_message(found))
    request: dict[str, Any] = normalised(shape, payload)
    return request


def _operation(name: str, service: str) -> OperationModel:
    model = _service_model(service)
    if name not in model.operation_names:
        raise ServiceError(
            "UnknownOperationException",
            f"The operation {name} is not known to this version of the {model.service_id} service model.",
        )
    return model.operation_model(name)


def _service_model(service: str = SAGEMAKER) -> ServiceModel:
    with _loading:
        return _loaded(service)


@cache
def _loaded(service: str) -> ServiceModel:
    return ServiceModel(service_model(service), service)
