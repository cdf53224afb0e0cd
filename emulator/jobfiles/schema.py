"""Job files as a JSON schema, for editors: what the parser and the service's model say, in the words of both.

A schema cannot know everything (which files there are, what is a regular expression): the parser refuses more. It
never refuses less: what is wrong by the schema, is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, Final

import botocore
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from ..contract.arns import Scope
from ..contract.fidelity import MEMBERS
from ..contract.fidelity_rows import Row, Treatment
from ..contract.kinds import JobKind
from ..service_models import service_model
from .document import JobFile, kinds, known_keys
from .keys import KEYS
from .references import REFERENCE_SCHEMA
from .request import complete
from .yaml_source import YamlSource

# Draft 7 is what editors know.
_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_LONGEST_DESCRIPTION: Final = 300
# A closed set that is longer than this is written down once.
_LONGEST_ENUM: Final = 12
_ALSO_REQUIRED: Final = {"ProcessingOutputConfig.Outputs[].S3Output": ("S3Uri",)}
_TYPES: Final = {
    "structure": "object",
    "map": "object",
    "list": "array",
    "string": "string",
    "boolean": "boolean",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
}


@cache
def request_shape(kind: JobKind) -> Shape:
    """Return what a request that creates a job may be, by the model that ships with botocore."""
    model = ServiceModel(service_model("sagemaker"), "sagemaker")
    shape = model.operation_model(f"Create{kind.noun}").input_shape
    if shape is None:
        raise LookupError(f"botocore's Create{kind.noun} takes no request.")
    return shape


def schema_text() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(job_file_schema(), indent=1, ensure_ascii=False) + "\n"


def job_file_schema() -> dict[str, Any]:
    """Return the schema."""
    definitions: dict[str, Any] = {"reference": dict(REFERENCE_SCHEMA)}
    by_kind = [_of_kind(name, kind, definitions) for name, kind in kinds().items()]
    (top, *_) = [known_keys(kind)[""] for kind in kinds().values()]
    return {
        "$schema": _DIALECT,
        "$comment": f"Made by `sagemaker-emulator schema`, with the model of botocore {botocore.__version__}.",
        "title": "A job file of sagemaker-emulator",
        "type": "object",
        "required": ["kind"],
        "additionalProperties": False,
        "properties": {name: _key(name) for name in top} | {"kind": _key("kind") | {"enum": list(kinds())}},
        "allOf": by_kind,
        "definitions": definitions,
    }


def _of_kind(name: str, kind: JobKind, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return what holds for one kind of jobs, whose request and expectations become definitions."""
    job_file = _smallest(name)
    structure, member = job_file.image_member
    request = _RequestSchema(kind, complete(job_file, image="image", scope=Scope()), definitions)
    definitions[f"{name}-request"] = _key("request") | request.schema()
    definitions[f"{name}-expect"] = _key("expect", known_keys(kind)["expect"])
    with_image = {"properties": {"request": _having(structure, _having(member))}, "required": ["request"]}
    return {
        "if": {"required": ["kind"], "properties": {"kind": {"const": name}}},
        "then": {
            "properties": {part: {"$ref": f"#/definitions/{name}-{part}"} for part in ("request", "expect")},
            "anyOf": [{"required": ["image"]}, {"required": ["program"]}, with_image],
        },
    }


def _smallest(kind: str) -> JobFile:
    """Return a job file that says as little as one may: what `complete` adds to it, nobody has to write."""
    return JobFile.parse(YamlSource.parse(Path("job.yaml"), f"kind: {kind}\nimage: {{name: image}}\n"))


def _having(name: str, value: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: dict(value or {})}}


def _key(at: str, below: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return the schema of a key of ours, with those below it."""
    known = KEYS.get(at)
    if known is None:
        return {}
    schema = {"description": known.meaning, **known.schema}
    (any_kind, *_) = kinds().values()
    names = below if below is not None else known_keys(any_kind).get(at, ()) if at != "expect" else ()
    if names:
        schema |= {"additionalProperties": False, "properties": {name: _key(f"{at}.{name}") for name in names}}
    if at == "image":
        schema["oneOf"] = [
            {"required": ["build"], "not": {"required": ["name"]}},
            {"required": ["name"], "maxProperties": 1},
        ]
    return schema


class _RequestSchema:
    """Turns the shape of a request into a schema in which every value may wait for another job."""

    def __init__(self, kind: JobKind, filled: Mapping[str, Any], definitions: dict[str, Any]) -> None:
        self._shape = request_shape(kind)
        self._rows = {row.path: row for row in MEMBERS[f"Create{kind.noun}"].rows}
        self._filled = filled
        self._definitions = definitions

    def schema(self) -> dict[str, Any]:
        """Return the schema of the whole request, which is no reference."""
        return self._written(self._shape, "", self._filled)

    def _value(self, shape: Shape, path: str, filled: Any) -> dict[str, Any]:
        """Return the schema of a value, `filled` being what is there when nothing is written."""
        written = self._written(shape, path, filled)
        if len(written.get("enum", ())) > _LONGEST_ENUM:
            self._definitions[shape.name] = written
            written = {"$ref": f"#/definitions/{shape.name}"}
        return self._described(shape, path) | {"anyOf": [written, {"$ref": "#/definitions/reference"}]}

    def _written(self, shape: Shape, path: str, filled: Any) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": _TYPES[shape.type_name]} if shape.type_name in _TYPES else {}
        if isinstance(shape, StructureShape):
            return schema | self._members(shape, path, filled if isinstance(filled, dict) else {})
        if isinstance(shape, ListShape):
            entry = self._value(shape.member, f"{path}[]", None)
            return schema | _bounds(shape, "minItems", "maxItems") | {"items": entry}
        if isinstance(shape, MapShape):
            names = {key: rule for key, rule in _rules_of_text(shape.key).items() if key != "enum"}
            return (
                schema
                | _bounds(shape, "minProperties", "maxProperties")
                | ({"propertyNames": names} if names else {})
                | {"additionalProperties": self._value(shape.value, f"{path}[]", None)}
            )
        if shape.type_name == "string":
            return schema | _rules_of_text(shape)
        return schema | _bounds(shape, "minimum", "maximum")

    def _members(self, shape: StructureShape, path: str, filled: Mapping[str, Any]) -> dict[str, Any]:
        required = [*shape.required_members, *_ALSO_REQUIRED.get(path, ())]
        missing = [name for name in dict.fromkeys(required) if name not in filled]
        return {
            "additionalProperties": False,
            **({"required": missing} if missing else {}),
            "properties": {
                name: self._value(member, f"{path}.{name}" if path else name, filled.get(name))
                for name, member in shape.members.items()
            },
        }

    def _described(self, shape: Shape, path: str) -> dict[str, Any]:
        """Say what a member is, by botocore's documentation, and what becomes of it here."""
        texts = [_first_sentences(shape.documentation), _here(self._rows.get(path))]
        description = " ".join(text for text in texts if text)
        return {"description": description} if description else {}


def _rules_of_text(shape: Shape) -> dict[str, Any]:
    rules = _bounds(shape, "minLength", "maxLength")
    if "enum" in shape.metadata:
        rules["enum"] = list(shape.metadata["enum"])
    if pattern := _ecma_pattern(shape.metadata.get("pattern", "")):
        rules["pattern"] = pattern
    return rules


def _bounds(shape: Shape, least: str, most: str) -> dict[str, Any]:
    names = {"min": least, "max": most}
    return {names[name]: shape.metadata[name] for name in names if name in shape.metadata}


def _ecma_pattern(pattern: str) -> str:
    r"""Return a pattern of the service's model as editors read it; "" where Java's `\p{L}` and the like are in it."""
    try:
        re.compile(pattern)
    except re.error:
        return ""
    return f"^(?:{pattern})$" if pattern else ""


def _first_sentences(documentation: str) -> str:
    """Return the beginning of a documentation in HTML as plain text."""
    (paragraph, *_) = re.split(r"</p>|<(?:ul|important|note)>", documentation)
    text = " ".join(unescape(re.sub(r"<[^>]+>", "", paragraph)).split())
    if len(text) <= _LONGEST_DESCRIPTION:
        return text
    shorter = text[:_LONGEST_DESCRIPTION].rpartition(". ")[0]
    return f"{shorter}." if shorter else f"{text[:_LONGEST_DESCRIPTION].rpartition(' ')[0]} ..."


def _here(row: Row | None) -> str:
    if row is None:
        return ""
    if row.treatment is Treatment.REFUSED:
        return f"Not emulated: {row.meaning}; {row.instead}."
    only = f" Only {', '.join(map(str, row.accepted))}: {row.why}; {row.instead}." if row.accepted else ""
    return f"Here: {row.meaning}{only}"
