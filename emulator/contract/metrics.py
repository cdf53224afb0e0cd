"""Metric definitions: regular expressions over the log become numbers.

Source: "Define training metrics"; FinalMetricDataList as seen in Describe answers. The dialect and
what several matches on a line mean are unconfirmed: Python's syntax, and every match counts.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import regex as expressions

from ..errors import ValidationError

# A definition that backtracks for ever must not hold up the job's log.
_SECONDS_PER_LINE: Final = 0.5
_MOST_TIMEOUTS: Final = 3


@dataclass(frozen=True)
class MetricDefinition:
    """One entry of AlgorithmSpecification.MetricDefinitions."""

    name: str
    regex: str

    @classmethod
    def parse(cls, document: Mapping[str, str]) -> MetricDefinition:
        """Read one MetricDefinitions entry."""
        return cls(name=document["Name"], regex=document["Regex"])

    @cached_property
    def pattern(self) -> expressions.Pattern[str]:
        """The compiled expression.

        Raises:
            ValidationError: it is no regular expression.
        """
        try:
            return expressions.compile(self.regex)
        except (expressions.error, ValueError) as error:  # ValueError: flags that exclude each other
            raise ValidationError(
                f"Invalid regular expression for the metric {self.name!r}: {self.regex!r}: {error}"
            ) from error

    def values(self, line: str) -> Iterator[float]:
        """Yield the first group of every match on the line that reads as a finite number.

        A definition without a group yields nothing, as on the service there is nothing to take.

        Raises:
            TimeoutError: the expression backtracks, or calls itself, for ever on this line.
        """
        if not self.pattern.groups:
            return
        try:
            matches = [match[1] for match in self.pattern.finditer(line, timeout=_SECONDS_PER_LINE)]
        except MemoryError:  # how `regex` ends a recursion without end, often before the time is over
            raise TimeoutError from None
        for text in matches:
            try:
                value = float(text)
            except (TypeError, ValueError):
                continue
            if math.isfinite(value):
                yield value


@dataclass(frozen=True, kw_only=True)
class MetricValue:
    """One number found in the log; the time is in epoch seconds."""

    name: str
    value: float
    timestamp: float


class MetricScanner:
    """Finds the metrics of one job in its log, line by line.

    A definition that took too long on several lines is given up: the log, and with it the end of the
    job, must not wait for it.
    """

    def __init__(self, definitions: Iterable[MetricDefinition]) -> None:
        self._timeouts = dict.fromkeys(definitions, 0)

    def scan(self, line: str, timestamp: float) -> list[MetricValue]:
        """Return what the definitions find on one log line."""
        found: list[MetricValue] = []
        for definition, timeouts in self._timeouts.items():
            if timeouts == _MOST_TIMEOUTS:
                continue
            try:
                values = list(definition.values(line))
            except TimeoutError:
                self._timeouts[definition] += 1
                continue
            found += [MetricValue(name=definition.name, value=value, timestamp=timestamp) for value in values]
        return found


def final_metric_data(
    definitions: Iterable[MetricDefinition], last_values: Mapping[str, MetricValue]
) -> list[dict[str, Any]]:
    """Return FinalMetricDataList: the last value of each metric that was seen, in definition order.

    Values are 32-bit floats and times whole seconds, as the service gives them.
    """
    names = dict.fromkeys(definition.name for definition in definitions)
    return [
        {
            "MetricName": name,
            "Value": float32(last_values[name].value),
            "Timestamp": int(last_values[name].timestamp),
        }
        for name in names
        if name in last_values
    ]


def float32(value: float) -> float:
    """Return the nearest 32-bit float; one out of its range becomes the largest there is."""
    largest: float = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
    narrowed: float = struct.unpack("<f", struct.pack("<f", max(-largest, min(largest, value))))[0]
    return narrowed
