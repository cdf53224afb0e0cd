"""Places of a request that wait for another job's result: `{Get: Steps.train.ModelArtifacts.S3ModelArtifacts}`.

They are spelt as in the definition of a SageMaker pipeline. A step is a job file by its name; what follows is a member
of the job's Describe answer: `.Member`, `[0]`, and `['name']` for an entry of a map, or of a list whose entries have a
name (`ProcessingOutputConfig.Outputs['train']`, `FinalMetricDataList['validation:auc']`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from .yaml_source import At, YamlSource, dotted

_GET: Final = "Get"
_WHOLE: Final = re.compile(r"Steps\.(?P<step>[^.\[\]]+)(?P<members>(?:\.\w+|\[\d+\]|\['[^']+'\])+)")
REFERENCE_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": [_GET],
    "additionalProperties": False,
    "properties": {_GET: {"type": "string", "pattern": "^" + re.sub(r"\?P<\w+>", "?:", _WHOLE.pattern) + "$"}},
    "description": "What another job's Describe answer says: {Get: Steps.JOB_FILE.Member}. Name that file in `after`.",
}
"""A reference as a JSON schema."""
_MEMBER: Final = re.compile(r"\.(?P<name>\w+)|\[(?P<number>\d+)\]|\['(?P<key>[^']+)'\]")
# What stands for a value that is not known yet when a request is checked, by the type it will have.
_STAND_INS: Final[Mapping[str, Any]] = {
    "boolean": False,
    "integer": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
    "timestamp": datetime(2000, 1, 1, tzinfo=UTC),
    "structure": {},
    "map": {},
    "list": [],
}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A member of the Describe answer of another job, and where in the request it is asked for."""

    step: str
    members: tuple[str | int, ...]
    at: At

    def stand_in(self, yaml: YamlSource, answer: Shape) -> Any:
        """Return a value of the type that the member has in an answer of this shape.

        Raises:
            UsageError: such an answer has no such member.
        """
        shape = answer
        for number, member in enumerate(self.members):
            inner = _shape_of(shape, member)
            if inner is None:
                missing = dotted(self.members[: number + 1])
                raise yaml.error(self.at, f"{answer.name} has no {missing}.{_hint(shape, member)}")
            shape = inner
        return _STAND_INS.get(shape.type_name, "s3://of/another-job")

    def value(self, yaml: YamlSource, answer: Mapping[str, Any]) -> Any:
        """Return the member of the answer.

        Raises:
            UsageError: the job has no such member, such as the FailureReason of one that has not failed.
        """
        value: Any = answer
        for number, member in enumerate(self.members):
            try:
                value = _entry(value, member)
            except LookupError:
                missing = dotted(self.members[: number + 1])
                raise yaml.error(self.at, f"the Describe answer of {self.step} has no {missing}.") from None
        return value


def is_reference(value: Any) -> bool:
    """Tell whether a value of a request is a reference."""
    return isinstance(value, dict) and value.keys() == {_GET}


def references_in(yaml: YamlSource, after: Collection[str]) -> tuple[Reference, ...]:
    """Return the references of a job file's request.

    Raises:
        UsageError: one is spelt in another way, or asks for a job that need not be there before this one.
    """
    return tuple(_parsed(yaml, at, after) for at in _places(yaml.get(("request",)), ("request",)))


def with_values(value: Any, values: Mapping[At, Any], at: At = ("request",)) -> Any:
    """Return a copy of a request, or of a part of it, with these values at their places."""
    if at in values:
        return values[at]
    if isinstance(value, Mapping):
        return {key: with_values(one, values, (*at, key)) for key, one in value.items()}
    if isinstance(value, list):
        return [with_values(one, values, (*at, number)) for number, one in enumerate(value)]
    return value


def _places(value: Any, at: At) -> Iterator[At]:
    if is_reference(value):
        yield at
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _places(one, (*at, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _places(one, (*at, number))


def _parsed(yaml: YamlSource, at: At, after: Collection[str]) -> Reference:
    text = yaml.text((*at, _GET))
    match = _WHOLE.fullmatch(text)
    if match is None:
        raise yaml.error(
            at,
            f"{text!r} does not say which job's member this is. "
            "Write it as {Get: Steps.train.ModelArtifacts.S3ModelArtifacts}",
        )
    step = match["step"]
    if step not in after:
        listed = ", ".join([*after, step])
        raise yaml.error(at, f"{step} must have ended before this job starts. Write after: [{listed}]")
    members = tuple(
        int(found["number"]) if found["number"] else found["name"] or found["key"]
        for found in _MEMBER.finditer(match["members"])
    )
    return Reference(step=step, members=members, at=at)


def _shape_of(shape: Shape, member: str | int) -> Shape | None:
    """Return the shape of a member; None if there can be no such member."""
    found: Shape | None = None
    if isinstance(shape, StructureShape):
        found = shape.members.get(str(member))
    elif isinstance(shape, MapShape) and isinstance(member, str):
        found = shape.value
    elif isinstance(shape, ListShape) and (isinstance(member, int) or _names_of(shape)):
        found = shape.member
    return found


def _names_of(shape: ListShape) -> list[str]:
    """Return the members by which the entries of a list can be told apart."""
    entry = shape.member
    return [name for name in entry.members if name.endswith("Name")] if isinstance(entry, StructureShape) else []


def _entry(value: Any, member: str | int) -> Any:
    """Return an entry of a structure, map or list; of a list also by its name."""
    if isinstance(value, list) and isinstance(member, str):
        value = {one[key]: one for one in value for key in one if key.endswith("Name")}
    return value[member]


def _hint(shape: Shape, member: str | int) -> str:
    known = list(shape.members) if isinstance(shape, StructureShape) else []
    close = difflib.get_close_matches(str(member), known, n=1)
    if close:
        return f" Did you mean {close[0]}?"
    return f" There is: {', '.join(known)}." if known else ""
