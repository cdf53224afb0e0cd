"""A job file as frozen values, checked as far as that can be done without running anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from ..contract.arns import S3Uri
from ..contract.status import TERMINAL, JobStatus
from ..errors import ValidationError
from .expectations import Comparison, Expectations
from .yaml_source import At, YamlSource

_KEYS: Final = ("kind", "image", "program", "data", "request", "expect")
_IMAGE_KEYS: Final = ("build", "dockerfile", "target", "args", "name")
_PROGRAM_KEYS: Final = ("command", "source")
_EXPECT_KEYS: Final = ("status", "failure", "exit_code", "model", "output", "metrics", "logs", "max_seconds")
_LATER_KINDS: Final = ("processing", "transform", "tuning", "pipeline", "endpoint")
# In these members of the request YAML's own types are a trap: the service takes strings only.
_STRING_MAPS: Final = ("HyperParameters", "Environment")


@dataclass(frozen=True, kw_only=True)
class ImageBuild:
    """An image to build from a folder. The Dockerfile's name is relative to the folder."""

    context: Path
    dockerfile: str = "Dockerfile"
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ImageName:
    """An image that exists under this name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Program:
    """How an engine without images runs the job: a command in a folder."""

    command: tuple[str, ...]
    source: Path


@dataclass(frozen=True, kw_only=True)
class DataEntry:
    """A local file or folder, and where it goes in S3."""

    source: Path
    destination: S3Uri
    at: At

    def uri_of(self, file: Path) -> S3Uri:
        """Return where a file of this entry goes: a folder's below the prefix, a file's at the key itself."""
        if self.source.is_dir():
            return self._below(file.relative_to(self.source).as_posix())
        return self._below(file.name) if self.destination.key.endswith("/") else self.destination

    def _below(self, name: str) -> S3Uri:
        return S3Uri(bucket=self.destination.bucket, key=self.destination.key + name)


@dataclass(frozen=True, kw_only=True)
class JobFile:
    """What a job file says. The request is as written, without what is filled in later."""

    yaml: YamlSource
    image: ImageBuild | ImageName
    program: Program | None
    data: tuple[DataEntry, ...]
    request: Mapping[str, Any]
    expect: Expectations

    @property
    def path(self) -> Path:
        """The file."""
        return self.yaml.path

    @classmethod
    def load(cls, path: Path) -> JobFile:
        """Read and check a job file.

        Raises:
            UsageError: naming file, line and key, and what to write instead.
        """
        return cls.parse(YamlSource.read(path))

    @classmethod
    def parse(cls, yaml: YamlSource) -> JobFile:
        """Check a document that was read.

        Raises:
            UsageError: naming file, line and key, and what to write instead.
        """
        if not isinstance(yaml.document, dict):
            raise yaml.error((), "a job file has the keys kind, image, data, request and expect at its top level.")
        yaml.mapping((), _KEYS)
        _check_kind(yaml)
        program = _program(yaml) if yaml.has(("program",)) else None
        return cls(
            yaml=yaml,
            image=_image(yaml),
            program=program,
            data=_data(yaml) if yaml.has(("data",)) else (),
            request=_request(yaml),
            expect=_expect(yaml) if yaml.has(("expect",)) else Expectations(),
        )


def _check_kind(yaml: YamlSource) -> None:
    at: At = ("kind",)
    kind = yaml.text(at) if yaml.has(at) else None
    if kind is None:
        raise yaml.error(at, "is missing. Write kind: training")
    if kind in _LATER_KINDS:
        raise yaml.error(at, f"{kind} jobs are not supported yet: this version runs kind: training only.")
    if kind != "training":
        raise yaml.error(at, f"there is no kind {kind!r}. Write kind: training")


def _image(yaml: YamlSource) -> ImageBuild | ImageName:
    """Return the image, which may stand in the request instead."""
    at: At = ("image",)
    in_request: At = ("request", "AlgorithmSpecification", "TrainingImage")
    if yaml.has(at) and yaml.has(in_request):
        raise yaml.error(in_request, "the image is named twice. Remove this one, or the image at the top level.")
    if yaml.has(in_request):
        return ImageName(name=yaml.text(in_request))
    if yaml.has(at):
        return _image_at(yaml, at)
    if yaml.has(("program",)):
        raise yaml.error(
            ("program",),
            "to run a program without an image needs the process engine, which this version does not have. "
            "Add an image, such as image: {build: .} or image: {name: my/image:tag}",
        )
    raise yaml.error(at, "is missing. Write image: {build: .} to build one here, or image: {name: my/image:tag}")


def _image_at(yaml: YamlSource, at: At) -> ImageBuild | ImageName:
    if isinstance(written := yaml.get(at), str):
        raise yaml.error(
            at, f"must say what this is. Write {{name: {written}}} for an image, {{build: DIR}} for a folder"
        )
    keys = yaml.mapping(at, _IMAGE_KEYS)
    if ("name" in keys) == ("build" in keys):
        raise yaml.error(at, "must have either build (a folder with a Dockerfile) or name (an image that exists).")
    if "name" in keys:
        if len(keys) > 1:
            other = next(key for key in keys if key != "name")
            raise yaml.error((*at, other), "goes with build, not with name. Remove it.")
        return ImageName(name=yaml.text((*at, "name")))
    build = ImageBuild(
        context=_folder(yaml, (*at, "build")),
        dockerfile=yaml.text((*at, "dockerfile")) if "dockerfile" in keys else "Dockerfile",
        target=yaml.text((*at, "target")) if "target" in keys else None,
        args=_strings(yaml, (*at, "args")) if "args" in keys else {},
    )
    if not (build.context / build.dockerfile).is_file():
        where = (*at, "dockerfile") if "dockerfile" in keys else (*at, "build")
        raise yaml.error(
            where, f"there is no file {build.context / build.dockerfile}. Write one, or name it: dockerfile: NAME"
        )
    return build


def _program(yaml: YamlSource) -> Program:
    at: At = ("program",)
    keys = yaml.mapping(at, _PROGRAM_KEYS)
    if "command" not in keys:
        raise yaml.error(at, "must have a command. Write command: [python, train.py]")
    command = yaml.texts((*at, "command"))
    if not command:
        raise yaml.error((*at, "command"), "is empty. Write command: [python, train.py]")
    source = _folder(yaml, (*at, "source")) if "source" in keys else yaml.path.parent
    return Program(command=command, source=source)


def _data(yaml: YamlSource) -> tuple[DataEntry, ...]:
    return tuple(_data_entry(yaml, ("data", uri)) for uri in yaml.mapping(("data",)))


def _data_entry(yaml: YamlSource, at: At) -> DataEntry:
    uri = str(at[-1])
    try:
        destination = S3Uri.parse(uri)
    except ValidationError:
        destination = None
    if destination is None or not uri.startswith("s3://"):
        raise yaml.error(at, "is no S3 URI. Write s3://bucket/prefix/: local/folder/")
    source = yaml.path.parent / yaml.text(at)
    if not source.exists():
        raise yaml.error(at, f"there is no file or folder {source}. The path is relative to the job file.")
    if source.is_dir() and destination.key and not destination.key.endswith("/"):
        raise yaml.error(at, f"{source} is a folder: its files go below a prefix. Write {uri}/")
    if source.is_file() and not destination.key:
        raise yaml.error(at, f"{source} is a file and needs a key. Write s3://{destination.bucket}/{source.name}")
    return DataEntry(source=source, destination=destination, at=at)


def _request(yaml: YamlSource) -> dict[str, Any]:
    at: At = ("request",)
    if not yaml.has(at):
        return {}
    request = yaml.mapping(at)
    for name in _STRING_MAPS:
        if name in request:
            _strings(yaml, (*at, name), may_be_empty=True)
    return request


def _strings(yaml: YamlSource, at: At, *, may_be_empty: bool = False) -> dict[str, str]:
    values = yaml.mapping(at)
    return {key: "" if may_be_empty and value == "" else yaml.text((*at, key)) for key, value in values.items()}


def _folder(yaml: YamlSource, at: At) -> Path:
    folder = yaml.path.parent / yaml.text(at)
    if not folder.is_dir():
        raise yaml.error(at, f"there is no folder {folder}. The path is relative to the job file.")
    return folder


# What must hold


def _expect(yaml: YamlSource) -> Expectations:
    at: At = ("expect",)
    keys = yaml.mapping(at, _EXPECT_KEYS)
    failure = _pattern(yaml, (*at, "failure")) if "failure" in keys else None
    exit_code = _exit_code(yaml, (*at, "exit_code")) if "exit_code" in keys else None
    status = _status(yaml, (*at, "status"), fails=failure is not None or bool(exit_code))
    if status is not JobStatus.FAILED and (failure is not None or exit_code):
        at_fault = (*at, "failure" if failure is not None else "exit_code")
        raise yaml.error(at_fault, f"a job that is {status} does not have this. Write status: Failed, or remove it.")
    return Expectations(
        status=status,
        failure=failure,
        exit_code=exit_code,
        model=yaml.texts((*at, "model")) if "model" in keys else None,
        output=yaml.texts((*at, "output")) if "output" in keys else None,
        metrics=_metrics(yaml, (*at, "metrics")) if "metrics" in keys else {},
        logs=_patterns(yaml, (*at, "logs")) if "logs" in keys else (),
        max_seconds=_seconds(yaml, (*at, "max_seconds")) if "max_seconds" in keys else None,
    )


def _status(yaml: YamlSource, at: At, *, fails: bool) -> JobStatus:
    if not yaml.has(at):
        return JobStatus.FAILED if fails else JobStatus.COMPLETED
    text = yaml.text(at)
    if text not in TERMINAL:
        raise yaml.error(at, f"a job never ends as {text!r}. Write {', '.join(sorted(TERMINAL))}: one of them.")
    return JobStatus(text)


def _exit_code(yaml: YamlSource, at: At) -> int:
    value = yaml.number(at)
    if not isinstance(value, int) or not 0 <= value <= 255:
        raise yaml.error(at, "must be a whole number from 0 to 255.")
    return value


def _metrics(yaml: YamlSource, at: At) -> dict[str, Comparison]:
    return {name: _comparison(yaml, (*at, name)) for name in yaml.mapping(at)}


def _comparison(yaml: YamlSource, at: At) -> Comparison:
    value = yaml.get(at)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        _bad_comparison(yaml, at)
    try:
        return Comparison.parse(str(value))
    except ValueError:
        _bad_comparison(yaml, at)


def _bad_comparison(yaml: YamlSource, at: At) -> NoReturn:
    raise yaml.error(at, 'must be a number or a comparison with one. Write it as ">= 0.9", "< 2", "!= 0" or 1')


def _patterns(yaml: YamlSource, at: At) -> tuple[re.Pattern[str], ...]:
    return tuple(_pattern(yaml, (*at, number)) for number in range(len(yaml.texts(at))))


def _pattern(yaml: YamlSource, at: At) -> re.Pattern[str]:
    text = yaml.text(at)
    try:
        return re.compile(text)
    except re.error as error:
        raise yaml.error(
            at,
            f"{text!r} is no regular expression: {error}. Put a backslash before ( ) [ ] . * + ? to mean themselves.",
        ) from error


def _seconds(yaml: YamlSource, at: At) -> float:
    value = yaml.number(at)
    if not value > 0:
        raise yaml.error(at, "must be more than 0.")
    return value
