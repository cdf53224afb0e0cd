"""Compares a request with the service's model, so that each fault has its place in the job file.

The rules are the model's own, as the service applies them (`contract/constraints.py`). What is ours is that every
value is looked at where it stands, and that the text is for the person who wrote the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StructureShape

from ..contract.constraints import violations
from .references import is_reference
from .yaml_source import At, YamlSource

_LONGEST_LIST: Final = 12
_TYPES: Final[Mapping[str, tuple[str, type | tuple[type, ...]]]] = {
    "structure": ("keys and values below it", dict),
    "map": ("keys and values below it", dict),
    "list": ("a list", list),
    "string": ("a text", str),
    "boolean": ("true or false", bool),
    "integer": ("a whole number", int),
    "long": ("a whole number", int),
    "float": ("a number", (int, float)),
    "double": ("a number", (int, float)),
}


class Fault(NamedTuple):
    """What is wrong at a place of the request."""

    at: At
    problem: str


def faults(yaml: YamlSource, request: Mapping[str, Any], shape: Shape) -> Iterator[Fault]:
    """Yield everything about a request that the model does not allow; `yaml` is where it was written.

    Of a value that waits for another job only the type is looked at.
    """
    yield from _faults(yaml, shape, request, ("request",))


def _faults(yaml: YamlSource, shape: Shape, value: Any, at: At) -> Iterator[Fault]:
    if problem := _type_problem(yaml, shape, value, at):
        yield Fault(at, problem)
    elif is_reference(yaml.get(at)):
        return
    elif isinstance(shape, StructureShape):
        yield from _structure_faults(yaml, shape, value, at)
    elif isinstance(shape, MapShape):
        yield from _length_faults(shape, value, at)
        for key, entry in value.items():
            yield from (Fault((*at, key), f"the key {text}") for text in _rules_broken(shape.key, key))
            yield from _faults(yaml, shape.value, entry, (*at, key))
    elif isinstance(shape, ListShape):
        yield from _length_faults(shape, value, at)
        for number, entry in enumerate(value):
            yield from _faults(yaml, shape.member, entry, (*at, number))
    else:
        yield from (Fault(at, text) for text in _rules_broken(shape, value))


def _structure_faults(yaml: YamlSource, shape: StructureShape, value: dict[str, Any], at: At) -> Iterator[Fault]:
    for name, entry in value.items():
        if name in shape.members:
            yield from _faults(yaml, shape.members[name], entry, (*at, name))
        else:
            yield Fault((*at, name), f"{shape.name} has no such member.{_meant(name, shape.members)}")
    for name in shape.required_members:
        if name not in value:
            yield Fault((*at, name), f"is missing; {shape.name} requires it.")
    if shape.is_tagged_union and len(value) != 1:
        yield Fault(at, f"must have one of {', '.join(shape.members)}, and only one.")


def _type_problem(yaml: YamlSource, shape: Shape, value: Any, at: At) -> str:
    expected, types = _TYPES.get(shape.type_name, ("", object))
    if isinstance(value, types) and (shape.type_name == "boolean" or not isinstance(value, bool)):
        return ""
    if is_reference(yaml.get(at)):
        return f"must be {expected}, and that member of the other job is not."
    advice = ""
    if shape.type_name == "string" and value is not None and not isinstance(value, dict | list):
        advice = f' Put it in quotes: "{yaml.places[at].written}"' if yaml.has(at) else ""
    return f"must be {expected}, not {yaml.shown(at)}.{advice}"


def _length_faults(shape: ListShape | MapShape, value: Any, at: At) -> Iterator[Fault]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < least:
        yield Fault(at, f"has {len(value)} entries and must have at least {least}.")
    if most is not None and len(value) > most:
        yield Fault(at, f"has {len(value)} entries and must have no more than {most}.")


def _rules_broken(shape: Shape, value: Any) -> Iterator[str]:
    """Yield what a plain value breaks: the service's words, and for a closed set what could be meant."""
    for text in violations(shape, value):
        rule = text.rpartition("failed to satisfy constraint: Member ")[2]
        if "enum" in shape.metadata and rule.startswith("must satisfy enum value set"):
            yield f"there is no {value!r}.{_meant(value, shape.metadata['enum'])}"
        else:
            yield f"{value!r} {rule}."


def _meant(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f" Did you mean {close[0]}?" if close else ""
    return f"{meant} There is: {', '.join(known)}." if len(known) <= _LONGEST_LIST or not close else meant
