"""A program as a JSON document: how it comes over HTTP, and from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ..errors import UsageError
from .paths import CODE
from .plan import Program

_NONE: Final = "This is no program: it "
_MEMBERS: Final = ("command", "arguments", "source", "at", "environment", "path", "without")

# Where an engine that runs programs puts what every program needs: a program's folder must not hide it.
_TAKEN: Final = tuple(map(PurePosixPath, ("/", "/dev", "/etc", "/opt", "/opt/ml", "/proc", "/sys", "/tmp")))  # noqa: S108


def is_program_place(at: PurePosixPath) -> bool:
    """Tell whether a program's folder may be at a path: an absolute one that is nobody else's."""
    if not at.is_absolute() or ".." in at.parts or at in _TAKEN:
        return False
    return at.parts[1] not in ("dev", "proc", "sys")


def program_document(program: Program) -> dict[str, Any]:
    """Return the document of a program."""
    return {
        "command": list(program.command),
        "arguments": list(program.arguments),
        "source": None if program.source is None else str(program.source),
        "at": str(program.at),
        "environment": dict(program.environment),
        "path": [str(folder) for folder in program.path],
        "without": [str(folder) for folder in program.without],
    }


def parse_program(document: object, base: Path = Path("/")) -> Program:
    """Return the program that a document describes; folders are relative to `base`.

    Raises:
        UsageError: it describes none, and the text says what is wrong.
    """
    if not isinstance(document, Mapping):
        raise UsageError(_NONE + "must be a mapping with a command, such as {command: [python, train.py]}")
    unknown = sorted(map(str, set(document) - set(_MEMBERS)))
    if unknown:
        raise UsageError(_NONE + f"may not have {unknown[0]}, but {', '.join(_MEMBERS)}")
    source = document.get("source")
    if source is not None and not isinstance(source, str):
        raise UsageError(_NONE + "has a wrong source: it must be a folder's name")
    at = document.get("at", str(CODE))
    if not isinstance(at, str):
        raise UsageError(_NONE + "has a wrong at: it must be a path, such as /opt/ml/code")
    environment = document.get("environment", {})
    if not isinstance(environment, Mapping) or not all(isinstance(one, str) for one in environment.values()):
        raise UsageError(_NONE + "has a wrong environment: it must map names to texts")
    return Program(
        command=_texts(document, "command"),
        arguments=_texts(document, "arguments"),
        source=None if source is None else base / source,
        at=PurePosixPath(at),
        environment={str(name): value for name, value in environment.items()},
        path=tuple(base / folder for folder in _texts(document, "path")),
        without=tuple(base / folder for folder in _texts(document, "without")),
    )


def _texts(document: Mapping[str, Any], member: str) -> tuple[str, ...]:
    value = document.get(member, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UsageError(_NONE + f"has a wrong {member}: it must be a list of texts, such as [python, train.py]")
    return tuple(value)
