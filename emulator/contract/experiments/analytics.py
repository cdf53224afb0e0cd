"""Runs as a table: the columns of `ExperimentAnalytics(...).dataframe()`, and of a file for spreadsheets.

Source: SDK V2 `analytics.py` (training.md 9.7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from .metric_summary import STATISTICS

Cell = str | float

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_ARTIFACT_MEMBERS: Final = ("MediaType", "Value")


def analytics_row(component: Mapping[str, Any]) -> dict[str, Cell]:
    """Return a trial component as the DataFrame has it: a Describe answer, with the Parents that Search adds."""
    row: dict[str, Cell] = {
        "TrialComponentName": component["TrialComponentName"],
        "DisplayName": component.get("DisplayName", ""),
    }
    if "Source" in component:
        row["SourceArn"] = component["Source"]["SourceArn"]
    for name, value in sorted(component.get("Parameters", {}).items()):
        row[name] = parameter_value(value)
    for metric in component.get("Metrics", ()):
        row |= {f"{metric['MetricName']} - {name}": metric[name] for name in STATISTICS if name in metric}
    for artifacts in ("InputArtifacts", "OutputArtifacts"):
        for name, artifact in component.get(artifacts, {}).items():
            row |= {f"{name} - {member}": artifact.get(member, "") for member in _ARTIFACT_MEMBERS}
    parents = component.get("Parents", ())
    row["Trials"] = ", ".join(dict.fromkeys(one["TrialName"] for one in parents))
    row["Experiments"] = ", ".join(dict.fromkeys(one["ExperimentName"] for one in parents))
    return row


def analytics_columns(rows: Iterable[Mapping[str, Cell]]) -> list[str]:
    """Return all columns of rows. Those that a later row adds come behind, but Trials and Experiments stay last."""
    last = ("Trials", "Experiments")
    found = dict.fromkeys(name for row in rows for name in row if name not in last)
    return [*found, *last]


def parameter_value(value: Mapping[str, Any]) -> Cell:
    """Return the one value that a parameter has."""
    cell: Cell = value["NumberValue"] if "NumberValue" in value else value.get("StringValue", "")
    return cell


def spreadsheet_cells(cells: Sequence[Cell]) -> list[Cell]:
    """Return a line of a file that spreadsheets open: what they would take for a formula is text there.

    An apostrophe before it does that, as OWASP advises against "CSV injection". Texts that are numbers stay.
    """
    return [f"'{one}" if isinstance(one, str) and _is_formula(one) else one for one in cells]


def _is_formula(text: str) -> bool:
    if not text.startswith(_FORMULA_STARTS):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
