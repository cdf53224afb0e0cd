"""Finds what a property name of Search means in a resource: `Parents.TrialName`, `Metrics.validation:auc.Max`.

Keys of maps (hyperparameters, metrics, tags) may hold dots themselves, so at each level the longest key that fits
goes first. Names of members are found whatever their case: AWS's own examples sort by `metrics.test:accuracy.max`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Scalar = str | float | bool

# What stands for a structure that a name ends at.
_STANDS_FOR: Final = ("NumberValue", "StringValue", "Last", "Value")
# Lists whose entries are found by a name of theirs, not by their place.
_KEYED_LISTS: Final = {"Tags": "Key", "Metrics": "MetricName", "FinalMetricDataList": "MetricName"}


def searchable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource as names are looked up in it: tags and metrics by their keys.

    FinalMetricDataList of a training job is what its `Metrics.` are.
    """
    found = dict(document)
    for name, key in _KEYED_LISTS.items():
        if name in document:
            found[name] = {one[key]: one for one in document[name]}
    if "FinalMetricDataList" in found:
        found["Metrics"] = found["FinalMetricDataList"]
    return found


def values(document: Mapping[str, Any], name: str) -> list[Scalar]:
    """Return every value that a name has in a searchable resource: several where it leads through a list."""
    return list(_values(document, name))


def entries(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the structures of a list, for nested filters."""
    return [one for one in _nodes(document, name) if isinstance(one, Mapping)]


def first_word(name: str) -> str:
    """Return the member that a property name begins with."""
    return name.partition(".")[0]


def _values(node: Any, name: str) -> Iterator[Scalar]:
    for found in _nodes(node, name):
        yield from _scalars(found)


def _nodes(node: Any, name: str) -> Iterator[Any]:
    """Yield what a name leads to; a list that it ends at, one by one."""
    if isinstance(node, list | tuple):
        for entry in node:
            yield from _nodes(entry, name)
    elif not name:
        yield node
    elif isinstance(node, Mapping):
        key, rest = _step(node, name)
        if key is not None:
            yield from _nodes(node[key], rest)


def _step(node: Mapping[str, Any], name: str) -> tuple[str | None, str]:
    """Return the key of a mapping that a name goes on with, and the rest of the name."""
    words = name.split(".")
    for count in range(len(words), 0, -1):
        key = ".".join(words[:count])
        if key in node:
            return key, ".".join(words[count:])
    for count in range(len(words), 0, -1):
        key = ".".join(words[:count]).lower()
        for known in node:
            if known.lower() == key:
                return known, ".".join(words[count:])
    return None, ""


def _scalars(node: Any) -> Iterator[Scalar]:
    if isinstance(node, str | bool | int | float):
        yield node
    elif isinstance(node, Mapping):
        for name in _STANDS_FOR:
            if name in node:
                yield from _scalars(node[name])
                return
    elif isinstance(node, Sequence):
        for entry in node:
            yield from _scalars(entry)
