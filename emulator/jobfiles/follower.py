"""Tells what happens to a job, as Describe, its log and its progress show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from ..contract.kinds import PROCESSING, JobKind
from ..contract.status import JobStatus, SecondaryStatus, is_terminal, status_of
from .clients import Clients
from .events import Event, OnEvent, StatusEntered, StatusLeft
from .job_log import JobLogReader
from .report import stages_of

_MOVING: Final = (SecondaryStatus.DOWNLOADING, SecondaryStatus.UPLOADING, JobStatus.IN_PROGRESS)
# A processing job has no secondary status; what it waits for can be told by whether it has a ProcessingStartTime.
_PREPARING: Final = "Its input data and its image are brought"
_PROCESSING: Final = "Its containers run"


class Follower:
    """Looks at a job again and again, and tells what is new."""

    def __init__(self, clients: Clients, kind: JobKind, name: str, on_event: OnEvent) -> None:
        self.log_lines: list[str] = []
        self.description: Mapping[str, Any] = {}
        self._clients = clients
        self._kind = kind
        self._name = name
        self._tell = on_event
        self._log: JobLogReader | None = None
        self._entered: list[tuple[str, str]] = []
        self._left = 0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come: the status is final and the whole log was read."""
        return bool(self.description) and is_terminal(self.description)

    @property
    def status(self) -> str:
        """What the job is at, for messages."""
        secondary = self.description.get("SecondaryStatus")
        return ", ".join(one for one in (status_of(self.description), secondary) if one)

    def look(self) -> bool:
        """Tell what has happened since the last look, and whether that was anything."""
        description, lines = self._seen()
        statuses = self._processing(description) if self._kind is PROCESSING else self._training(description)
        news = sorted([*statuses, *lines], key=lambda one: one[0])
        for _, event in news:
            self._tell(event)
        self.description = description
        if not self.has_ended:
            self._tell_progress(description.get("SecondaryStatus", status_of(description)), description)
        return bool(news)

    def _seen(self) -> tuple[Mapping[str, Any], list[tuple[datetime, Event]]]:
        """Return what Describe answers, and the new log lines, none of which is of a status that was entered later.

        The log is read after the status, so that a status that is final has its whole log.
        """
        description = self._clients.describe(self._name, self._kind)
        lines = list(self._lines(description))
        while lines and not is_terminal(description):
            now = self._clients.describe(self._name, self._kind)
            if _stages(now) == _stages(description):
                break
            description = now
            lines += self._lines(description)
        return description, lines

    def _lines(self, description: Mapping[str, Any]) -> Iterator[tuple[datetime, Event]]:
        """Yield new log lines."""
        self._log = self._log or JobLogReader(self._clients.logs, self._name, description["CreationTime"], self._kind)
        for line in self._log.read():
            self.log_lines.append(line.message)
            yield line.time, line

    def _training(self, description: Mapping[str, Any]) -> Iterator[tuple[datetime, Event]]:
        """Yield every secondary status that was entered or left since the last look, also quick ones."""
        stages = stages_of(description)
        transitions = description["SecondaryStatusTransitions"]
        for number, stage in enumerate(stages[self._left :], self._left):
            yield from self._entry(transitions[number])
            yield transitions[number]["EndTime"], StatusLeft(status=stage.status, seconds=stage.seconds)
        self._left = len(stages)
        yield from self._entry(transitions[-1])

    def _entry(self, transition: Mapping[str, Any]) -> Iterator[tuple[datetime, Event]]:
        """Yield that a status was entered, or has another message, unless that was told last."""
        entered = (transition["Status"], transition.get("StatusMessage", ""))
        if entered not in self._entered[-1:]:
            yield transition["StartTime"], self._enter(*entered)

    def _processing(self, description: Mapping[str, Any]) -> Iterator[tuple[datetime, Event]]:
        """Yield what a processing job has come to, also what it has left behind since the last look."""
        status = status_of(description)
        reached = [(description["CreationTime"], JobStatus.IN_PROGRESS.value, _PREPARING)]
        if "ProcessingStartTime" in description:
            reached.append((description["ProcessingStartTime"], JobStatus.IN_PROGRESS.value, _PROCESSING))
        if status != JobStatus.IN_PROGRESS:
            reached.append((description.get("ProcessingEndTime", description["LastModifiedTime"]), status, ""))
        for time, *entered in reached:
            if tuple(entered) not in self._entered:
                yield time, self._enter(*entered)

    def _enter(self, status: str, message: str) -> StatusEntered:
        self._entered.append((status, message))
        return StatusEntered(status=status, message=message)

    def _tell_progress(self, status: str, description: Mapping[str, Any]) -> None:
        """Tell how far data has come, in the stages that move some."""
        moved = self._clients.progress(description[self._kind.arn_member]) if status in _MOVING else None
        if moved is not None:
            self._tell(moved)


def _stages(description: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what of a description changes when a job comes to another stage."""
    transitions = description.get("SecondaryStatusTransitions", ())
    entered = [(one["Status"], one.get("StatusMessage")) for one in transitions]
    return status_of(description), "ProcessingStartTime" in description, entered
