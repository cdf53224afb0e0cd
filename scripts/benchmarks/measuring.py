"""Medians of alternating measurements, and the table that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from textwrap import shorten
from typing import Final

# Takes one measurement and returns it in seconds.
Measure = Callable[[], float]

_HEADINGS: Final = ("benchmark", "ours", "baseline", "ratio", "target", "met")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: seconds, or the reason why there are none."""

    name: str
    ours: float | None = None
    baseline: float | None = None
    baseline_name: str = ""
    ratio_target: float | None = None
    seconds_target: float | None = None
    not_measured: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        if self.ours is None:
            return self.name, f"not measured: {shorten(self.not_measured, 200)}", "", "", self._target, ""
        baseline = f"{self.baseline:.3f} s ({self.baseline_name})" if self.baseline is not None else ""
        ratio = f"{self._ratio:.2f}" if self._ratio is not None else ""
        return self.name, f"{self.ours:.3f} s", baseline, ratio, self._target, self._met

    @property
    def _ratio(self) -> float | None:
        return self.ours / self.baseline if self.ours is not None and self.baseline else None

    @property
    def _target(self) -> str:
        if self.ratio_target is not None:
            return f"ratio <= {self.ratio_target:g}"
        return f"<= {self.seconds_target:g} s" if self.seconds_target is not None else ""

    @property
    def _met(self) -> str:
        if self.ratio_target is not None and self._ratio is not None:
            return "yes" if self._ratio <= self.ratio_target else "no"
        if self.seconds_target is not None and self.ours is not None:
            return "yes" if self.ours <= self.seconds_target else "no"
        return ""


def medians(rounds: int, *measures: Measure) -> list[float]:
    """Return the median of each, taken in turn (A B A B), so that a machine that slows down slows all alike.

    One round goes before and does not count: caches are as full for the first as for the last.
    """
    for measure in measures:
        measure()
    taken = [[measure() for measure in measures] for _ in range(rounds)]
    return [median(one) for one in zip(*taken, strict=True)]


def text_table(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    lines = [_HEADINGS, *(row.cells for row in rows)]
    # What was not measured says why, at a length of its own.
    measured = [line for line in lines if not line[1].startswith("not measured")]
    widths = [max(len(line[column]) for line in measured) for column in range(len(_HEADINGS))]
    widths[0] = max(len(line[0]) for line in lines)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def markdown_table(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    lines = [_HEADINGS, tuple("---" for _ in _HEADINGS), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
