"""CloudWatch Logs for the groups below /aws/sagemaker/; every other group is moto's.

Those groups are one kind, whoever writes: what the platform publishes and what a client puts there is in the
same files, so nothing of either is lost. Operations on them that are not here are refused by name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from ..contract import log_groups
from ..contract.arns import Scope
from ..contract.log_filter import LineFilter
from ..contract.log_groups import LARGEST_PAGE, invalid_parameter, invalid_token
from ..contract.log_pages import MOST_EVENTS, EventQuery, LogStream, read_token
from ..errors import ServiceError, ValidationError
from ..runtime import Emulator
from . import log_writes, service_model
from .caller import Caller
from .wire import json_answer, json_error

Document = dict[str, Any]
Operation = Callable[[Emulator, Scope, str, Mapping[str, Any]], Document]

TARGET_PREFIX: Final = "Logs_20140328."

# Where a request can name groups, by name or ARN.
_GROUP_MEMBERS: Final = (
    "logGroupName",
    "logGroupIdentifier",
    "logGroupNames",
    "logGroupIdentifiers",
    "resourceArn",
    "resourceIdentifier",
)


def answer(emulator: Emulator, request: Request, caller: Caller) -> Response | None:
    """Answer a request about our groups; None when it is about others."""
    operation = request.headers.get("X-Amz-Target", "").removeprefix(TARGET_PREFIX)
    document = _document(request)
    named = [log_groups.group_name(name) for name in _named(document)]
    if operation != "DescribeLogGroups" and not any(name.startswith(log_groups.PREFIX) for name in named):
        return None
    try:
        return json_answer(_performed(emulator, caller.scope, operation, named, document))
    except ServiceError as error:
        return json_error(error)


def _performed(emulator: Emulator, scope: Scope, operation: str, named: list[str], document: Document) -> Document:
    if operation == "DescribeLogGroups":
        return describe_log_groups(emulator, scope, _validated(operation, document))
    perform = _OPERATIONS.get(operation)
    if perform is None:
        raise ServiceError(
            "UnsupportedOperationException", f"{operation} is not emulated for log groups below {log_groups.PREFIX}."
        )
    request = _validated(operation, document)
    if len(named) > 1:
        raise invalid_parameter("Use either logGroupName or logGroupIdentifier, not both.")
    return perform(emulator, scope, named[0], request)


def describe_log_groups(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return the groups of both sides, by name."""
    for member in ("accountIdentifiers", "includeLinkedAccounts", "logGroupIdentifiers"):
        if request.get(member):
            raise ServiceError(
                "UnsupportedOperationException", f"{member} of DescribeLogGroups is not emulated. Use a name's prefix."
            )
    prefix, pattern = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
    if prefix and pattern:
        raise invalid_parameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    ours = [
        {
            "logGroupName": group.name,
            "logGroupArn": log_groups.group_arn(scope, group.name),
            "arn": f"{log_groups.group_arn(scope, group.name)}:*",
            "creationTime": group.created,
            "metricFilterCount": 0,
            "storedBytes": group.size,
            "logGroupClass": "STANDARD",
        }
        for group in emulator.logs.groups(scope)
    ]
    named = {
        group["logGroupName"]: group
        for group in [*emulator.services.log_groups(scope), *ours]
        if request.get("logGroupClass") in (None, group.get("logGroupClass", "STANDARD"))
    }
    names = sorted(name for name in named if name.startswith(prefix) and pattern in name)
    if "nextToken" in request:
        (after,) = _token_values(request["nextToken"], "groups", str)
        names = [name for name in names if name > after]
    limit = request.get("limit", LARGEST_PAGE)
    answer: Document = {"logGroups": [named[name] for name in names[:limit]]}
    if len(names) > limit:
        answer["nextToken"] = _token("groups", names[limit - 1])
    return answer


def describe_log_streams(emulator: Emulator, scope: Scope, group: str, request: Mapping[str, Any]) -> Document:
    """Return the streams of a group. A token is there only if there are more: the SDK V2 asks again while it is."""
    emulator.logs.require_group(scope, group)
    prefix, token = request.get("logStreamNamePrefix", ""), request.get("nextToken")
    limit, descending = request.get("limit", LARGEST_PAGE), request.get("descending", False)
    by_name = request.get("orderBy", "LogStreamName") == "LogStreamName"
    if by_name:
        (name,) = _token_values(token, "streams", str) if token is not None else (None,)
        found = emulator.logs.streams_by_name(
            scope, group, prefix=prefix, after=name, descending=descending, limit=limit + 1
        )
    else:
        if prefix:
            raise invalid_parameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
        after = _token_values(token, "events", int, str) if token is not None else None
        found = emulator.logs.streams_by_last_event(scope, group, after=after, descending=descending, limit=limit + 1)
    answer: Document = {"logStreams": [_shown(scope, stream) for stream in found[:limit]]}
    if len(found) > limit:
        last = found[limit - 1]
        answer["nextToken"] = (
            _token("streams", last.name) if by_name else _token("events", last.last_event or 0, last.name)
        )
    return answer


def get_log_events(emulator: Emulator, scope: Scope, group: str, request: Mapping[str, Any]) -> Document:
    """Return one page of a stream."""
    stream = emulator.logs.stream(scope, group, request["logStreamName"])
    forward, place = read_token(request["nextToken"]) if "nextToken" in request else (None, None)
    query = EventQuery(
        start_time=request.get("startTime", 0),
        end_time=request.get("endTime"),
        limit=request.get("limit", MOST_EVENTS),
        forward=request.get("startFromHead", False) if forward is None else forward,
        place=place,
    )
    with emulator.logs.reader(scope, stream) as reader:
        page, events = reader.page(query)
    return {
        "events": [
            {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}
            for event in events
        ],
        "nextForwardToken": page.forward_token,
        "nextBackwardToken": page.backward_token,
    }


def filter_log_events(emulator: Emulator, scope: Scope, group: str, request: Mapping[str, Any]) -> Document:
    """Return the events of a group, or of some of its streams, that match a pattern."""
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        raise invalid_parameter("Only one of logStreamNames and logStreamNamePrefix can be specified.")
    if not request.get("startFromHead", True):
        raise ServiceError("UnsupportedOperationException", "startFromHead=false of FilterLogEvents is not emulated.")
    events, token = emulator.logs.filter(
        scope,
        group,
        names=names,
        prefix=prefix or "",
        matches=LineFilter.parse(request.get("filterPattern", "")).matches,
        start_time=request.get("startTime", 0),
        end_time=request.get("endTime"),
        limit=request.get("limit", MOST_EVENTS),
        token=request.get("nextToken"),
    )
    answer: Document = {
        "events": [
            {
                "logStreamName": found.stream.name,
                "timestamp": found.event.timestamp,
                "message": found.event.message,
                "ingestionTime": found.event.ingested,
                "eventId": found.id,
            }
            for found in events
        ],
        "searchedLogStreams": [],  # as the service has answered since 2020
    }
    return answer if token is None else {**answer, "nextToken": token}


_OPERATIONS: Final[dict[str, Operation]] = {
    "DescribeLogStreams": describe_log_streams,
    "GetLogEvents": get_log_events,
    "FilterLogEvents": filter_log_events,
    "CreateLogGroup": log_writes.create_log_group,
    "CreateLogStream": log_writes.create_log_stream,
    "PutLogEvents": log_writes.put_log_events,
    "DeleteLogStream": log_writes.delete_log_stream,
    "DeleteLogGroup": log_writes.delete_log_group,
}


def _shown(scope: Scope, stream: LogStream) -> Document:
    shown: Document = {
        "logStreamName": stream.name,
        "arn": log_groups.stream_arn(scope, stream.group, stream.name),
        "creationTime": stream.created,
        "storedBytes": 0,  # as the service has answered for every stream since 2019
    }
    if stream.last_event is not None:
        shown |= {
            "firstEventTimestamp": stream.first_event,
            "lastEventTimestamp": stream.last_event,
            "lastIngestionTime": stream.last_ingested,
            "uploadSequenceToken": log_writes.sequence_token(stream.size),
        }
    return shown


def _document(request: Request) -> Document:
    """Return the request's JSON object; an empty one if it has none, which names no group of ours."""
    try:
        document = json.loads(request.get_data(cache=True) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _named(document: Mapping[str, Any]) -> Iterator[str]:
    for member in _GROUP_MEMBERS:
        value = document.get(member)
        yield from (name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str))


def _validated(operation: str, document: Document) -> Document:
    """Return the request if it satisfies the service model.

    Raises:
        ServiceError: it does not; this service says InvalidParameterException.
    """
    try:
        request = service_model.validated(operation, document, "logs")
    except ValidationError as error:
        raise invalid_parameter(error.message) from error
    for member in ("logStreamName", "logStreamNamePrefix", "logGroupName"):
        if not _is_text(request.get(member, "")):
            raise invalid_parameter(f"{member} has code units that are no characters.")
    return request


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _token(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def _token_values(token: str, kind: str, *types: type) -> list[Any]:
    """Return the values of one of our tokens.

    Raises:
        ServiceError: it is none.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != len(types) + 1 or values.pop(0) != kind:
        raise invalid_token()
    for value, wanted in zip(values, types, strict=True):
        if not isinstance(value, wanted) or (isinstance(value, str) and not _is_text(value)):
            raise invalid_token()
        if isinstance(value, int) and not 0 <= value < 2**63:
            raise invalid_token()
    return values
