"""What runs in a job of a test: an image, or in its place on a rung without images a program."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ..contract.paths import CODE
from ..contract.plan import Program
from ..errors import UsageError
from ..jobfiles.document import ImageBuild
from ..jobfiles.environments import environment_of, wheels_of
from ..jobfiles.images import ensure_image, image_tag
from ..jobfiles.programs import REPOSITORY
from .requests import require_list
from .sagemaker_emulator import SageMakerEmulator

ProgramWords = str | Path | Sequence[str] | Mapping[str, Any]
"""A Python file; a command; or what a job file says at `program`."""

_KEYS: Final = ("command", "arguments", "source", "at", "environment", "requirements")
_NAME_CHARACTERS: Final = 12


def image_for(emulator: SageMakerEmulator, image: str | Path | None, program: ProgramWords | None) -> str:
    """Have there what the job runs, and return the image's name for its request.

    Raises:
        UsageError: nothing is given that this rung can run, or the image cannot be built.
    """
    identity = emulator.identity
    if image is None and identity.image:
        image = identity.image
        if isinstance(image, str) and image.startswith((".", "/")):
            image = Path(image)
    if not emulator.clients.runs_images():
        return _registered(emulator, image, program or identity.program)
    if image is None:
        hint = " A program alone is for the process rung: mark the test sagemaker_rung('process')." if program else ""
        raise UsageError(
            f"Nothing says which image to run on the {emulator.engine} rung. Give image=Path('training'), a folder "
            "with a Dockerfile, or image='my/image:tag', or say it for all tests: sagemaker_image in pytest's ini file."
            + hint
        )
    if isinstance(image, str):
        return image
    build = _build(emulator.rootpath / image)
    tag = image_tag(build)
    ensure_image(build, tag, lambda _: None)
    return tag


def program_of(words: ProgramWords, base: Path, *, beside: Path | None = None) -> Program:
    """Return the program that a test describes; paths are relative to the image's folder if it has one, else to `base`.

    Raises:
        UsageError: it is none, with what to write instead.
    """
    around = base if beside is None else beside
    if isinstance(words, str | Path):
        file = around / words
        if not file.is_file():
            raise UsageError(f"program={str(words)!r}: there is no file {file}. A command is a list: ['python3', ...].")
        return Program(command=("python3", file.name), source=file.parent.absolute())
    if not isinstance(words, Mapping):
        require_list("program", words, "['python3', 'train.py']")
        return Program(command=tuple(words), source=None if beside is None else beside.absolute())
    unknown = sorted(words.keys() - set(_KEYS))
    if unknown or not words.get("command"):
        what = f"there is no key {unknown[0]!r}" if unknown else "it has no command"
        raise UsageError(f"program={dict(words)!r}: {what}. Known: {', '.join(_KEYS)}.")
    path: tuple[Path, ...] = ()
    without: tuple[Path, ...] = ()
    if words.get("requirements"):
        requirements = (around / words["requirements"]).absolute()
        path, without = (environment_of(requirements, lambda _: None)[0],), (wheels_of(requirements),)
    return Program(
        command=tuple(words["command"]),
        arguments=tuple(words.get("arguments", ())),
        source=(around / words.get("source", ".")).absolute(),
        at=PurePosixPath(words.get("at", CODE)),
        environment=dict(words.get("environment", {})),
        path=path,
        without=without,
    )


def _registered(emulator: SageMakerEmulator, image: str | Path | None, words: ProgramWords | None) -> str:
    """Register a program, and return the name of the image that it stands for."""
    if not words:
        raise UsageError(
            f"The {emulator.engine} rung runs no images. Say what runs in the image's place: program='train.py', or "
            "sagemaker_program in pytest's ini file; or mark the test sagemaker_needs('images')."
        )
    folder = _folder_of(emulator.rootpath / image) if isinstance(image, Path) else None
    program = program_of(words, emulator.rootpath, beside=folder if words != emulator.identity.program else None)
    if isinstance(image, str):
        name = image
    else:
        known = hashlib.sha256(repr(program).encode()).hexdigest()[:_NAME_CHARACTERS]
        name = f"{REPOSITORY}/test:{known}"
    emulator.clients.register(name, program)
    return name


def _folder_of(path: Path) -> Path:
    if not path.exists():
        raise UsageError(f"There is no folder and no Dockerfile {path}, from which the image would be built.")
    return path if path.is_dir() else path.parent


def _build(path: Path) -> ImageBuild:
    """Return how an image is built from a folder, or from a Dockerfile in its folder."""
    folder, dockerfile = (path, "Dockerfile") if path.is_dir() else (path.parent, path.name)
    if not (folder / dockerfile).is_file():
        raise UsageError(f"There is no Dockerfile {folder / dockerfile}, from which the image is to be built.")
    return ImageBuild(context=folder, dockerfile=dockerfile)
