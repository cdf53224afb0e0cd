"""Builds the image of a job file, once for each content of its folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import docker
import requests
from docker.errors import APIError, DockerException
from docker.utils import exclude_paths, match_tag
from docker.utils.build import PatternMatcher

from ..engines.docker.connection import connect
from ..errors import UsageError
from .document import ImageBuild
from .events import BuildOutput, ImageReady, OnEvent

REPOSITORY: Final = "sagemaker-emulator-build"
CONTEXT_LABEL: Final = "sagemaker-emulator.build-context"
_HASH_CHARACTERS: Final = 20
_LINES_SHOWN: Final = 15
# No step of a build may be silent for longer than this.
_SILENCE_SECONDS: Final = 1800


class ImageBuildError(UsageError):
    """The image cannot be built; the text has the end of the build's output."""

    def __init__(self, build: ImageBuild, reason: str, lines: Iterable[str]) -> None:
        output = "".join(f"  {line}\n" for line in lines)
        super().__init__(
            f"The image of {build.context} cannot be built: {reason}\n{output}"
            "Correct it, or build it yourself and write image: {name: IMAGE} into the job file."
        )


def image_tag(build: ImageBuild) -> str:
    """Return the name of the image: the folder's, and a hash of all that goes into the build.

    A base image that has changed under its name is not noticed.

    Raises:
        ImageBuildError: a file of the folder cannot be read.
    """
    name = build.context.resolve().name.lower()
    if not match_tag(f"{REPOSITORY}/{name}"):
        name = re.sub(r"[^a-z0-9]+", "-", name).strip("-") or "image"
    try:
        return f"{REPOSITORY}/{name}:{context_hash(build)}"
    except (OSError, UnicodeDecodeError) as error:
        raise ImageBuildError(build, f"its files cannot be read: {error}", ()) from error


def context_hash(build: ImageBuild) -> str:
    """Return a hash of what a build depends on.

    Of the files that are left after .dockerignore, by content, name and mode; of the Dockerfile, which
    may lie elsewhere; of the target and the build arguments. Times and owners do not count.
    """
    digest = hashlib.sha256(json.dumps([build.dockerfile, build.target, sorted(build.args.items())]).encode())
    _add(digest, "Dockerfile", build.context / build.dockerfile)
    for name in context_files(build):
        _add(digest, name, build.context / name)
    return digest.hexdigest()[:_HASH_CHARACTERS]


def context_files(build: ImageBuild) -> list[str]:
    """Return the files and folders that are sent to the engine, as the Docker SDK chooses them."""
    # The SDK puts the Dockerfile back after .dockerignore, but for one outside of the folder.
    return sorted(exclude_paths(str(build.context), list(_ignored(build.context)), dockerfile=build.dockerfile))


def context_filter(build: ImageBuild) -> Callable[[str], bool]:
    """Return what tells whether a file of this name, there or not, goes into the build.

    A change of .dockerignore always counts: it may change which others go.
    """
    ignored = PatternMatcher([*_ignored(build.context), f"!{build.dockerfile}"])
    return lambda name: name == ".dockerignore" or not ignored.matches(name)  # type: ignore[arg-type] # a text it must be


def inspect_image(name: str) -> Mapping[str, Any] | None:
    """Return what the engine says of an image; None if it has none of this name.

    Raises:
        EngineUnavailableError: no Docker Engine answers.
    """
    with closing(connect()) as engine:
        try:
            found: Mapping[str, Any] = engine.inspect_image(name)  # type: ignore[no-untyped-call]
        except APIError:  # there is none, or this is no name of an image
            return None
    return found


def ensure_image(build: ImageBuild, tag: str, on_event: OnEvent) -> None:
    """Build the image under its `image_tag`, unless it is there already.

    Raises:
        ImageBuildError: with the last lines of the build's output.
        EngineUnavailableError: no Docker Engine answers.
    """
    engine = connect()
    try:
        seconds = None if _exists(engine, tag) else _built(engine, build, tag, on_event)
    finally:
        engine.close()
    on_event(ImageReady(name=tag, seconds=seconds))


def _ignored(context: Path) -> Iterator[str]:
    """Yield the patterns of .dockerignore, read as the SDK reads them."""
    path = context / ".dockerignore"
    if path.exists():
        lines = (line.strip() for line in path.read_text().splitlines())
        yield from (line for line in lines if line and not line.startswith("#"))


def _add(digest: Any, name: str, path: Path) -> None:
    """Add one file, folder or link to a hash, so that no two trees give the same bytes."""
    info = path.lstat()
    digest.update(f"\0{len(name)}:{name}\0{stat.filemode(info.st_mode)}\0".encode())
    if stat.S_ISLNK(info.st_mode):
        digest.update(str(path.readlink()).encode())
    elif stat.S_ISREG(info.st_mode):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())


def _exists(engine: docker.APIClient, tag: str) -> bool:
    return bool(engine.images(name=tag, quiet=True))


def _built(engine: docker.APIClient, build: ImageBuild, tag: str, on_event: OnEvent) -> float:
    """Build, and return how many seconds it took."""
    started = time.monotonic()
    lines: deque[str] = deque(maxlen=_LINES_SHOWN)

    def tell(line: str) -> None:
        lines.append(line)
        on_event(BuildOutput(line=line))

    try:
        output = engine.build(
            path=str(build.context),
            dockerfile=build.dockerfile,
            tag=tag,
            target=build.target or "",
            buildargs=dict(build.args),
            labels={CONTEXT_LABEL: os.fspath(build.context.resolve())},
            rm=True,
            forcerm=True,
            decode=True,
            timeout=_SILENCE_SECONDS,
        )
        reason = _follow(output, tell)
    except APIError as error:
        reason = str(error.explanation)
    except (DockerException, requests.RequestException, OSError) as error:
        reason = str(error)
    if reason:
        raise ImageBuildError(build, reason, lines)
    return time.monotonic() - started


def _follow(output: Iterable[dict[str, Any]], tell: Callable[[str], None]) -> str:
    """Pass the build's output on line by line; return the error it ends with, "" if none."""
    for message in output:
        if "error" in message:
            return str(message["error"]).strip()
        if text := message.get("stream", ""):
            for line in text.splitlines():
                if line.strip():
                    tell(line.rstrip())
        elif "status" in message and "progressDetail" not in message:
            tell(str(message["status"]))
    return ""
