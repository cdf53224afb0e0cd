"""What each key of a job file is for and what may stand there: editors' schema and the documentation are made of it.

Which keys there are is the parser's to say (document.py, expect_section.py); a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..contract.status import TERMINAL
from .expectations import COMPARISON_PATTERN

Schema = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key: what may stand there, in words and as a JSON schema, and what it means."""

    words: str
    schema: Schema
    meaning: str


_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}
_TEXT_MAP: Final[Schema] = {"type": "object", "additionalProperties": _TEXT}
_TEXTS_MAP: Final[Schema] = {"type": "object", "additionalProperties": _TEXTS}
_VARIABLES: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
_COMPARISON: Final[Schema] = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^(?:{COMPARISON_PATTERN})$"}],
}
_S3_ENTRIES: Final[Schema] = {
    "type": "object",
    "propertyNames": {"pattern": "^s3://[^/]"},
    "additionalProperties": _TEXT,
}


def _text(meaning: str, words: str = "text") -> Key:
    return Key(words=words, schema=_TEXT, meaning=meaning)


def _texts(meaning: str, words: str = "list of texts") -> Key:
    return Key(words=words, schema=_TEXTS, meaning=meaning)


KEYS: Final[Mapping[str, Key]] = {
    "kind": _text("What job this is."),
    "after": _texts(
        "The job files whose jobs come before this one, by their files' names without `.yaml`.", "list of names"
    ),
    "image": Key(
        words="keys below",
        schema={"type": "object"},
        meaning="The image to run; it may stand in the request instead, where the service has it.",
    ),
    "image.build": _text(
        "The folder to build the image from. It is built once for each content of the folder.", "folder"
    ),
    "image.dockerfile": _text("The Dockerfile, relative to the folder; else `Dockerfile`.", "file"),
    "image.target": _text("The stage of the Dockerfile to build; else the last."),
    "image.args": Key(words="names and texts", schema=_TEXT_MAP, meaning="Build arguments (`ARG`)."),
    "image.name": _text("An image that exists under this name, instead of `build`."),
    "program": Key(
        words="keys below",
        schema={"type": "object", "required": ["command"]},
        meaning="How an engine without images runs the job: a command in place of the image's.",
    ),
    "program.command": Key(
        words="list of texts",
        schema={**_TEXTS, "minItems": 1},
        meaning="What stands for the image's ENTRYPOINT; with `arguments`, what `docker run IMAGE train` comes to.",
    ),
    "program.arguments": _texts(
        "What is appended to the command, as CMD is to an ENTRYPOINT; ContainerArguments replace it."
    ),
    "program.source": _text("The folder with the program, copied for each job; else the job file's own.", "folder"),
    "program.at": Key(
        words="path",
        schema={"type": "string", "pattern": "^/"},
        meaning="Where the folder is in the container, and where the command starts; else `/opt/ml/code`.",
    ),
    "program.environment": Key(
        words="names and texts", schema=_VARIABLES, meaning="Variables that the image would set (`ENV`)."
    ),
    "program.requirements": _text("A requirements.txt, installed once for each content of it.", "file"),
    "data": Key(
        words="S3 URIs and paths",
        schema=_S3_ENTRIES,
        meaning="Local files and folders that are put into S3 before the job: `s3://bucket/prefix/: folder/`.",
    ),
    "request": Key(
        words="the service's request",
        schema={"type": "object"},
        meaning="The request that creates the job, as SageMaker takes it. What is required and not here is filled in.",
    ),
    "expect": Key(
        words="keys below",
        schema={"type": "object"},
        meaning="What must hold when the job has ended; else, that it completes.",
    ),
    "expect.status": Key(
        words=f"one of {', '.join(sorted(TERMINAL))}",
        schema={"enum": sorted(TERMINAL)},
        meaning="The job's status at its end; else `Completed`, or `Failed` where a failure is expected.",
    ),
    "expect.failure": _text("Is found in the job's FailureReason.", "regular expression"),
    "expect.exit_code": Key(
        words="whole number",
        schema={"type": "integer", "minimum": 0, "maximum": 255},
        meaning="The container's exit code.",
    ),
    "expect.exit_message": _text("Is found in the job's ExitMessage.", "regular expression"),
    "expect.model": _texts(
        "Files in model.tar.gz; `*` and `?` are allowed, and an empty list means that there is no file.",
        "list of names",
    ),
    "expect.output": _texts("Files in output.tar.gz, likewise.", "list of names"),
    "expect.outputs": Key(
        words="OutputNames and lists of names",
        schema=_TEXTS_MAP,
        meaning="Files of each output of the request, likewise.",
    ),
    "expect.objects": Key(
        words="S3 URIs and lists of names",
        schema={"type": "object", "propertyNames": {"pattern": "^s3://[^/]"}, "additionalProperties": _TEXTS},
        meaning="Objects below a prefix in S3, likewise.",
    ),
    "expect.metrics": Key(
        words="names and comparisons",
        schema={"type": "object", "additionalProperties": _COMPARISON},
        meaning='Final values of metrics: `">= 0.9"`, `"< 2"`, `"!= 0"` or a number.',
    ),
    "expect.logs": _texts("Each is found in a line of the log.", "list of regular expressions"),
    "expect.max_seconds": Key(
        words="number",
        schema={"type": "number", "exclusiveMinimum": 0},
        meaning="How long the job may take, from its creation to its end. It is stopped when it takes much longer.",
    ),
}
"""Every key by its place."""
