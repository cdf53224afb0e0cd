"""What runs in a job of a test: an image, or in its place on a rung without images a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..jobfiles.document import ImageBuild
from ..jobfiles.images import ensure_image, image_tag
from .sagemaker_emulator import SageMakerEmulator

ProgramWords = str | Sequence[str] | Mapping[str, Any]
"""A Python file; a command; or what a job file says at `program`."""


def image_for(emulator: SageMakerEmulator, image: str | Path | None, program: ProgramWords | None) -> str:
    """Have there what the job runs, and return the image's name for its request.

    Raises:
        UsageError: nothing is given that this rung can run, or the image cannot be built.
    """
    identity = emulator.identity
    if image is None and identity.image:
        image = Path(identity.image) if identity.image.startswith((".", "/")) else identity.image
    if image is None:
        raise UsageError(
            f"Nothing says which image to run on the {emulator.engine} rung. Give image=Path('training'), a folder "
            "with a Dockerfile, or image='my/image:tag', or say it for all tests: sagemaker_image in pytest's ini file."
        )
    if isinstance(image, str):
        return image
    build = _build(emulator.rootpath / image)
    tag = image_tag(build)
    ensure_image(build, tag, lambda _: None)
    return tag


def _build(path: Path) -> ImageBuild:
    """Return how an image is built from a folder, or from a Dockerfile in its folder."""
    folder, dockerfile = (path, "Dockerfile") if path.is_dir() else (path.parent, path.name)
    if not (folder / dockerfile).is_file():
        raise UsageError(f"There is no Dockerfile {folder / dockerfile}, from which the image is to be built.")
    return ImageBuild(context=folder, dockerfile=dockerfile)
