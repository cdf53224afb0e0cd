"""What must hold after a job, and which of it does not."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Self

from ..contract.status import JobStatus, status_of

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
COMPARISON_PATTERN: Final = r"\s*(>=|<=|==|!=|>|<)?\s*([-+]?\.?\d[\d.eE+-]*)\s*"
_COMPARISON: Final = re.compile(COMPARISON_PATTERN)
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

    `model` and `output` name files of a training job's archives, `outputs` those below the S3Uri of a processing
    job's outputs, `objects` those below any S3 URI; `*` and `?` are allowed, and an empty tuple means that there must
    be no file at all.
    """

    status: JobStatus = JobStatus.COMPLETED
    failure: re.Pattern[str] | None = None
    exit_code: int | None = None
    exit_message: re.Pattern[str] | None = None
    model: tuple[str, ...] | None = None
    output: tuple[str, ...] | None = None
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metrics: Mapping[str, Comparison] = field(default_factory=dict)
    logs: tuple[re.Pattern[str], ...] = ()
    max_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a job that has ended left.

    `artifacts` are the files of what it made by name: `model` and `output` for a training job's archives, where it
    made them; the OutputNames of a processing job. `objects` are the names below the S3 URIs that are expected.
    """

    description: Mapping[str, Any]
    log_lines: Sequence[str]
    artifacts: Mapping[str, Collection[str]]
    seconds: float
    objects: Mapping[str, Collection[str]] = field(default_factory=dict)


def unmet(expected: Expectations, facts: Facts) -> list[str]:
    """Return one sentence for everything that does not hold."""
    return [
        *_status(expected, facts),
        *_failure(expected, facts),
        *_exit_code(expected, facts),
        *_exit_message(expected, facts),
        *_archive("model", expected.model, facts.artifacts),
        *_archive("output", expected.output, facts.artifacts),
        *_outputs(expected.outputs, facts.artifacts),
        *_objects(expected.objects, facts.objects),
        *_metrics(expected.metrics, final_metrics(facts.description)),
        *_logs(expected.logs, facts.log_lines),
        *_seconds(expected.max_seconds, facts.seconds),
    ]


def final_metrics(description: Mapping[str, Any]) -> dict[str, float]:
    """Return the final metrics of a Describe answer by name."""
    return {one["MetricName"]: one["Value"] for one in description.get("FinalMetricDataList", ())}


def exit_code(description: Mapping[str, Any]) -> int | None:
    """Return the exit code a Describe answer tells of: 0 when Completed, else the end of FailureReason."""
    if status_of(description) == JobStatus.COMPLETED:
        return 0
    match = _EXIT_CODE.search(description.get("FailureReason", ""))
    return int(match[1]) if match else None


def _status(expected: Expectations, facts: Facts) -> Iterator[str]:
    found = status_of(facts.description)
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


def _exit_message(expected: Expectations, facts: Facts) -> Iterator[str]:
    found = facts.description.get("ExitMessage", "")
    if expected.exit_message is not None and not expected.exit_message.search(found):
        what = repr(found) if found else "none"
        yield f"exit_message: expected one that matches {expected.exit_message.pattern!r}, found {what}."


def _archive(name: str, expected: Sequence[str] | None, artifacts: Mapping[str, Collection[str]]) -> Iterator[str]:
    archive = f"{name}.tar.gz"
    if expected is None:
        return
    if expected and name not in artifacts:
        yield from (f"{name}: expected {wanted} in {archive}, found no {archive}." for wanted in expected)
    else:
        yield from _files(name, expected, artifacts.get(name, ()), f" in {archive}")


def _outputs(expected: Mapping[str, Sequence[str]], artifacts: Mapping[str, Collection[str]]) -> Iterator[str]:
    for name, files in expected.items():
        yield from _files(f"outputs.{name}", files, artifacts.get(name, ()), "")


def _objects(expected: Mapping[str, Sequence[str]], found: Mapping[str, Collection[str]]) -> Iterator[str]:
    for uri, names in expected.items():
        yield from _files(f"objects.{uri}", names, found.get(uri, ()), "")


def _files(name: str, expected: Sequence[str], found: Collection[str], where: str) -> Iterator[str]:
    if not expected and found:
        yield f"{name}: expected no file, found {_listed(found)}{where}."
    for wanted in expected:
        if wanted not in found and not any(fnmatchcase(one, wanted) for one in found):
            yield f"{name}: expected {wanted}{where}, found {_listed(found)}."


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
