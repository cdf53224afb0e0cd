"""What is known of an image when it is judged: plain values, whatever they were read from. None is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from ..contract import paths
from ..contract.job import container_command
from ..contract.kinds import PROCESSING, TRAINING

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Kind(StrEnum):
    """What an image is for, as `--kind` and job files name it."""

    TRAINING = "training"
    PROCESSING = "processing"
    SERVING = "serving"

    @property
    def default_command(self) -> tuple[str, ...]:
        """What the service puts in the place of CMD; () if the image runs its own."""
        match self:
            case Kind.TRAINING:
                return TRAINING.default_command
            case Kind.PROCESSING:
                return PROCESSING.default_command
            case Kind.SERVING:
                return ("serve",)

    @property
    def words(self) -> str:
        """What messages call what it runs."""
        return "endpoint" if self is Kind.SERVING else f"{self} job"

    @property
    def mounted(self) -> tuple[PurePosixPath, ...]:
        """Where the platform puts its own directories; where by convention, if it is the request that says so."""
        match self:
            case Kind.TRAINING:
                return paths.PLATFORM_ROOTS
            case Kind.PROCESSING:
                return (paths.CONFIG, paths.OUTPUT, paths.PROCESSING / "input", paths.PROCESSING / "output")
            case Kind.SERVING:
                return (paths.MODEL,)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a job file's request says of how the image is run."""

    entrypoint: tuple[str, ...] | None = None
    arguments: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    hyperparameters: frozenset[str] = frozenset()
    mounts: tuple[PurePosixPath, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Config:
    """What an image says of itself. A Dockerfile whose base is not known leaves most of it unknown."""

    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    working_directory: str | None = None
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    stop_signal: str | None = None
    has_healthcheck: bool = False

    def variable(self, name: str) -> str | None:
        """Return one variable's value."""
        return self.environment.get(name)


@dataclass(frozen=True, kw_only=True)
class Program:
    """The file that the first word of the command means. `path` None: there is none."""

    name: str
    path: str | None
    is_executable: bool = False
    is_binary: bool = False
    text: str = ""
    interpreter: str | None = None
    has_interpreter: bool = True

    @property
    def shebang(self) -> str | None:
        """The first line of a script, without `#!`."""
        first = self.text.partition("\n")[0]
        return first[2:].strip() if first.startswith("#!") else None

    @property
    def language(self) -> str:
        """`python3`, `sh`, `bash` ... of a script; "" if it is none."""
        parts = (self.shebang or "").split()
        named = [part for part in parts if not part.startswith("-") and PurePosixPath(part).name != "env"]
        return PurePosixPath(named[0]).name if named else ""


@dataclass(frozen=True, kw_only=True)
class Files:
    """What was found in an image's file system. `below_mounts` are files that the platform's directories hide."""

    program: Program | None
    below_mounts: tuple[str, ...] = ()
    has_toolkit_program: bool | None = None
    argument_is_a_file: bool | None = None
    users: frozenset[str] | None = None
    credentials: str | None = None
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Packages:
    """The versions of the Python packages that matter here, by their names."""

    versions: Mapping[str, str]

    def version(self, name: str) -> tuple[int, ...] | None:
        """Return a package's version as numbers, as far as it has such."""
        if name not in self.versions:
            return None
        numbers: list[int] = []
        for part in self.versions[name].split("."):
            if not part.isdecimal():
                break
            numbers.append(int(part))
        return tuple(numbers)


@dataclass(frozen=True, kw_only=True)
class Run:
    """How the program behaved when it was started for a moment as the service starts it, with empty inputs.

    `exit_code` None: it still ran when the time was up. `ended_on_sigterm` None: it was not asked.
    `catches_sigterm` None: the engine could not tell.
    """

    exit_code: int | None
    output: str = ""
    ended_on_sigterm: bool | None = None
    catches_sigterm: bool | None = None
    has_results: bool = False
    written: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands in a Dockerfile: the instruction's name, a word in it (or ""), its line."""

    instruction: str
    word: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that rules may ask. `copied` are destinations of COPY and ADD in a Dockerfile."""

    kind: Kind
    config: Config
    request: Request | None = None
    reference: str | None = None
    architecture: str | None = None
    size: int | None = None
    files: Files | None = None
    packages: Packages | None = None
    run: Run | None = None
    places: tuple[Place, ...] = ()
    copied: tuple[str, ...] = ()
    base_tags: tuple[tuple[str, int], ...] = ()
    build_failure: tuple[str, int | None] | None = None
    unknown_ignores: tuple[tuple[str, int | None], ...] = ()

    @property
    def mounted(self) -> tuple[PurePosixPath, ...]:
        """Where the platform puts its own directories."""
        return (self.request.mounts if self.request else ()) or self.kind.mounted

    def is_mounted(self, path: str) -> bool:
        """Tell whether a path is the platform's, not the image's."""
        return any(PurePosixPath(path).is_relative_to(mount) for mount in self.mounted)

    @property
    def command(self) -> tuple[str, ...] | None:
        """The whole command the service comes to; None if that is not known."""
        given = self.request or Request()
        entrypoint, command = container_command(given.entrypoint, given.arguments, self.kind.default_command)
        if entrypoint is not None:
            return (*entrypoint, *command)
        if self.config.entrypoint is None:
            return None
        runs_its_own = self.kind is Kind.PROCESSING and given.arguments is None
        return (*self.config.entrypoint, *((self.config.command or ()) if runs_its_own else command))

    @property
    def runs_entrypoint(self) -> bool:
        """Whether the image's ENTRYPOINT is what is run: a request's own takes its place."""
        return bool(self.config.entrypoint) and (self.request is None or self.request.entrypoint is None)

    @property
    def argument(self) -> str:
        """What the service appends to the ENTRYPOINT: `train`, `serve`, or nothing."""
        if self.request is not None and (self.request.entrypoint is not None or self.request.arguments is not None):
            return ""
        return " ".join(self.kind.default_command)

    @property
    def environment(self) -> Mapping[str, str]:
        """The image's variables and the request's."""
        return {**self.config.environment, **(self.request.environment if self.request else {})}

    def line(self, instruction: str, word: str = "") -> int | None:
        """Return the line of the last such instruction; None if it stands in no Dockerfile we know."""
        found = [place for place in self.places if place.instruction == instruction and word in ("", place.word)]
        return found[-1].line if found else None
