"""What must hold after a job, and which of it does not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Self

from ..contract.status import JobStatus

# FinalMetricDataList holds 32-bit floats: 0.9 arrives as 0.89999998.
_PRECISION: Final = 1e-6
_LONGEST_LIST: Final = 10

_COMPARISONS: Final[Mapping[str, Callable[[float, float, bool], bool]]] = {
    ">=": lambda found, bound, same: same or found > bound,
    "<=": lambda found, bound, same: same or found < bound,
    "==": lambda _found, _bound, same: same,
    "!=": lambda _found, _bound, same: not same,
    ">": lambda found, bound, same: found > bound and not same,
    "<": lambda found, bound, same: found < bound and not same,
}
_COMPARISON: Final = re.compile(r"\s*(>=|<=|==|!=|>|<)?\s*([-+]?\.?\d[\d.e+-]*)\s*", re.IGNORECASE)
_EXIT_CODE: Final = re.compile(r"exit code: (\d+)$")


@dataclass(frozen=True)
class Comparison:
    """A bound for a metric's final value, such as `>= 0.9`; equal means equal as 32-bit floats."""

    operator: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `>= 0.9`, `== 1` or a plain number, which must be met.

        Raises:
            ValueError: it is none of these.
        """
        match = _COMPARISON.fullmatch(text)
        if match is None:
            raise ValueError(f"no comparison: {text!r}")
        return cls(match[1] or "==", float(match[2]))

    def holds(self, found: float) -> bool:
        """Tell whether a value meets the bound."""
        same = math.isclose(found, self.bound, rel_tol=_PRECISION)
        return _COMPARISONS[self.operator](found, self.bound, same)

    def __str__(self) -> str:
        return f"{self.operator} {self.bound:g}"


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """The `expect` part of a job file. What is None or empty is not looked at.

    `model` and `output` name files of the archives, `*` and `?` allowed; an empty tuple means that there
    must be no file at all.
    """

    status: JobStatus = JobStatus.COMPLETED
    failure: re.Pattern[str] | None = None
    exit_code: int | None = None
    model: tuple[str, ...] | None = None
    output: tuple[str, ...] | None = None
    metrics: Mapping[str, Comparison] = field(default_factory=dict)
    logs: tuple[re.Pattern[str], ...] = ()
    max_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a job that has ended left. `model` and `output` are the files in the archives; None: no archive."""

    description: Mapping[str, Any]
    log_lines: Sequence[str]
    model: Collection[str] | None
    output: Collection[str] | None
    seconds: float


def unmet(expected: Expectations, facts: Facts) -> list[str]:
    """Return one sentence for everything that does not hold."""
    return [
        *_status(expected, facts),
        *_failure(expected, facts),
        *_exit_code(expected, facts),
        *_archive("model", expected.model, facts.model),
        *_archive("output", expected.output, facts.output),
        *_metrics(expected.metrics, final_metrics(facts.description)),
        *_logs(expected.logs, facts.log_lines),
        *_seconds(expected.max_seconds, facts.seconds),
    ]


def final_metrics(description: Mapping[str, Any]) -> dict[str, float]:
    """Return the final metrics of a Describe answer by name."""
    return {one["MetricName"]: one["Value"] for one in description.get("FinalMetricDataList", ())}


def exit_code(description: Mapping[str, Any]) -> int | None:
    """Return the exit code a Describe answer tells of: 0 when Completed, else the end of FailureReason."""
    if description["TrainingJobStatus"] == JobStatus.COMPLETED:
        return 0
    match = _EXIT_CODE.search(description.get("FailureReason", ""))
    return int(match[1]) if match else None


def _status(expected: Expectations, facts: Facts) -> Iterator[str]:
    found = facts.description["TrainingJobStatus"]
    if found != expected.status:
        reason = facts.description.get("FailureReason")
        yield f"status: expected {expected.status.value}, found {found}{f' ({reason})' if reason else ''}."


def _failure(expected: Expectations, facts: Facts) -> Iterator[str]:
    found = facts.description.get("FailureReason", "")
    if expected.failure is not None and not expected.failure.search(found):
        what = repr(found) if found else "no failure reason"
        yield f"failure: expected a reason that matches {expected.failure.pattern!r}, found {what}."


def _exit_code(expected: Expectations, facts: Facts) -> Iterator[str]:
    found = exit_code(facts.description)
    if expected.exit_code is not None and found != expected.exit_code:
        yield f"exit_code: expected {expected.exit_code}, found {'none' if found is None else found}."


def _archive(name: str, expected: Sequence[str] | None, found: Collection[str] | None) -> Iterator[str]:
    archive = f"{name}.tar.gz"
    if expected is None:
        return
    if not expected and found:
        yield f"{name}: expected no file, found {_listed(found)} in {archive}."
    for wanted in expected:
        if found is None:
            yield f"{name}: expected {wanted} in {archive}, found no {archive}."
        elif wanted not in found and not any(fnmatchcase(one, wanted) for one in found):
            yield f"{name}: expected {wanted} in {archive}, found {_listed(found)}."


def _metrics(expected: Mapping[str, Comparison], found: Mapping[str, float]) -> Iterator[str]:
    for name, comparison in expected.items():
        if name not in found:
            yield f"metrics: expected {name} {comparison}, found no such metric; there is {_listed(found)}."
        elif not comparison.holds(found[name]):
            yield f"metrics: expected {name} {comparison}, found {found[name]:.7g}."


def _logs(expected: Sequence[re.Pattern[str]], found: Sequence[str]) -> Iterator[str]:
    for pattern in expected:
        if not any(pattern.search(line) for line in found):
            yield f"logs: expected a line that matches {pattern.pattern!r}, found none among {len(found)}."


def _seconds(expected: float | None, found: float) -> Iterator[str]:
    if expected is not None and found > expected:
        yield f"max_seconds: expected at most {expected:g} s from creation to end, found {found:.1f} s."


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_LONGEST_LIST])
    more = len(names) - _LONGEST_LIST
    return (f"{shown} and {more} more" if more > 0 else shown) or "nothing"
