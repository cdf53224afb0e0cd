"""Which log a page is about: streams of a group that begin alike, all or one of them, and the job that writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

from flask import abort

from ..contract.job import StreamName
from ..contract.kinds import KINDS, JobKind
from ..contract.log_pages import LogStream
from ..contract.record import JobRecord
from ..contract.status import is_terminal, status_of
from .scopes import emulator, scope

MOST_STREAMS: Final = 100
"""Streams in one view; each has two files open while a page is made."""


@dataclass(frozen=True, kw_only=True)
class LogChoice:
    """What is chosen, in the words of an address. `only` is one stream's whole name, or empty for all."""

    group: str
    prefix: str
    only: str
    record: JobRecord | None

    @classmethod
    def of(cls, wanted: Mapping[str, str]) -> Self:
        """Read it; a job's log needs only `group` and `prefix=JOB/`."""
        group, prefix, only = wanted.get("group", ""), wanted.get("prefix", ""), wanted.get("stream", "")
        if not group or not (prefix or only):
            abort(400, "A log is named by its group and a stream, or what streams begin with: ?group=...&prefix=JOB/")
        kind = kind_of_group(group)
        if kind is not None and prefix and "/" not in prefix:
            prefix += "/"  # a job's streams, not those of jobs whose names begin with its name
        job = (prefix or only).partition("/")[0]
        record = emulator().records.get(kind.arn(scope(), job)) if kind is not None else None
        return cls(group=group, prefix=prefix or only, only=only, record=record)

    @property
    def is_live(self) -> bool:
        """Whether a job that runs may add to it. To be asked before the lines are read, lest the last ones are lost."""
        return self.record is not None and not is_terminal(self.record.facts)

    @property
    def status(self) -> str:
        """The job's status; empty if the log is no job's."""
        return "" if self.record is None else status_of(self.record.facts)

    @property
    def name(self) -> str:
        """What the log is called."""
        return self.only or self.prefix.rstrip("/")

    @cached_property
    def streams(self) -> Sequence[LogStream]:
        """The streams to choose from, by name. Those of a deleted job that had the same name are none of them."""
        if self.prefix == self.only:
            return [emulator().logs.stream(scope(), self.group, self.only)]
        found = emulator().logs.streams_by_name(
            scope(), self.group, prefix=self.prefix, after=None, descending=False, limit=MOST_STREAMS + 1
        )
        created = 0 if self.record is None else int(self.record.facts["CreationTime"])
        return [stream for stream in found if _started(stream.name, created) >= created]

    @property
    def shown(self) -> Sequence[LogStream]:
        """The chosen streams."""
        return [stream for stream in self.streams[:MOST_STREAMS] if self.only in ("", stream.name)]

    @property
    def has_more(self) -> bool:
        """Whether there are more streams than are shown at once."""
        return len(self.streams) > MOST_STREAMS

    @cached_property
    def hosts(self) -> Mapping[str, str]:
        """What each stream is called here, by its name: the host, where that is enough to tell it from others."""
        ends = {one.name: one.name.removeprefix(self.prefix) or one.name for one in self.streams}
        parsed = {name: StreamName.parse(name) for name in ends}
        names = {name: ends[name] if one is None else one.host for name, one in parsed.items()}
        is_clear = kind_of_group(self.group) is not None and len(set(names.values())) == len(names)
        return names if is_clear else ends

    @property
    def address(self) -> dict[str, Any]:
        """What stands in the address of every page of this log."""
        chosen = {"group": self.group, "prefix": self.prefix, "stream": self.only}
        return {name: value for name, value in chosen.items() if value}


def kind_of_group(group: str) -> JobKind | None:
    """Return the kind of jobs whose logs are in a group."""
    return next((kind for kind in KINDS if kind.log_group == group), None)


def _started(stream: str, unknown: int) -> int:
    """Return the epoch seconds when the host of a stream was started."""
    named = StreamName.parse(stream)
    return unknown if named is None else named.started_at
