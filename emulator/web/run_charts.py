"""The charts that runs have logged: found by their lineage, read from the object store."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..contract.arns import S3Uri
from ..contract.experiments.charts import CHART_TYPES, MOST_BYTES, Chart, ChartError, CurveChart, parse_chart
from ..contract.experiments.curves import kept
from ..contract.experiments.entities import ARTIFACT, Entity
from ..errors import ValidationError
from ..storage.objects.model import ObjectVersion, VersionGoneError
from .scopes import emulator, scope

MOST_POINTS: Final = 400
_AT_ONCE: Final = 1000
"""Associations of one answer."""
MOST_READ: Final = 32 * 2**20
_SECONDS: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class RunChart:
    """A chart of one of the runs of a page; if it cannot be shown, why."""

    run: int
    chart_type: str
    title: str
    uri: str
    chart: Chart | None = None
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class ChartGroup:
    """Charts of one type and title, of one run or several."""

    chart_type: str
    title: str
    charts: Sequence[RunChart]

    @property
    def curves(self) -> list[dict[str, Any]]:
        """What a script draws of curves, each at most so long as can be seen."""
        return [_drawn(one.run, one.chart) for one in self.charts if isinstance(one.chart, CurveChart)]

    @property
    def others(self) -> list[RunChart]:
        """What is a table, or only words."""
        return [one for one in self.charts if not isinstance(one.chart, CurveChart)]


class _Reading:
    """Reads the objects of one page's charts, until they are too many."""

    def __init__(self, most_bytes: int) -> None:
        self._most = self._left = most_bytes
        self._deadline = time.monotonic() + _SECONDS

    def content(self, uri: str) -> bytes:
        """Read a chart's object.

        Raises:
            ChartError: it is not there or far too large, or the page has read enough.
        """
        if time.monotonic() > self._deadline:
            raise ChartError(f"the page's other charts took {_SECONDS:g} s to read; it is where the link below leads")
        found = _version(uri)
        if found.size > MOST_BYTES:
            raise ChartError(f"it has {found.size:,} bytes; up to {MOST_BYTES:,} are read")
        if found.size > self._left:
            raise ChartError(
                f"with its {found.size:,} bytes the charts of this page would have more than {self._most:,}; "
                "it is where the link below leads"
            )
        self._left -= found.size
        try:
            with emulator().objects.read(found) as reader:
                return b"".join(reader)
        except (VersionGoneError, OSError) as error:
            raise ChartError(f"its object cannot be read ({error})") from error


def chart_groups(components: Sequence[Entity], most_bytes: int = MOST_READ) -> list[ChartGroup]:
    """Return the charts of runs, those of one type and title together; what is not read says so."""
    reading = _Reading(most_bytes)
    groups: dict[tuple[int, str], list[RunChart]] = {}
    for place, component in enumerate(components):
        for one in _charts_of(place, component, reading):
            groups.setdefault((CHART_TYPES.index(one.chart_type), one.title), []).append(one)
    return [
        ChartGroup(chart_type=CHART_TYPES[kind], title=title, charts=charts)
        for (kind, title), charts in sorted(groups.items(), key=lambda pair: pair[0])
    ]


def _charts_of(place: int, component: Entity, reading: _Reading) -> Iterator[RunChart]:
    """A chart that was logged again is another artifact of the same object, which has the newest."""
    seen: set[str] = set()
    for artifact in _artifacts(component):
        uri = str(artifact.document["Source"]["SourceUri"])
        chart_type = str(artifact.document["ArtifactType"])
        if uri not in seen:
            seen.add(uri)
            try:
                chart = parse_chart(chart_type, artifact.name, reading.content(uri))
                yield RunChart(run=place, chart_type=chart_type, title=chart.title, uri=uri, chart=chart)
            except ChartError as error:
                title = artifact.name or chart_type
                yield RunChart(run=place, chart_type=chart_type, title=title, uri=uri, fault=str(error))


def _artifacts(component: Entity) -> Iterator[Entity]:
    """Yield the artifacts of charts that a component has on either side."""
    for mine, other in (("SourceArn", "Destination"), ("DestinationArn", "Source")):
        request: dict[str, Any] = {mine: component.arn, "MaxResults": _AT_ONCE}
        while True:
            found = emulator().lineage.page(scope(), request)
            for one in found["AssociationSummaries"]:
                if one.get(f"{other}Type") not in CHART_TYPES:
                    continue
                artifact = emulator().entities.get(one[f"{other}Arn"])
                if artifact is not None and artifact.kind is ARTIFACT:
                    yield artifact
            if "NextToken" not in found:
                break
            request["NextToken"] = found["NextToken"]


def _version(uri: str) -> ObjectVersion:
    try:
        place = S3Uri.parse(uri)
    except ValidationError as error:
        raise ChartError(error.message) from error
    found = emulator().objects.get(place.bucket, place.key) if emulator().buckets.owns(scope(), place.bucket) else None
    if found is None or found.is_delete_marker:
        raise ChartError("its object is not in S3 any more")
    return found


def _drawn(run: int, chart: CurveChart) -> dict[str, Any]:
    places = kept(chart.y, MOST_POINTS)
    return {
        "run": run,
        "x": [chart.x[place] for place in places],
        "y": [chart.y[place] for place in places],
        "score": chart.score,
        "noSkill": chart.no_skill,
    }
