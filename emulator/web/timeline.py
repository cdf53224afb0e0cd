"""What a job went through, step by step, as a graphic list shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract import processing_status
from ..contract.kinds import TRAINING
from ..contract.record import JobRecord
from ..contract.status import is_terminal


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: times in epoch seconds, its place on a line of length 1 from the creation to the end or to now.

    The last step of a job that has ended is its end: it takes no time.
    """

    name: str
    message: str
    started: float
    seconds: float
    offset: float
    share: float
    is_running: bool
    is_end: bool


def steps_of(record: JobRecord, now: float) -> list[Step]:
    """Return the steps of a job in order; the last one goes on until `now` unless the job has ended."""
    if record.kind is TRAINING:
        found = list(record.facts["SecondaryStatusTransitions"])
    else:
        found = list(processing_status.steps(record.facts))
    ended = is_terminal(record.facts)
    first = found[0]["StartTime"]
    whole = max((found[-1]["StartTime"] if ended else now) - first, 0.001)
    return [_step(found, number, first=first, whole=whole, now=now, ended=ended) for number in range(len(found))]


def _step(
    found: Sequence[Mapping[str, Any]], number: int, *, first: float, whole: float, now: float, ended: bool
) -> Step:
    one = found[number]
    is_last = number == len(found) - 1
    end = one.get("EndTime") or (now if is_last else found[number + 1]["StartTime"])
    seconds = max(end - one["StartTime"], 0.0)
    return Step(
        name=one["Status"],
        message=one.get("StatusMessage", ""),
        started=one["StartTime"],
        seconds=seconds,
        offset=min(max((one["StartTime"] - first) / whole, 0.0), 1.0),
        share=min(seconds / whole, 1.0),
        is_running=is_last and not ended,
        is_end=is_last and ended,
    )
