"""What an Update request makes of an entity.

Source: BC `UpdateTrialComponentRequest`: maps are merged, an entry of the same key is replaced, `*ToRemove` lists
delete; what is not sent stays. Unconfirmed, and ours: a key that is both sent and removed is gone; keys that are
removed and were not there change nothing; the text of the limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...errors import ValidationError
from .entities import ARTIFACT, TRIAL_COMPONENT, Entity

_REMOVALS: Final = "ToRemove"
MOST_ENTRIES: Final = {
    "Parameters": 300,
    "InputArtifacts": 60,
    "OutputArtifacts": 60,
    "Properties": 30,
}
"""The most entries a map has after any number of updates (BC: the most that one request has)."""
_MERGED: Final = {
    TRIAL_COMPONENT: ("Parameters", "InputArtifacts", "OutputArtifacts"),
    ARTIFACT: ("Properties",),
}


def updated(entity: Entity, request: Mapping[str, Any], at: float) -> Entity:
    """Return an entity after a validated Update request.

    Raises:
        ValidationError: a map would have more entries than it may.
    """
    merged = _MERGED.get(entity.kind, ())
    about_name = (entity.kind.name_member, entity.kind.arn_member)
    document = {
        **entity.document,
        **{
            name: value
            for name, value in request.items()
            if name not in (*about_name, *merged) and not name.endswith(_REMOVALS)
        },
    }
    for name in merged:
        entries = with_entries(
            entity.document.get(name, {}), request.get(name, {}), request.get(f"{name}{_REMOVALS}", ())
        )
        check_count(name, entries)
        if entries:
            document[name] = entries
        else:
            document.pop(name, None)
    return entity.changed(document, at)


def with_entries(entries: Mapping[str, Any], sent: Mapping[str, Any], removed: Any = ()) -> dict[str, Any]:
    """Return a map with entries added or replaced, and others taken out."""
    return {key: value for key, value in {**entries, **sent}.items() if key not in removed}


def check_count(name: str, entries: Mapping[str, Any]) -> None:
    """Refuse a map with too many entries.

    Raises:
        ValidationError: naming the map.
    """
    if len(entries) > MOST_ENTRIES[name]:
        raise ValidationError(
            f"{name} can have at most {MOST_ENTRIES[name]} entries; after this request there would be {len(entries)}."
        )
