"""Medians of alternating measurements, and the table that they make."""

from __future__ import annotations

import time
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
    """One line of the table: what was measured (seconds, if no other unit is named), or why nothing was.

    A target is the most that may be measured, or the most of it beside the baseline, or how many times as
    fast as the baseline it must be.
    """

    name: str
    ours: float | None = None
    baseline: float | None = None
    baseline_name: str = ""
    unit: str = "s"
    most: float | None = None
    ratio_target: float | None = None
    speedup_target: float | None = None
    not_measured: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        if self.ours is None:
            return self.name, f"not measured: {shorten(self.not_measured, 200)}", "", "", self._target, ""
        baseline = f"{self._figure(self.baseline)} ({self.baseline_name})" if self.baseline is not None else ""
        return self.name, self._figure(self.ours), baseline, self._shown_ratio, self._target, self._met

    def _figure(self, value: float) -> str:
        return f"{value:.3f} s" if self.unit == "s" else f"{value:.1f} {self.unit}"

    @property
    def _ratio(self) -> float | None:
        return self.ours / self.baseline if self.ours is not None and self.baseline else None

    @property
    def _shown_ratio(self) -> str:
        if self._ratio is None:
            return ""
        return f"{self._ratio:.2f}" if self.speedup_target is None else f"{1 / self._ratio:.1f}x faster"

    @property
    def _target(self) -> str:
        if self.ratio_target is not None:
            return f"ratio <= {self.ratio_target:g}"
        if self.speedup_target is not None:
            return f">= {self.speedup_target:g}x faster"
        return f"<= {self.most:g} {self.unit}" if self.most is not None else ""

    @property
    def _met(self) -> str:
        checks = []
        if self._ratio is not None and self.ratio_target is not None:
            checks.append(self._ratio <= self.ratio_target)
        if self._ratio is not None and self.speedup_target is not None:
            checks.append(1 / self._ratio >= self.speedup_target)
        if self.ours is not None and self.most is not None:
            checks.append(self.ours <= self.most)
        return ("yes" if all(checks) else "no") if checks else ""


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


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
