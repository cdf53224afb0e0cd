"""How times, sizes, durations, numbers and commands are written on a page."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from flask import Flask
from markupsafe import Markup
from rich.filesize import decimal


def register(app: Flask) -> None:
    """Give the filters of this file to the templates."""
    app.jinja_env.filters |= {
        "moment": moment,
        "size": decimal,
        "duration": duration,
        "figure": figure,
        "shell": shlex.join,
    }


def moment(seconds: float | datetime | None) -> Markup:
    """Return a time, given in epoch seconds, as an element whose text the browser turns into local time."""
    if seconds is None:
        return Markup("–")  # noqa: RUF001
    at = seconds if isinstance(seconds, datetime) else datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S} UTC")


def duration(seconds: float | None) -> str:
    """Return a duration as a person says it: 40 ms, 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None:
        return "–"  # noqa: RUF001
    if seconds < 0.1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def figure(value: float) -> str:
    """Return a number as short as it can be told."""
    return f"{value:.6g}"
