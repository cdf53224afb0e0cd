"""CloudWatch Logs' names, limits and errors, for the groups that SageMaker writes.

Source: botocore's model of CloudWatch Logs and its documentation; the texts of errors were seen from the
service or stand in moto.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import ServiceError
from .arns import Scope

PREFIX: Final = "/aws/sagemaker/"
LARGEST_PAGE: Final = 50
"""Groups or streams in one answer."""

# What an event counts besides the bytes of its message, and the bytes of one PutLogEvents.
EVENT_OVERHEAD: Final = 26
LARGEST_BATCH: Final = 1024**2
OLDEST_ACCEPTED_MS: Final = 14 * 24 * 3600 * 1000
NEWEST_ACCEPTED_MS: Final = 2 * 3600 * 1000

_ARN: Final = re.compile(r"arn:[^:]+:logs:[^:]*:[^:]*:log-group:(?P<name>[^:]+)(?::.*)?")


def group_arn(scope: Scope, group: str) -> str:
    """Return a group's ARN, without the `:*` that DescribeLogGroups puts after it in `arn`."""
    return f"arn:{scope.partition}:logs:{scope.region}:{scope.account}:log-group:{group}"


def stream_arn(scope: Scope, group: str, stream: str) -> str:
    """Return a stream's ARN."""
    return f"{group_arn(scope, group)}:log-stream:{stream}"


def group_name(identifier: str) -> str:
    """Return the group that a logGroupIdentifier means: a name, or an ARN."""
    match = _ARN.fullmatch(identifier)
    return match["name"] if match else identifier


def no_such_group() -> ServiceError:
    """There is no such group."""
    return ServiceError("ResourceNotFoundException", "The specified log group does not exist.")


def no_such_stream() -> ServiceError:
    """There is no such stream in the group."""
    return ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")


def group_exists() -> ServiceError:
    """CreateLogGroup of a group that is there."""
    return ServiceError("ResourceAlreadyExistsException", "The specified log group already exists")


def stream_exists() -> ServiceError:
    """CreateLogStream of a stream that is there."""
    return ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists")


def invalid_parameter(message: str) -> ServiceError:
    """The request is wrong."""
    return ServiceError("InvalidParameterException", message)


def invalid_token() -> ServiceError:
    """The token is not one of ours."""
    return invalid_parameter("The specified nextToken is invalid.")
