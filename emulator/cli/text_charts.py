"""Tables and charts for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LEVELS: Final = "▁▂▃▄▅▆▇█"
CHART_WIDTH: Final = 32


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of equal length with their columns under each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def sparkline(values: Sequence[float], low: float, high: float, width: int = CHART_WIDTH) -> str:
    """Draw values in one line, the lowest possible at `low` and the highest at `high`.

    More values than columns are drawn as the mean of those that fall into each.
    """
    count = min(width, len(values))
    return "".join(
        _level(_mean(values[place * len(values) // count : (place + 1) * len(values) // count]), low, high)
        for place in range(count)
    )


def plain(text: str, longest: int = 40) -> str:
    """Return a text of a job's as one short line that moves no cursor and changes no colour."""
    line = "".join(one if one.isprintable() else "�" for one in " ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def number(value: float) -> str:
    """Write a number as short as it can be told."""
    return f"{value:.6g}"


def _mean(values: Sequence[float]) -> float:
    return sum(value / len(values) for value in values)


def _level(value: float, low: float, high: float) -> str:
    span = high / 2 - low / 2  # halves, as the difference of two large doubles may be too large for one
    share = 0.5 if not span else (value / 2 - low / 2) / span
    return _LEVELS[round(max(0.0, min(1.0, share)) * (len(_LEVELS) - 1))]
