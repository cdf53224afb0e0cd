"""What an image in the engine is: its configuration, and the few files that matter, without starting it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from ..contract import paths
from .container_files import ContainerFiles, FileStatus
from .facts import DEFAULT_PATH, Config, Facts, Files, Kind, Program, Request
from .program_rules import SHELLS

_SCRIPT_BYTES: Final = 256 * 1024
_USERS: Final = "/etc/passwd"
_ELF: Final = b"\x7fELF"
_MOST_NAMES: Final = 20
_TOOLS: Final = ("bash", "python3", "python")


def config_of(inspected: Mapping[str, Any]) -> Config:
    """Return the configuration that the engine tells of an image."""
    config = inspected.get("Config") or {}
    return Config(
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environment=dict(entry.partition("=")[::2] for entry in config.get("Env") or ()),
        user=config.get("User") or "",
        working_directory=config.get("WorkingDir") or "/",
        volumes=tuple(sorted(config.get("Volumes") or ())),
        ports=tuple(sorted(config.get("ExposedPorts") or ())),
        stop_signal=config.get("StopSignal"),
        has_healthcheck=(config.get("Healthcheck") or {}).get("Test", ["NONE"]) != ["NONE"],
    )


def kind_of(config: Config, files: ContainerFiles) -> tuple[Kind, str]:
    """Return what an image seems to be for, and by what."""
    search, directory = config.environment.get("PATH", DEFAULT_PATH), config.working_directory or "/"
    if "SAGEMAKER_PROGRAM" in config.environment:
        return Kind.TRAINING, "it has SAGEMAKER_PROGRAM"
    if files.program("train", search, directory) is not None:
        return Kind.TRAINING, "it has a program `train`"
    if files.program("serve", search, directory) is not None:
        return Kind.SERVING, "it has a program `serve`"
    return Kind.TRAINING, "nothing says otherwise"


def files_of(facts: Facts, files: ContainerFiles) -> Files:
    """Look up in an image's file system what rules ask for."""
    config = facts.config
    passwd = (files.read(_USERS, _SCRIPT_BYTES) or b"").decode(errors="replace")
    homes = {name: rest[-2] for name, *rest in (line.split(":") for line in passwd.splitlines()) if len(rest) >= 2}
    search, directory = _search(facts), config.working_directory or "/"
    found = {name for name in _TOOLS if files.program(name, search, directory) is not None}
    user = (config.user or "").partition(":")[0]
    credentials = posixpath.join(homes.get(user or "root", "/root"), ".aws/credentials")
    return Files(
        program=_program(facts, files),
        below_mounts=tuple(name for mount in facts.mounted for name in files.names_below(str(mount), _MOST_NAMES)),
        has_toolkit_program=_has_toolkit_program(facts, files),
        argument_is_a_file=_argument_is_a_file(facts, files),
        users=frozenset(homes),
        credentials=credentials if files.status(credentials) is not None else None,
        tools=frozenset(found | ({"python3"} if "python" in found else set())),
    )


def python_of(facts: Facts, files: ContainerFiles) -> str | None:
    """Return the image's Python interpreter; None if it has none."""
    for name in ("python3", "python"):
        found = files.program(name, _search(facts), facts.config.working_directory or "/")
        if found is not None and found.is_executable:
            return found.path
    return None


def _search(facts: Facts) -> str:
    return facts.environment.get("PATH", DEFAULT_PATH)


def _program(facts: Facts, files: ContainerFiles) -> Program | None:
    """Return the program of the command that the service comes to; None if it is not the image's."""
    command = facts.command or facts.kind.default_command
    if not command or facts.is_mounted(command[0]):
        return None  # it comes with the job's data
    search, directory = _search(facts), facts.config.working_directory or "/"
    found = files.program(command[0], search, directory)
    if found is None:
        return Program(name=command[0], path=None)
    return _read_program(command[0], found, facts, files)


def _read_program(name: str, found: FileStatus, facts: Facts, files: ContainerFiles) -> Program:
    content = files.read(found.path, _SCRIPT_BYTES) or b""
    is_binary = content.startswith(_ELF)
    program = Program(
        name=name,
        path=found.path,
        is_executable=found.is_executable,
        is_binary=is_binary,
        text="" if is_binary else content.decode(errors="replace"),
    )
    parts = (program.shebang or "").split()
    if not parts:
        return program
    interpreter, has_it = parts[0], files.status(parts[0]) is not None
    if has_it and PurePosixPath(parts[0]).name == "env" and program.language:
        interpreter = program.language
        has_it = files.program(interpreter, _search(facts), "/") is not None
    return Program(
        name=name,
        path=found.path,
        is_executable=program.is_executable,
        text=program.text,
        interpreter=interpreter,
        has_interpreter=has_it,
    )


def _has_toolkit_program(facts: Facts, files: ContainerFiles) -> bool | None:
    name = facts.environment.get("SAGEMAKER_PROGRAM")
    return files.status(posixpath.join(paths.OPT_ML, "code", name)) is not None if name else None


def _argument_is_a_file(facts: Facts, files: ContainerFiles) -> bool | None:
    """Tell whether an interpreter that is the ENTRYPOINT would find its argument; shells also look on PATH."""
    entrypoint, argument = facts.config.entrypoint, facts.argument
    if not facts.runs_entrypoint or not entrypoint or not argument:
        return None
    directory = facts.config.working_directory or "/"
    if files.status(posixpath.join(directory, argument)) is not None:
        return True
    is_shell = PurePosixPath(entrypoint[0]).name in SHELLS
    return is_shell and files.program(argument, _search(facts), directory) is not None


def facts_of_image(inspected: Mapping[str, Any], kind: Kind, request: Request | None, reference: str | None) -> Facts:
    """Return what the engine's own description of an image tells."""
    return Facts(
        kind=kind,
        config=config_of(inspected),
        request=request,
        reference=reference,
        architecture=inspected.get("Architecture") or None,
        size=inspected.get("Size"),
    )
