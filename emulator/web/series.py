"""Curves of metrics as JSON: what `static/charts.js` draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from ..contract.experiments.curves import LEAST, Curve
from ..contract.experiments.entities import TRIAL_COMPONENT, Entity
from .scopes import emulator, scope

pages = Blueprint("series", __name__)
POINTS: Final = 500
MOST_POINTS: Final = 5_000
MOST_COMPONENTS: Final = 40


@pages.get("/series.json")
def curves() -> Response:
    """Give the curves of metrics (all, if none is named) of trial components; those that are not there have none."""
    components = components_named(request.args.getlist("component")[:MOST_COMPONENTS])
    most = min(max(request.args.get("points", POINTS, type=int), LEAST), MOST_POINTS)
    metrics = request.args.getlist("metric") or metric_names(components)
    names = labels(components)
    found = [
        {"component": component.name, "place": place, "label": names[place], "metric": metric, **as_json(curve)}
        for metric in metrics
        for place, component in enumerate(components)
        if (curve := emulator().metric_values.curve(component, metric, most)) is not None
    ]
    return jsonify(series=found)


def components_named(names: Sequence[str]) -> list[Entity]:
    """Return the trial components of some names, each once, without those that are not there."""
    found = (emulator().entities.get(TRIAL_COMPONENT.arn(scope(), name)) for name in dict.fromkeys(names))
    return list({one.arn: one for one in found if one is not None}.values())


def metric_names(components: Sequence[Entity]) -> list[str]:
    """Return the names of all metrics that some of the components have."""
    summaries = emulator().metric_values.summaries(components)
    return sorted({one.name for component in components for one in summaries[component.arn]})


def labels(components: Sequence[Entity]) -> list[str]:
    """Return what to call each component: its display name where that tells it from the others."""
    names = [str(one.document.get("DisplayName") or one.name) for one in components]
    return [
        name if names.count(name) == 1 else f"{name} ({one.name})" for name, one in zip(names, components, strict=True)
    ]


def as_json(curve: Curve) -> dict[str, Any]:
    """Return a curve with what a table says of it; what is no finite number is null, as JSON has no other way."""
    summary, points = curve.summary, curve.points
    return {
        "count": summary.count,
        "first": finite(points[0].value) if points else None,
        "last": finite(summary.last),
        "min": finite(summary.smallest),
        "max": finite(summary.largest),
        "numbers": list(curve.numbers),
        "steps": None if all(one.step is None for one in points) else [one.step for one in points],
        "times": [round(one.at, 3) for one in points],
        "values": [finite(one.value) for one in points],
    }


def finite(value: float) -> float | None:
    """Return a number that JSON can carry."""
    return value if math.isfinite(value) else None
