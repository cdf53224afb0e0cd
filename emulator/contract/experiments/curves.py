"""Curves that are short enough to be drawn: which of many values tell their shape.

Ours; the service has nothing like it. Values fall into stretches of equal length in the order in which they came, and
the smallest and the largest of each stretch are kept, and both ends. So no peak is lost, and nothing is invented.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .metric_summary import MetricPoint, MetricSummary

LEAST: Final = 4
"""Both ends, the smallest and the largest value: with fewer, something must be missing."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Values of one metric in the order in which they came, and the summary of all it has."""

    summary: MetricSummary
    numbers: Sequence[int]
    """The place of each of `points` among all values."""
    points: Sequence[MetricPoint]


def stretch_count(most: int) -> int:
    """Return into how many stretches values are divided, of which at most `most` are to be kept."""
    return (max(most, LEAST) - 2) // 2


def kept(values: Sequence[float], most: int) -> list[int]:
    """Return the places of the values to draw, in order: at most `most`, or `LEAST` if that is more.

    What is no number (NaN) is neither small nor large, and is kept at the ends only.
    """
    count = len(values)
    if count <= max(most, LEAST):
        return list(range(count))
    stretches = stretch_count(most)
    places = {0, count - 1}
    for stretch in range(stretches):
        inside = range(-(-stretch * count // stretches), -(-(stretch + 1) * count // stretches))
        numbers = [place for place in inside if values[place] == values[place]]
        if numbers:
            places |= {min(numbers, key=values.__getitem__), max(numbers, key=values.__getitem__)}
    return sorted(places)
