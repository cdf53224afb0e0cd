"""What clients may write to log groups below /aws/sagemaker/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..contract import log_groups
from ..contract.arns import Scope
from ..contract.log_groups import invalid_parameter
from ..errors import ServiceError
from ..runtime import Emulator

Document = dict[str, Any]


def create_log_group(emulator: Emulator, scope: Scope, group: str, request: Mapping[str, Any]) -> Document:
    """Make a group."""
    ignored = sorted(set(request) - {"logGroupName"} - ({"logGroupClass"} if _is_standard(request) else set()))
    if ignored:
        raise ServiceError(
            "UnsupportedOperationException",
            f"Not emulated for log groups below {log_groups.PREFIX}: {', '.join(ignored)} of CreateLogGroup.",
        )
    emulator.logs.create_group(scope, group)
    return {}


def create_log_stream(emulator: Emulator, scope: Scope, group: str, request: Mapping[str, Any]) -> Document:
    """Make an empty stream."""
    emulator.logs.create_stream(scope, group, request["logStreamName"])
    return {}


def put_log_events(emulator: Emulator, scope: Scope, group: str, request: Mapping[str, Any]) -> Document:
    """Add events to a stream. Sequence tokens do not matter any more, on the service neither."""
    stream = request["logStreamName"]
    emulator.logs.stream(scope, group, stream)
    events = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
    accepted, rejected = _accepted(events, int(emulator.clock.now() * 1000))
    if accepted:
        emulator.logs.write(scope, group, stream, accepted)
    answer: Document = {"nextSequenceToken": sequence_token(emulator.logs.stream(scope, group, stream).size)}
    return {**answer, "rejectedLogEventsInfo": rejected} if rejected else answer


def delete_log_stream(emulator: Emulator, scope: Scope, group: str, request: Mapping[str, Any]) -> Document:
    """Delete a stream."""
    emulator.logs.delete_stream(scope, group, request["logStreamName"])
    return {}


def delete_log_group(emulator: Emulator, scope: Scope, group: str, _request: Mapping[str, Any]) -> Document:
    """Delete a group with its streams."""
    emulator.logs.delete_group(scope, group)
    return {}


def sequence_token(size: int) -> str:
    """Return what older clients send back with their next PutLogEvents; nothing depends on it."""
    return f"{size:056d}"


def _accepted(events: Sequence[tuple[int, str]], now: int) -> tuple[list[tuple[int, str]], dict[str, int]]:
    """Return the events whose time is acceptable, and what rejectedLogEventsInfo says of the others.

    Raises:
        ServiceError: there are too many at once, or they are not in order of time.
    """
    size = sum(len(message.encode(errors="surrogatepass")) + log_groups.EVENT_OVERHEAD for _, message in events)
    if size > log_groups.LARGEST_BATCH:
        raise invalid_parameter(f"Upload too large: {size} bytes exceeds limit of {log_groups.LARGEST_BATCH}")
    times = [timestamp for timestamp, _ in events]
    if times != sorted(times):
        raise invalid_parameter("Log events in a single PutLogEvents request must be in chronological order.")
    start = sum(timestamp < now - log_groups.OLDEST_ACCEPTED_MS for timestamp in times)
    stop = sum(timestamp <= now + log_groups.NEWEST_ACCEPTED_MS for timestamp in times)
    rejected = {}
    if start:
        rejected["tooOldLogEventEndIndex"] = start
    if stop < len(events):
        rejected["tooNewLogEventStartIndex"] = stop
    return list(events[start:stop]), rejected


def _is_standard(request: Mapping[str, Any]) -> bool:
    return request.get("logGroupClass") == "STANDARD"
