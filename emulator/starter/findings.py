"""What `init` has found out: enough to write a job file, and what to tell of it."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import UsageError
from ..jobfiles.document import kinds
from ..jobfiles.images import inspect_image
from ..lint.dockerfile import Dockerfile, words
from ..lint.facts import Config, Kind
from ..lint.image_facts import config_of
from ..lint.stages import facts_of
from .folder import Script, channels_of, dockerfile_of, script_of

_PROCESSING_NAMES: Final = re.compile(r"process|evaluat|predict|transform", re.IGNORECASE)
_NAMED: Final = "SAGEMAKER_PROGRAM"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the job file is made of. `build` and `name` say which image; neither: there is only a program.

    `entrypoint` is what the request has to say for the image to start, `told` what its writer should know.
    """

    folder: Path
    kind: str
    build: Mapping[str, str]
    name: str
    stages: Sequence[str]
    script: Script | None
    entrypoint: Sequence[str]
    channels: Mapping[str, Path]
    told: Sequence[str]


def find(given: str, kind: str | None) -> Findings:
    """Look at a folder, a Dockerfile or an image.

    Raises:
        UsageError: it is none of these, or there is nothing in it that a job could be made of.
        EngineUnavailableError: it is an image, and no engine answers.
    """
    path = Path(given)
    if path.is_dir():
        dockerfile = dockerfile_of(path)
        return _of_dockerfile(path, dockerfile, kind) if dockerfile else _of_program(path, kind)
    if path.is_file():
        if path.suffix in (".yaml", ".yml"):
            raise UsageError(f"{path} is no Dockerfile. Name a folder, a Dockerfile or an image.")
        return _of_dockerfile(path.parent, path, kind)
    if given.startswith((".", "/", "~")) or given.endswith("/"):
        raise UsageError(f"There is no file or folder {given}. Name a folder, a Dockerfile or an image.")
    return _of_image(given, kind)


def _of_dockerfile(folder: Path, dockerfile: Path, kind: str | None) -> Findings:
    try:
        read = Dockerfile.parse(dockerfile.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{dockerfile} cannot be read: {error}.") from error
    stages = _stage_names(read)
    facts = facts_of(read, Kind(kind or "training"))
    chosen = kind or _kind_of(facts.config, stages, folder)
    target = next((name for name in stages if name.lower().startswith(chosen[:5])), None)
    if target == (stages[-1] if stages else None) and _ends_with(read, target):
        target = None  # the last stage is what is built when nothing is said
    facts = facts_of(read, Kind(chosen), target=target)
    build = {"build": "."}
    if dockerfile.name != "Dockerfile":
        build["dockerfile"] = dockerfile.name
    if target:
        build["target"] = target
    script = script_of(folder, chosen, facts.config.variable(_NAMED))
    entrypoint, told = _entrypoint(chosen, facts.config, facts.copied, script)
    return Findings(
        folder=folder,
        kind=chosen,
        build=build,
        name="",
        stages=stages,
        script=script,
        entrypoint=entrypoint,
        channels=channels_of(folder),
        told=told,
    )


def _of_program(folder: Path, kind: str | None) -> Findings:
    for one in [kind] if kind else list(kinds()):
        if (script := script_of(folder, one, None)) is not None:
            break
    else:
        raise UsageError(
            f"In {folder} there is neither a Dockerfile nor a program called train.py or process.py. "
            "Name what there is: sagemaker-emulator init FOLDER, DOCKERFILE or IMAGE."
        )
    told = ["There is no Dockerfile: the job runs as a program, on the process engine only."]
    return Findings(
        folder=folder,
        kind=one,
        build={},
        name="",
        stages=(),
        script=script,
        entrypoint=(),
        channels=channels_of(folder),
        told=told,
    )


def _of_image(name: str, kind: str | None) -> Findings:
    inspected = inspect_image(name)
    if inspected is None:
        raise UsageError(
            f"There is no folder or Dockerfile {name}, and the engine has no image of this name. "
            f"Pull it first: docker pull {name}"
        )
    config = config_of(inspected)
    folder = Path()
    chosen = kind or _kind_of(config, (), None)
    script = script_of(folder, chosen, config.variable(_NAMED)) if config.variable(_NAMED) else None
    entrypoint, told = _entrypoint(chosen, config, None, None)
    return Findings(
        folder=folder,
        kind=chosen,
        build={},
        name=name,
        stages=(),
        script=script,
        entrypoint=entrypoint,
        channels=channels_of(folder),
        told=told,
    )


def _kind_of(config: Config, stages: Sequence[str], folder: Path | None) -> str:
    """Return which kind of job an image seems to be for."""
    if config.variable(_NAMED) or any(name.lower().startswith("train") for name in stages):
        return "training"
    if _PROCESSING_NAMES.search(" ".join([*(config.entrypoint or ()), *stages])):
        return "processing"
    if folder is not None and script_of(folder, "training", None) is None and script_of(folder, "processing", None):
        return "processing"
    return "training"


def _entrypoint(
    kind: str, config: Config, copied: Sequence[str] | None, script: Script | None
) -> tuple[Sequence[str], list[str]]:
    """Return the ContainerEntrypoint without which the image would not start, and what else to tell.

    A training job gets the argument `train` in the place of CMD, which only an ENTRYPOINT, the training toolkit or a
    program of that name makes anything of. What a base image has is not known.
    """
    own = config.entrypoint or config.variable(_NAMED)
    if own or any(posixpath.basename(path) == "train" for path in copied or ()):
        return (), []
    if (
        (script is not None)
        and (at := _container_path(script, copied))
        and (kind == "processing" or not config.command)
    ):
        return ("python3", at), []
    if kind == "training" and config.command and copied is not None:
        return tuple(config.command), ["SageMaker puts `train` in the place of the image's CMD: the request names it."]
    if kind == "training":
        return (), ["SageMaker runs the image with the argument `train`: it must have that program, or an ENTRYPOINT."]
    return (), [] if config.command else ["The image has no ENTRYPOINT: give the request a ContainerEntrypoint."]


def _container_path(script: Script, copied: Sequence[str] | None) -> str | None:
    """Return where a Dockerfile copies the program to, if it says so by its name or its folder's."""
    for path in copied or ():
        if posixpath.basename(path) == script.path.name:
            return path
        if posixpath.basename(path) == script.path.resolve().parent.name:
            return posixpath.join(path, script.path.name)
    return None


def _stage_names(dockerfile: Dockerfile) -> list[str]:
    starts = [words(one.value) for one in dockerfile.instructions if one.name == "FROM"]
    return [parts[2] for parts in starts if len(parts) == 3 and parts[1].upper() == "AS"]


def _ends_with(dockerfile: Dockerfile, stage: str | None) -> bool:
    """Tell whether a stage is the last one."""
    starts = [one.value for one in dockerfile.instructions if one.name == "FROM"]
    return bool(starts) and stage is not None and os.fspath(starts[-1]).split()[-1] == stage
