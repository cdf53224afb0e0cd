"""What a Dockerfile alone tells of the image it makes: the final stage and those it stands on. Pure.

What only the base image knows stays unknown, and a variable that nobody has set makes what uses it unknown.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .dockerfile import INSTRUCTIONS, Dockerfile, Instruction, expanded, unquoted, words
from .facts import Config, Facts, Kind, Place, Request

Variables = Mapping[str, str]

_SCRATCH: Final = "scratch"
_PLACED: Final = ("ENTRYPOINT", "CMD", "USER", "HEALTHCHECK", "STOPSIGNAL", "WORKDIR")


@dataclass
class _Stage:
    """One stage: its FROM, and what follows up to the next."""

    start: Instruction
    image: str | None
    name: str
    body: list[Instruction] = field(default_factory=list)


@dataclass
class _Reading:
    """What has been read of the image so far."""

    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    working_directory: str | None = None
    volumes: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    stop_signal: str | None = None
    has_healthcheck: bool = False
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    has_own_command: bool = False
    places: list[Place] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    base_tags: list[tuple[str, int]] = field(default_factory=list)
    architecture: str | None = None


def facts_of(
    dockerfile: Dockerfile,
    kind: Kind,
    *,
    target: str | None = None,
    arguments: dict[str, str] | None = None,
    request: Request | None = None,
) -> Facts:
    """Return what a Dockerfile says of the image of its last stage, or of the stage `target`."""
    given = arguments or {}
    stages, failure = _stages(dockerfile, given)
    reading = _Reading()
    for stage in _chain(stages, target):
        _read_stage(stage, reading, given)
    for one in dockerfile.instructions:
        if one.name not in INSTRUCTIONS and failure is None:
            failure = (f"there is no instruction {one.name[:40]!r}", one.line)
    return Facts(
        kind=kind,
        config=Config(
            entrypoint=reading.entrypoint,
            command=reading.command,
            environment=reading.environment,
            user=reading.user,
            working_directory=reading.working_directory,
            volumes=tuple(reading.volumes),
            ports=tuple(reading.ports),
            stop_signal=reading.stop_signal,
            has_healthcheck=reading.has_healthcheck,
        ),
        request=request,
        architecture=reading.architecture,
        places=tuple(reading.places),
        copied=tuple(reading.copied),
        base_tags=tuple(reading.base_tags),
        build_failure=failure,
    )


def _stages(dockerfile: Dockerfile, given: dict[str, str]) -> tuple[list[_Stage], tuple[str, int | None] | None]:
    """Return the stages, and why there can be none."""
    variables: dict[str, str] = {}
    stages: list[_Stage] = []
    for one in dockerfile.instructions:
        if one.name == "FROM":
            parts = words(one.value)
            image = expanded(unquoted(parts[0]), variables) if parts else None
            named = len(parts) == 3 and parts[1].upper() == "AS"
            stages.append(_Stage(start=one, image=image, name=parts[2].lower() if named else ""))
        elif stages:
            stages[-1].body.append(one)
        elif one.name == "ARG":
            _read_argument(one, variables, given)
    return stages, None if stages else ("it has no FROM instruction", None)


def _chain(stages: Sequence[_Stage], target: str | None) -> list[_Stage]:
    """Return the stages that an image is made of, the one that stands on another image first."""
    numbers = {stage.name: number for number, stage in enumerate(stages) if stage.name}
    number: int | None = len(stages) - 1
    if target is not None:
        number = numbers.get(target.lower(), int(target) if target.isdecimal() and int(target) < len(stages) else None)
    chain: list[_Stage] = []
    while number is not None and number >= 0:
        chain.insert(0, stages[number])
        base = numbers.get((stages[number].image or "").lower())
        number = base if base is not None and base < number else None
    return chain


def _read_stage(stage: _Stage, reading: _Reading, given: dict[str, str]) -> None:
    if not reading.places:
        _read_base(stage, reading)
    reading.places.append(Place(instruction="FROM", word="", line=stage.start.line))
    reading.arguments = {}
    reading.has_own_command = False
    for one in stage.body:
        if one.name == "ARG":
            _read_argument(one, reading.arguments, given)
        else:
            _read(one, reading)


def _read_base(stage: _Stage, reading: _Reading) -> None:
    platform = expanded(stage.start.flags.get("platform", ""), {})
    if platform:
        reading.architecture = platform.split("/")[1] if "/" in platform else None
    if stage.image == _SCRATCH:
        reading.entrypoint = reading.command = ()
        reading.user, reading.working_directory = "", "/"
    elif stage.image is not None:
        reading.base_tags.append((stage.image, stage.start.line))


def _read_argument(one: Instruction, variables: dict[str, str], given: dict[str, str]) -> None:
    for word in words(one.value):
        name, has_default, default = word.partition("=")
        value = given.get(name, expanded(unquoted(default), variables) if has_default else None)
        if value is not None:
            variables[name] = value


def _read(one: Instruction, reading: _Reading) -> None:
    if one.name in _PLACED:
        reading.places.append(Place(instruction=one.name, word="", line=one.line))
    if one.name in _READERS:
        _READERS[one.name](one, reading, {**reading.arguments, **reading.environment})


def _read_entrypoint(one: Instruction, reading: _Reading, _variables: Variables) -> None:
    reading.entrypoint = _command(one, reading.shell)
    if not reading.has_own_command:
        reading.command = ()  # an ENTRYPOINT drops the base image's CMD


def _read_command(one: Instruction, reading: _Reading, _variables: Variables) -> None:
    reading.command = _command(one, reading.shell)
    reading.has_own_command = True


def _read_shell(one: Instruction, reading: _Reading, _variables: Variables) -> None:
    reading.shell = one.json_array or reading.shell


def _read_user(one: Instruction, reading: _Reading, variables: Variables) -> None:
    reading.user = expanded(unquoted(one.value), variables)


def _read_working_directory(one: Instruction, reading: _Reading, variables: Variables) -> None:
    reading.working_directory = _below(reading.working_directory, expanded(unquoted(one.value), variables))


def _read_stop_signal(one: Instruction, reading: _Reading, variables: Variables) -> None:
    reading.stop_signal = expanded(unquoted(one.value), variables)


def _read_healthcheck(one: Instruction, reading: _Reading, _variables: Variables) -> None:
    reading.has_healthcheck = one.value.strip().upper() != "NONE"


def _command(one: Instruction, shell: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command of the exec form, or of the shell form with the shell before it."""
    listed = one.json_array
    if listed is not None:
        return listed
    return (*shell, one.value) if one.value else ()


def _read_environment(one: Instruction, reading: _Reading, variables: Variables) -> None:
    parts = words(one.value)
    if parts and "=" not in parts[0]:  # the old form: ENV NAME the rest
        pairs = [(parts[0], one.value[len(parts[0]) :].strip())]
    else:
        pairs = [(name, value) for name, has_value, value in (word.partition("=") for word in parts) if has_value]
    for name, value in pairs:
        reading.places.append(Place(instruction="ENV", word=name, line=one.line))
        filled = expanded(unquoted(value), variables)
        # That it is set is known, also where its value is not.
        reading.environment[name] = value if filled is None else filled


def _read_words(one: Instruction, reading: _Reading, variables: Variables) -> None:
    for word in one.json_array or words(one.value):
        value = expanded(unquoted(word), variables)
        if value is None:
            continue
        reading.places.append(Place(instruction=one.name, word=value, line=one.line))
        if one.name == "VOLUME":
            reading.volumes.append(value)
        else:
            reading.ports.append(value if "/" in value else f"{value}/tcp")


def _read_copy(one: Instruction, reading: _Reading, variables: Variables) -> None:
    *sources, destination = one.json_array or words(one.value) or [""]
    path = expanded(unquoted(destination), variables)
    if not sources or not path:
        return
    below = _below(reading.working_directory, path)
    if below is None:
        return
    if path.endswith("/") and len(sources) == 1 and not sources[0].startswith("<<"):
        below = posixpath.join(below, posixpath.basename(sources[0].rstrip("/")))
    reading.copied.append(below)
    reading.places.append(Place(instruction="COPY", word=below, line=one.line))


def _below(directory: str | None, path: str | None) -> str | None:
    """Return a path as seen from a working directory; None if that is not known."""
    if path is None or (directory is None and not path.startswith("/")):
        return None
    return posixpath.normpath(posixpath.join(directory or "/", path))


_READERS: Final[dict[str, Callable[[Instruction, _Reading, Variables], None]]] = {
    "ENTRYPOINT": _read_entrypoint,
    "CMD": _read_command,
    "SHELL": _read_shell,
    "ENV": _read_environment,
    "USER": _read_user,
    "WORKDIR": _read_working_directory,
    "VOLUME": _read_words,
    "EXPOSE": _read_words,
    "STOPSIGNAL": _read_stop_signal,
    "HEALTHCHECK": _read_healthcheck,
    "COPY": _read_copy,
    "ADD": _read_copy,
}
