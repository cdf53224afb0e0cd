"""A job file as frozen values, checked as far as that can be done without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..contract.arns import S3Uri
from ..contract.kinds import PROCESSING, TRAINING, JobKind
from ..errors import ValidationError
from .expect_section import expected_keys, read_expectations
from .expectations import Expectations
from .program_section import PROGRAM_KEYS, ProgramSection, read_program
from .references import Reference, is_reference, references_in, with_values
from .yaml_source import At, YamlSource

_KEYS: Final = ("kind", "after", "image", "program", "data", "request", "expect")
_IMAGE_KEYS: Final = ("build", "dockerfile", "target", "args", "name")
_KINDS: Final = {"training": TRAINING, "processing": PROCESSING}
_LATER_KINDS: Final = ("transform", "tuning", "pipeline", "endpoint")
IMAGE_AT: Final = tuple(("request", *kind.image_members) for kind in _KINDS.values())
"""Where the image may stand in a request."""
# In these members of the request YAML's own types are a trap: the service takes strings only.
_STRING_MAPS: Final = ("HyperParameters", "Environment")


def kinds() -> Mapping[str, JobKind]:
    """Return the kinds of jobs as job files name them."""
    return _KINDS


def known_keys(kind: JobKind) -> Mapping[str, tuple[str, ...]]:
    """Return the keys that may stand at the top level (`""`) and below those that are not the service's."""
    return {"": _KEYS, "image": _IMAGE_KEYS, "program": PROGRAM_KEYS, "expect": expected_keys(kind)}


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
    """What a job file says. The request is as written, without what is filled in later.

    `after` are the names of the job files whose jobs come before this one; `references` are the places of the
    request that wait for what those jobs' Describe answers say. One of `image` and `program` is there.
    """

    yaml: YamlSource
    kind: JobKind
    after: tuple[str, ...]
    image: ImageBuild | ImageName | None
    program: ProgramSection | None
    data: tuple[DataEntry, ...]
    request: Mapping[str, Any]
    references: tuple[Reference, ...]
    expect: Expectations

    @property
    def path(self) -> Path:
        """The file."""
        return self.yaml.path

    @property
    def name(self) -> str:
        """What other job files call this one: its file's name without its ending."""
        return self.path.stem

    @property
    def image_member(self) -> tuple[str, str]:
        """Where the image stands in the request."""
        return self.kind.image_members

    def request_with(self, values: Mapping[At, Any]) -> dict[str, Any]:
        """Return the request with values at the places of its references."""
        request: dict[str, Any] = with_values(self.request, values)
        return request

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
        kind = _kind(yaml)
        after = yaml.texts(("after",)) if yaml.has(("after",)) else ()
        program = read_program(yaml) if yaml.has(("program",)) else None
        return cls(
            yaml=yaml,
            kind=kind,
            after=after,
            image=_image(yaml, kind.image_members),
            program=program,
            data=_data(yaml) if yaml.has(("data",)) else (),
            request=_request(yaml),
            references=references_in(yaml, after),
            expect=read_expectations(yaml, kind),
        )


def _kind(yaml: YamlSource) -> JobKind:
    at: At = ("kind",)
    kind = yaml.text(at) if yaml.has(at) else None
    write = f"Write kind: {' or kind: '.join(_KINDS)}"
    if kind is None:
        raise yaml.error(at, f"is missing. {write}")
    if kind in _LATER_KINDS:
        raise yaml.error(at, f"{kind} jobs are not supported yet. {write}")
    if kind not in _KINDS:
        raise yaml.error(at, f"there is no kind {kind!r}. {write}")
    return _KINDS[kind]


def _image(yaml: YamlSource, member: tuple[str, str]) -> ImageBuild | ImageName | None:
    """Return the image, which may stand in the request instead, or be left out where there is a program."""
    at: At = ("image",)
    in_request: At = ("request", *member)
    if yaml.has(at) and yaml.has(in_request):
        raise yaml.error(in_request, "the image is named twice. Remove this one, or the image at the top level.")
    if yaml.has(in_request):
        return ImageName(name=yaml.text(in_request))
    if yaml.has(at):
        return _image_at(yaml, at)
    if yaml.has(("program",)):
        return None
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
    if is_reference(request):
        raise yaml.error(at, "cannot come from another job as a whole. Write its members, each with its own {Get: ...}")
    for name in _STRING_MAPS:
        if name in request and not is_reference(request[name]):
            _check_strings(yaml, (*at, name))
    _check_outputs(yaml)
    return request


def _check_strings(yaml: YamlSource, at: At) -> None:
    """Refuse values of a map of the request that are no texts; they may be empty, or references."""
    for key, value in yaml.mapping(at).items():
        if value != "" and not is_reference(value):
            yaml.text((*at, key))


def _check_outputs(yaml: YamlSource) -> None:
    """Refuse processing outputs that say nowhere where their files go: S3 is where the next job finds them."""
    at: At = ("request", "ProcessingOutputConfig", "Outputs")
    outputs = yaml.get(at)
    for number, output in enumerate(outputs if isinstance(outputs, list) else ()):
        s3_output = output.get("S3Output") if isinstance(output, dict) else None
        if isinstance(s3_output, dict) and "S3Uri" not in s3_output and not is_reference(s3_output):
            raise yaml.error(
                (*at, number, "S3Output", "S3Uri"), "is missing. Say where the files go: S3Uri: s3://bucket/prefix/"
            )


def _strings(yaml: YamlSource, at: At) -> dict[str, str]:
    return {key: yaml.text((*at, key)) for key in yaml.mapping(at)}


def _folder(yaml: YamlSource, at: At) -> Path:
    folder = yaml.path.parent / yaml.text(at)
    if not folder.is_dir():
        raise yaml.error(at, f"there is no folder {folder}. The path is relative to the job file.")
    return folder
