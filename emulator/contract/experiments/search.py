"""Search: which resources satisfy an expression.

Source: BC `SearchExpression`, `Filter`, `NestedFilters`. Unconfirmed, and ours: names and ARNs are compared without
regard to case, as they are unique so, other texts as they are; a property with several values satisfies a filter by
any of them; NotEquals is what Equals is not, so it holds where there is no such property; texts that are no numbers
are neither greater nor less than one; the texts of errors but for the one of Contains.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from ...errors import ValidationError
from ..constraints import epoch_seconds
from .search_values import Scalar, entries, first_word, values

Expression = Mapping[str, Any]
Filter = Mapping[str, Any]

MOST_CONDITIONS: Final = 50
COMPONENT_MEMBERS: Final = (
    "TrialComponentName",
    "TrialComponentArn",
    "DisplayName",
    "Status",
    "Parameters",
    "Metrics",
    "InputArtifacts",
    "OutputArtifacts",
    "CreationTime",
    "LastModifiedTime",
    "StartTime",
    "EndTime",
    "Source",
    "Tags",
    "Parents",
)
"""What a trial component can be searched and sorted by (BC `TrialComponent`), but for who made it."""

_WITHOUT_VALUE: Final = ("Exists", "NotExists")
_ORDERS: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThan": lambda found, sought: found > sought,
    "GreaterThanOrEqualTo": lambda found, sought: found >= sought,
    "LessThan": lambda found, sought: found < sought,
    "LessThanOrEqualTo": lambda found, sought: found <= sought,
}
# What may be asked for by several Contains filters of one expression (BC `Filter`).
_CONTAINS_OFTEN: Final = {
    "Experiment": ("displayname", "experimentname", "tags"),
    "ExperimentTrial": ("displayname", "trialname", "tags"),
    "ExperimentTrialComponent": ("displayname", "trialcomponentname", "tags", "inputartifacts", "outputartifacts"),
}


def check_expression(resource: str, expression: Expression, known: Collection[str]) -> None:
    """Refuse an expression of the right shape that cannot be evaluated.

    `known` are the members that resources of this kind have.

    Raises:
        ValidationError: naming the filter.
    """
    conditions = list(_every_condition(expression))
    if not conditions:
        raise ValidationError(
            "Invalid SearchExpression: specify at least one of Filters, NestedFilters and SubExpressions."
        )
    if len(conditions) > MOST_CONDITIONS:
        raise ValidationError(
            f"Invalid SearchExpression: it has {len(conditions)} conditions, and may have {MOST_CONDITIONS}."
        )
    filters = [condition for condition in conditions if "Name" in condition]
    for one in filters:
        check_property(one["Name"], known)
        _check_value(one)
    often = _CONTAINS_OFTEN.get(resource, ())
    if sum(_operator(one) == "Contains" and first_word(one["Name"]).lower() not in often for one in filters) > 1:
        raise ValidationError("'CONTAINS' operator usage limit of 1 exceeded.")


def check_property(name: str, known: Collection[str]) -> None:
    """Refuse the name of a property that no such resource has.

    Raises:
        ValidationError: naming it.
    """
    if first_word(name).lower() not in {one.lower() for one in known}:
        raise ValidationError(f"Unknown property name: {name}")


def satisfies(document: Mapping[str, Any], expression: Expression) -> bool:
    """Tell whether a searchable resource satisfies an expression that was checked."""
    conditions = _conditions(document, expression)
    return any(conditions) if expression.get("Operator") == "Or" else all(conditions)


def needs(expression: Expression) -> dict[str, str]:
    """Return properties that a resource must be equal to in any case, so that a store need not read all of them."""
    if expression.get("Operator") == "Or":
        return {}
    found = {one["Name"]: one["Value"] for one in expression.get("Filters", ()) if _operator(one) == "Equals"}
    for inner in expression.get("SubExpressions", ()):
        found = {**needs(inner), **found}
    return found


def _conditions(document: Mapping[str, Any], expression: Expression) -> Iterator[bool]:
    for one in expression.get("Filters", ()):
        yield _holds(document, one)
    for nested in expression.get("NestedFilters", ()):
        yield _holds_for_one(document, nested)
    for inner in expression.get("SubExpressions", ()):
        yield satisfies(document, inner)


def _holds_for_one(document: Mapping[str, Any], nested: Mapping[str, Any]) -> bool:
    """A nested filter is satisfied when a single entry of its list satisfies all of its filters."""
    above = nested["NestedPropertyName"]
    filters = [{**one, "Name": _below(above, one["Name"])} for one in nested["Filters"]]
    return any(all(_holds(entry, one) for one in filters) for entry in entries(document, above))


def _below(above: str, name: str) -> str:
    """Return a filter's name as it is inside of an entry: BC writes it whole, with the list's own name."""
    return name[len(above) + 1 :] if name.lower().startswith(f"{above.lower()}.") else name


def _holds(document: Mapping[str, Any], one: Filter) -> bool:
    name, operator, sought = one["Name"], _operator(one), one.get("Value", "")
    found = values(document, name)
    if operator in _WITHOUT_VALUE:
        return bool(found) is (operator == "Exists")
    if operator == "NotEquals":
        return not any(_equal(name, value, sought) for value in found)
    return any(_meets(name, value, operator, sought) for value in found)


def _meets(name: str, found: Scalar, operator: str, sought: str) -> bool:
    match operator:
        case "Equals":
            return _equal(name, found, sought)
        case "In":
            return any(_equal(name, found, text.strip()) for text in sought.split(","))
        case "Contains":
            return _text(name, sought) in _text(name, found)
        case _:
            return _ordered(name, found, sought, _ORDERS[operator])


def _equal(name: str, found: Scalar, sought: str) -> bool:
    pair = _as_numbers(name, found, sought)
    return pair[0] == pair[1] if pair is not None else _text(name, found) == _text(name, sought)


def _ordered(name: str, found: Scalar, sought: str, order: Callable[[float, float], bool]) -> bool:
    pair = _as_numbers(name, found, sought)
    return pair is not None and order(*pair)


def _as_numbers(name: str, found: Scalar, sought: str) -> tuple[float, float] | None:
    """Return both sides as numbers where both are some; a time may be written as ISO 8601.

    A decimal hyperparameter is cut to an integer where it is compared with one (BC `Filter`).
    """
    if isinstance(found, bool):
        return None
    right = _number(sought)
    if isinstance(found, str):
        left = _number(found) if first_word(name).lower() == "hyperparameters" else None
        if left is not None and right is not None and _is_whole(sought):
            left = float(int(left))
    else:
        left = float(found)
        if right is None:
            right = epoch_seconds(sought)
    return None if left is None or right is None else (left, right)


def _number(text: str) -> float | None:
    try:
        number = math.nan if "_" in text else float(text)  # Python alone takes 1_000 for a number
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _is_whole(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()


def _text(name: str, value: Scalar) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.lower() if name.lower().endswith(("name", "arn")) or isinstance(value, bool) else text


def _operator(one: Filter) -> str:
    """Equals, if there is a Value and no Operator (BC)."""
    operator: str = one.get("Operator", "Equals")
    return operator


def _check_value(one: Filter) -> None:
    name, operator = one["Name"], _operator(one)
    if operator in _WITHOUT_VALUE:
        return
    if "Value" not in one:
        raise ValidationError(f"Invalid filter on {name}: {operator} needs a Value.")
    if operator in _ORDERS and _number(one["Value"]) is None and epoch_seconds(one["Value"]) is None:
        raise ValidationError(
            f"Invalid filter on {name}: {operator} compares numbers and times (ISO 8601), and {one['Value']!r} is "
            "neither."
        )


def _every_condition(expression: Expression) -> Iterator[Mapping[str, Any]]:
    yield from expression.get("Filters", ())
    for nested in expression.get("NestedFilters", ()):
        yield nested
        above = nested["NestedPropertyName"]
        for one in nested["Filters"]:
            yield {**one, "Name": f"{above}.{_below(above, one['Name'])}"}
    for inner in expression.get("SubExpressions", ()):
        yield from _every_condition(inner)
