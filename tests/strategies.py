"""Requests for any operation, made from botocore's shapes: valid ones, and ones gone wrong.

`requests_for("CreateTrainingJob").flatmap(mutated)` is what an API test sends to see that no request,
however wrong, gets anything but an error of the service. Everything made here can be sent as JSON by
Python's `json` (which also spells NaN, infinities and lone surrogates).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import reduce
from operator import getitem
from typing import Any

from hypothesis import strategies as st

from emulator.api import service_model
from emulator.contract.constraints import violations

Json = Any
Path = tuple[str | int, ...]

# No model shape nests deeper than this but for the recursive SearchExpression.
_DEEPEST = 12

# A request that an earlier change has blown up beyond this is not changed again.
_MOST_PATHS = 2000

# Every string shape takes the first of these that satisfies it, or any of them that does.
_SAMPLE_TEXTS = (
    "a",
    "train-1",
    "abcdefghijklmnop",
    "File",
    "s3://my-bucket/some/prefix",
    "https://example.com/a/b",
    "arn:aws:iam::123456789012:role/SageMakerRole",
    "arn:aws:sagemaker:us-east-1:123456789012:training-job/train-1",
    "arn:aws:sagemaker:us-east-1:123456789012:training-plan/plan-1",
    "arn:aws:sagemaker:us-east-1:123456789012:model-package/group/1",
    "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/group",
    "arn:aws:sagemaker:us-east-1:123456789012:mlflow-app/app-1",
    "arn:aws:sagemaker:us-east-1:aws:hub-content/hub/Model/model/1.0.0",
    "arn:aws:sagemaker:us-east-1:aws:hub-content/hub/DataSet/data/1.0.0",
    "arn:aws:sagemaker:us-east-1:123456789012:experiment/exp",
    "arn:aws:sagemaker:us-east-1:123456789012:artifact/0123456789abcdef0123456789abcdef",
    "arn:aws:lambda:us-east-1:123456789012:function:login",
    "fs-0123456789abcdef0",
    "8K",
)


def json_values() -> st.SearchStrategy[Json]:
    """Any JSON value, and what Python takes for one: NaN, infinities, huge integers, lone surrogates."""
    plain = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([2**31, -(2**31) - 1, 2**63, 10**400, 1e308, 0.5, 1.0]),
        st.floats(),
        st.text(st.characters(), max_size=20),
    )
    names = st.text(st.characters(), max_size=10) | st.sampled_from(["TrainingJobName", "member", ""])
    return st.recursive(
        plain,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
        max_leaves=12,
    )


def requests_for(operation: str) -> st.SearchStrategy[dict[str, Json]]:
    """Requests for one operation that satisfy the service model, with any of the optional members."""
    made = _values_of(service_model.input_shape(operation), 0)
    assert made is not None, f"{operation} needs a text that _SAMPLE_TEXTS does not have"
    return made


@st.composite
def mutated(draw: st.DrawFn, request: dict[str, Json]) -> dict[str, Json]:
    """The request with one to three changes, anywhere in it; most make it invalid."""
    changed = copy.deepcopy(request)
    for _ in range(draw(st.integers(1, 3))):
        paths = _paths(changed, ())
        if 0 < len(paths) < _MOST_PATHS:
            _change(draw, changed, draw(st.sampled_from(paths)))
    return changed


def _change(draw: st.DrawFn, request: Json, path: Path) -> None:
    """Change what stands at a path: drop it, give it a strange neighbour, or put another value there."""
    *above, name = path
    holder = reduce(getitem, above, request)
    match draw(st.sampled_from(["drop", "neighbour", "value", "value", "value", "value", "value"])):
        case "drop":
            del holder[name]
        case "neighbour" if isinstance(holder, dict):
            holder[draw(st.sampled_from(_STRANGE_NAMES))] = draw(json_values())
        case _:
            holder[name] = draw(draw(st.sampled_from(_WRONG_VALUES))(holder[name]))


def _of_another_type(old: Json) -> st.SearchStrategy[Json]:
    values: tuple[Json, ...] = ("5", 5, 5.5, True, None, [], {}, [old], {"Key": old})
    return st.sampled_from([value for value in values if type(value) is not type(old)])


def _too_much(old: Json) -> st.SearchStrategy[Json]:
    match old:
        case str():
            return st.sampled_from([(old or "a")[:100] * times for times in (10, 300)])
        case list():
            return st.just((old or ["a"])[:1] * 101)
        case dict():
            return st.just(old | {f"key-{number}": "a" for number in range(101)})
        case _:
            return st.sampled_from([-1, 2**31, 2**63, 10**400, 1e300])


def _too_little(old: Json) -> st.SearchStrategy[Json]:
    return st.just(old[:0] if isinstance(old, str | list) else {} if isinstance(old, dict) else 0)


def _buried(old: Json) -> st.SearchStrategy[Json]:
    def below(levels: int) -> Json:
        return reduce(lambda value, _: [{"SubExpressions": value}], range(levels), old)

    return st.sampled_from([1, 20, 100]).map(below)


def _spoilt(old: Json) -> st.SearchStrategy[Json]:
    endings = ("\n", "\0", " ", "_", "/../..", "é", "\ud800", "\u202e", "'; --")
    return st.sampled_from([f"{old}{ending}" for ending in endings])


def _anything(old: Json) -> st.SearchStrategy[Json]:
    return json_values()


_WRONG_VALUES = (_of_another_type, _too_much, _too_little, _buried, _spoilt, _anything)
_STRANGE_NAMES = ("NoSuchMember", "trainingJobName", "__proto__", "")


def _values_of(shape: Any, depth: int) -> st.SearchStrategy[Json] | None:
    """Values of a botocore shape; None when none are known, or it is too deep."""
    if depth > _DEEPEST:
        return None
    makers: dict[str, Callable[[Any, int], st.SearchStrategy[Json] | None]] = {
        "structure": _structures,
        "list": _lists,
        "map": _maps,
        "string": _texts,
    }
    return makers.get(shape.type_name, _scalars)(shape, depth)


def _structures(shape: Any, depth: int) -> st.SearchStrategy[Json] | None:
    made = {name: _values_of(member, depth + 1) for name, member in shape.members.items()}
    known = {name: values for name, values in made.items() if values is not None}
    if shape.metadata.get("union"):
        return st.one_of([st.fixed_dictionaries({name: one}) for name, one in known.items()])
    required = {name: known[name] for name in shape.required_members if name in known}
    if len(required) < len(shape.required_members):
        return None
    optional = {name: values for name, values in known.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _lists(shape: Any, depth: int) -> st.SearchStrategy[Json] | None:
    entries = _values_of(shape.member, depth + 1)
    least = shape.metadata.get("min", 0)
    if entries is None:
        return None
    return st.lists(entries, min_size=least, max_size=max(least, min(shape.metadata.get("max", 2), 2)))


def _maps(shape: Any, depth: int) -> st.SearchStrategy[Json] | None:
    keys, values = _values_of(shape.key, depth + 1), _values_of(shape.value, depth + 1)
    if keys is None or values is None:
        return None
    return st.dictionaries(keys, values, min_size=shape.metadata.get("min", 0), max_size=2)


def _texts(shape: Any, depth: int) -> st.SearchStrategy[Json] | None:
    if enum := shape.metadata.get("enum"):
        return st.sampled_from(enum)
    fitting = [text for text in _SAMPLE_TEXTS if not violations(shape, text)]
    return st.sampled_from(fitting) if fitting else None


def _scalars(shape: Any, depth: int) -> st.SearchStrategy[Json]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 1_000_000)
    match shape.type_name:
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            return st.integers(least, max(least, most))
        case "timestamp":
            return st.integers(0, 2**31)
        case _:
            return st.floats(least, max(least, most), allow_nan=False)


def _paths(value: Json, above: Path) -> list[Path]:
    entries: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        entries = list(value.items())
    elif isinstance(value, list):
        entries = list(enumerate(value))
    found = []
    for name, entry in entries:
        found += [(*above, name), *_paths(entry, (*above, name))]
    return found
