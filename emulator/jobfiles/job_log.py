"""Reads a job's log events from CloudWatch Logs, each once and in order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..contract.kinds import TRAINING, JobKind
from .events import LogLine

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


class JobLogReader:
    """The log of one job so far. Each `read` returns what was added since the last one."""

    def __init__(self, logs: CloudWatchLogsClient, job_name: str, created: datetime, kind: JobKind = TRAINING) -> None:
        """`created` tells the job's streams from those of a deleted job of the same name."""
        self._logs = logs
        self._group = kind.log_group
        self._prefix = f"{job_name}/"
        self._created = int(created.timestamp())
        self._tokens: dict[str, str] = {}

    def read(self) -> list[LogLine]:
        """Return new lines, those of several hosts in the order of their time."""
        lines = [line for stream in self._streams() for line in self._new_lines(stream)]
        return sorted(lines, key=lambda line: line.time)

    def _streams(self) -> list[str]:
        """Return the names of the job's streams; none before its first line."""
        pages = self._logs.get_paginator("describe_log_streams").paginate(
            logGroupName=self._group, logStreamNamePrefix=self._prefix
        )
        try:
            names = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
        except self._logs.exceptions.ResourceNotFoundException:
            return []
        return [name for name in names if _started(name) >= self._created]

    def _new_lines(self, stream: str) -> list[LogLine]:
        host = stream.removeprefix(self._prefix).rpartition("-")[0]
        lines: list[LogLine] = []
        while events := self._next_page(stream):
            lines += [
                LogLine(
                    host=host,
                    time=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
                    message=event["message"],
                )
                for event in events
            ]
        return lines

    def _next_page(self, stream: str) -> list[Any]:
        if stream in self._tokens:
            page = self._logs.get_log_events(
                logGroupName=self._group, logStreamName=stream, startFromHead=True, nextToken=self._tokens[stream]
            )
        else:
            page = self._logs.get_log_events(logGroupName=self._group, logStreamName=stream, startFromHead=True)
        if page["events"]:
            self._tokens[stream] = page["nextForwardToken"]
        return page["events"]


def _started(stream: str) -> int:
    """Return the epoch seconds at the end of a stream's name."""
    end = stream.rpartition("-")[2]
    return int(end) if end.isdigit() else 0
