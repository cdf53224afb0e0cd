"""Reads the `program` part of a job file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from ..contract.paths import CODE
from ..contract.programs import is_program_place
from .yaml_source import At, YamlSource

_AT: Final = ("program",)
PROGRAM_KEYS: Final = ("command", "arguments", "source", "at", "environment", "requirements")


@dataclass(frozen=True, kw_only=True)
class ProgramSection:
    """How an engine without images runs the job; see `contract.plan.Program`.

    `requirements` is a file of what its Python needs, None if that is what runs the emulator.
    """

    command: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    source: Path
    at: PurePosixPath = CODE
    environment: Mapping[str, str] = field(default_factory=dict)
    requirements: Path | None = None


def read_program(yaml: YamlSource, at: At = _AT) -> ProgramSection:
    """Return the program that stands at a place; folders and files are relative to the YAML file.

    Raises:
        UsageError: naming file, line and key, and what to write instead.
    """
    keys = yaml.mapping(at, PROGRAM_KEYS)
    if "command" not in keys:
        raise yaml.error(at, "must have a command. Write command: [python, train.py]")
    command = yaml.texts((*at, "command"))
    if not command:
        raise yaml.error((*at, "command"), "is empty. Write command: [python, train.py]")
    return ProgramSection(
        command=command,
        arguments=yaml.texts((*at, "arguments")) if "arguments" in keys else (),
        source=_folder(yaml, (*at, "source")) if "source" in keys else yaml.path.parent,
        at=_place(yaml, (*at, "at")) if "at" in keys else CODE,
        environment=_environment(yaml, (*at, "environment")) if "environment" in keys else {},
        requirements=_file(yaml, (*at, "requirements")) if "requirements" in keys else None,
    )


def _folder(yaml: YamlSource, at: At) -> Path:
    folder = yaml.path.parent / yaml.text(at)
    if folder.is_file():
        raise yaml.error(at, f"{folder} is a file. Name its folder: {folder.parent}")
    if not folder.is_dir():
        raise yaml.error(at, f"there is no folder {folder}. The path is relative to the job file.")
    return folder


def _file(yaml: YamlSource, at: At) -> Path:
    file = yaml.path.parent / yaml.text(at)
    if not file.is_file():
        raise yaml.error(at, f"there is no file {file}. The path is relative to the job file.")
    return file


def _place(yaml: YamlSource, at: At) -> PurePosixPath:
    place = PurePosixPath(yaml.text(at))
    if not is_program_place(place):
        raise yaml.error(
            at, "must be an absolute path of its own, the one that the image has its code at, such as /opt/ml/code"
        )
    return place


def _environment(yaml: YamlSource, at: At) -> dict[str, str]:
    values = yaml.mapping(at)
    return {name: "" if values[name] == "" else yaml.text((*at, name)) for name in values}
