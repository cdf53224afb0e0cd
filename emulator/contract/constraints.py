"""What a request must satisfy, checked against a shape of the service model, in the service's own words.

Source: the constraints stand in botocore's model; their texts were seen in ValidationExceptions of the
real service, maps ("Map keys", "Map value") and lists of plain values ("Member must satisfy constraint:
[...]") included. When one value breaks two rules, the service names them in no fixed order.

Unconfirmed, and ours: the texts for values of a wrong JSON type, for members that the model does not
know and for unions. The service may answer the first with SerializationException.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, Final, Protocol, cast

import regex

# Bounds of this emulator, so that no request makes an endless check or an endless answer.
MAX_VIOLATIONS: Final = 50
MAX_DEPTH: Final = 60
_SECONDS_PER_MATCH: Final = 1.0
_LONGEST_VALUE_SHOWN: Final = 1000
_LONGEST_NAME_SHOWN: Final = 128
_WIDEST_INTEGER_SHOWN: Final = 1024

_NOT_NULL: Final = "Member must not be null"
_CONTAINERS: Final = ("structure", "list", "map")
_NUMBERS: Final = ("integer", "long", "float", "double")
_LARGEST_FLOAT: Final = 3.4028234663852886e38
_YEARS_1_TO_9999: Final = (-62135596800, 253402300799)
_SURROGATE_PAIR: Final = regex.compile(r"\\u(D[89AB][0-9A-F]{2})\\u(D[C-F][0-9A-F]{2})", regex.IGNORECASE)


class Shape(Protocol):
    """A shape of the service model, as botocore's `Shape`."""

    @property
    def type_name(self) -> str:
        """`structure`, `list`, `map`, `string`, `integer` ..."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The constraints: `min`, `max`, `pattern`, `enum`, `sensitive`, `union`."""


class StructureShape(Shape, Protocol):
    """A shape with named members."""

    @property
    def members(self) -> Mapping[str, Shape]:
        """Every member by its name on the wire."""

    @property
    def required_members(self) -> Sequence[str]:
        """The names that must be there."""


class ListShape(Shape, Protocol):
    """A shape whose entries are alike."""

    @property
    def member(self) -> Shape:
        """The entry."""


class MapShape(Shape, Protocol):
    """A shape of keys and values."""

    @property
    def key(self) -> Shape:
        """The key, always a string."""

    @property
    def value(self) -> Shape:
        """The value."""


@dataclass(frozen=True)
class _Rule:
    text: str
    holds: Callable[[Any], bool]


def violations(shape: Shape, value: object) -> list[str]:
    """Return what is wrong with a JSON value, in the service's words; empty when nothing is.

    A null member is an absent one. At most MAX_VIOLATIONS are named.
    """
    return list(islice(_check(shape, value, "", 0), MAX_VIOLATIONS))


def violations_message(found: Sequence[str]) -> str:
    """Join violations to the one text of a ValidationException."""
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}"


def normalised(shape: Shape, value: Any) -> Any:
    """Return a value that has no violations as the rest of the emulator reads it.

    Null members are left out, integers are `int` (1.0 is the same JSON number as 1) and timestamps are
    epoch seconds.
    """
    match shape.type_name:
        case "structure":
            members = cast("StructureShape", shape).members
            return {name: normalised(members[name], sent) for name, sent in value.items() if sent is not None}
        case "list":
            return [normalised(cast("ListShape", shape).member, entry) for entry in value]
        case "map":
            return {key: normalised(cast("MapShape", shape).value, entry) for key, entry in value.items()}
        case "integer" | "long":
            return int(value)
        case "timestamp":
            return epoch_seconds(value)
        case _:
            return value


def _check(shape: Shape, value: object, path: str, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        yield _violation(shape, value, path, f"Member must not be nested deeper than {MAX_DEPTH} levels")
        return
    if fault := _fault(shape, value):
        yield _violation(shape, value, path, fault)
        return
    for rule in _rules(shape):
        if not rule.holds(value):
            yield _violation(shape, value, path, rule.text)
    if isinstance(value, dict) and shape.type_name == "structure":
        yield from _check_structure(cast("StructureShape", shape), value, path, depth)
    elif isinstance(value, dict):
        yield from _check_map(cast("MapShape", shape), value, path, depth)
    elif isinstance(value, list):
        yield from _check_list(cast("ListShape", shape), value, path, depth)


def _check_structure(shape: StructureShape, value: dict[Any, Any], path: str, depth: int) -> Iterator[str]:
    members = shape.members
    for name, member in members.items():
        sent = value.get(name)
        if sent is not None:
            yield from _check(member, sent, _joined(path, _lower_camel(name)), depth + 1)
        elif name in shape.required_members:
            yield _violation(member, None, _joined(path, _lower_camel(name)), _NOT_NULL)
    for name, sent in value.items():
        if name not in members:
            text = "Member is not known to this version of the service model"
            yield _violation(shape, sent, _joined(path, _lower_camel(_name_shown(name))), text)
    if shape.metadata.get("union") and sum(sent is not None for sent in value.values()) != 1:
        names = ", ".join(_lower_camel(name) for name in members)
        yield _violation(shape, value, path, f"Member must have exactly one of its members set: [{names}]")


def _check_list(shape: ListShape, value: list[Any], path: str, depth: int) -> Iterator[str]:
    member = shape.member
    if member.type_name in _CONTAINERS:
        for number, entry in enumerate(value, start=1):
            yield from _check(member, entry, _joined(path, f"{number}.member"), depth + 1)
    elif broken := _broken_by_any(member, value):
        yield _violation(shape, value, path, f"Member must satisfy constraint: [{broken}]")


def _check_map(shape: MapShape, value: dict[Any, Any], path: str, depth: int) -> Iterator[str]:
    if broken := _broken_by_any(shape.key, value):
        yield _violation(shape, value, path, f"Map keys must satisfy constraint: [{broken}]")
    if shape.value.type_name in _CONTAINERS:
        for key, entry in value.items():
            yield from _check(shape.value, entry, _joined(path, f"{_name_shown(key)}.member"), depth + 1)
    elif broken := _broken_by_any(shape.value, value.values()):
        yield _violation(shape, value, path, f"Map value must satisfy constraint: [{broken}]")


def _broken_by_any(shape: Shape, values: Iterable[object]) -> str:
    """Return the constraints of plain values if one of them breaks any; the service then lists them all."""
    rules = _rules(shape)
    for value in values:
        if fault := _fault(shape, value):
            return fault
        if not all(rule.holds(value) for rule in rules):
            return ", ".join(rule.text for rule in rules)
    return ""


def _rules(shape: Shape) -> list[_Rule]:
    """Return the model's rules of one shape, in the order in which the service lists them."""
    constraints = shape.metadata
    measured, size = ("value", _itself) if shape.type_name in _NUMBERS else ("length", len)
    rules = []
    if (most := constraints.get("max")) is not None:
        text = f"Member must have {measured} less than or equal to {most}"
        rules.append(_Rule(text, lambda value: size(value) <= most))
    if (least := constraints.get("min")) is not None:
        text = f"Member must have {measured} greater than or equal to {least}"
        rules.append(_Rule(text, lambda value: size(value) >= least))
    if (pattern := constraints.get("pattern")) is not None:
        text = f"Member must satisfy regular expression pattern: {pattern}"
        rules.append(_Rule(text, lambda value: matches(pattern, value)))
    if (enum := constraints.get("enum")) is not None:
        text = f"Member must satisfy enum value set: [{', '.join(enum)}]"
        rules.append(_Rule(text, lambda value: value in enum))
    return rules


def _itself(value: Any) -> Any:
    return value


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole text matches, by Java's rules; a match that takes too long is none."""
    compiled = _compiled(pattern)
    if compiled is None:
        return True
    try:
        return compiled.fullmatch(text, timeout=_SECONDS_PER_MATCH) is not None
    except TimeoutError:
        return False


@cache
def _compiled(pattern: str) -> regex.Pattern[str] | None:
    r"""Compile a pattern as Java would read it; None for one that cannot be compiled here.

    In Java `.` stops at every line end, not at "\n" alone; `\d`, `\w`, `\s` and `\p{Alnum}` are ASCII
    while `\p{L}` is not; and two \u escapes can make one character.
    """
    unicode = regex.search(r"\\p\{[A-Z]\}", pattern) is not None
    flags = regex.WORD | (regex.UNICODE if unicode else regex.ASCII)
    try:
        return regex.compile(_SURROGATE_PAIR.sub(_one_escape, pattern), flags)
    except regex.error:
        return None


def _one_escape(pair: regex.Match[str]) -> str:
    high, low = int(pair[1], 16), int(pair[2], 16)
    return f"\\U{0x10000 + (high - 0xD800) * 0x400 + (low - 0xDC00):08X}"


def _fault(shape: Shape, value: object) -> str:
    """Return what is wrong with a value's JSON type; empty when nothing is."""
    if value is None:
        return _NOT_NULL
    holds, expected = _TYPES.get(shape.type_name, _ANY_TYPE)
    return "" if holds(value) else f"Member must be {expected}"


def epoch_seconds(value: object) -> float | None:
    """Return a timestamp in epoch seconds, given those (as botocore sends) or an ISO 8601 text."""
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    first, last = _YEARS_1_TO_9999
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if first <= value <= last else None


def _is_text(value: object) -> bool:
    """Lone surrogates, which JSON can spell, are no text: no file or environment can hold them."""
    return isinstance(value, str) and value.encode("utf-8", "ignore").decode() == value


def _is_number(value: object, largest: float = sys.float_info.max) -> bool:
    """NaN and the infinities are no numbers, and neither are booleans."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -largest <= value <= largest


def _is_integer(value: object, bits: int) -> bool:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and _is_number(value) and -(2 ** (bits - 1)) <= cast("int", value) < 2 ** (bits - 1)


_Type = tuple[Callable[[object], bool], str]
_ANY_TYPE: Final[_Type] = (lambda _: True, "")
_TYPES: Final[dict[str, _Type]] = {
    "structure": (lambda value: isinstance(value, dict), "an object"),
    "map": (lambda value: isinstance(value, dict), "an object"),
    "list": (lambda value: isinstance(value, list), "a list"),
    "string": (_is_text, "a string of valid Unicode"),
    "boolean": (lambda value: isinstance(value, bool), "a boolean"),
    "integer": (lambda value: _is_integer(value, 32), "a 32-bit integer"),
    "long": (lambda value: _is_integer(value, 64), "a 64-bit integer"),
    "float": (lambda value: _is_number(value, _LARGEST_FLOAT), "a 32-bit number"),
    "double": (_is_number, "a number"),
    "timestamp": (lambda value: epoch_seconds(value) is not None, "a timestamp"),
}


def _violation(shape: Shape, value: object, path: str, constraint: str) -> str:
    if shape.metadata.get("sensitive"):
        what = "Value"
    else:
        what = "Value null" if value is None else f"Value '{shown(value)}'"
    return f"{what} at '{path or 'input'}' failed to satisfy constraint: {constraint}"


def shown(value: object, longest: int = _LONGEST_VALUE_SHOWN) -> str:
    """Return a value as the service's messages print it: Java's `[a, b]` and `{k=v}`, cut when long.

    Lone surrogates, which UTF-8 cannot carry, become question marks.
    """
    text = ""
    for piece in _pieces(value, 0, longest):
        text += piece
        if len(text) > longest:
            text = f"{text[:longest]}..."
            break
    return text.encode("utf-8", "replace").decode()


def _pieces(value: object, depth: int, longest: int) -> Iterator[str]:
    if isinstance(value, dict | list) and depth > MAX_DEPTH:
        yield "..."
    elif isinstance(value, dict):
        yield "{"
        for number, (key, entry) in enumerate(value.items()):
            yield f"{', ' if number else ''}{_plain(key, longest)}="
            yield from _pieces(entry, depth + 1, longest)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, entry in enumerate(value):
            yield ", " if number else ""
            yield from _pieces(entry, depth + 1, longest)
        yield "]"
    else:
        yield _plain(value, longest)


def _plain(value: object, longest: int) -> str:
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > _WIDEST_INTEGER_SHOWN:
        return f"an integer of {value.bit_length()} bits"
    return str(value)[: longest + 1]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _lower_camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _name_shown(name: object) -> str:
    return shown(name, _LONGEST_NAME_SHOWN)
