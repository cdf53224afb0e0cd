"""Lints one image: reads the Dockerfile, builds, looks into the image, starts it for a moment, applies the rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import requests
from docker.errors import APIError, ImageNotFound

from ..engines.docker.connection import connect
from ..errors import EngineUnavailableError, UsageError
from ..jobfiles.events import BuildOutput, Event
from ..jobfiles.images import ImageBuildError, ensure_image, image_tag
from . import probes, stages
from .container_files import ContainerFiles
from .dockerfile import Dockerfile
from .facts import Facts, Kind
from .image_facts import config_of, facts_of_image, files_of, kind_of, python_of
from .rule import Finding, Severity
from .rules import RULE_IDS, findings_of
from .sandbox import Sandbox
from .target import Target


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a person chose. `static`: the Dockerfile only; `run`: start the program, for at most `run_seconds`."""

    kind: Kind | None = None
    ignore: frozenset[str] = frozenset()
    static: bool = False
    run: bool = True
    run_seconds: float = probes.RUN_SECONDS


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a lint found, and what it could look at."""

    target: Target
    kind: Kind
    kind_told_by: str
    image: str | None
    checked: tuple[str, ...]
    left_out: str | None
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    seconds: float

    def count(self, severity: Severity) -> int:
        """Return how many findings of a severity there are."""
        return sum(finding.rule.severity is severity for finding in self.findings)

    def fails(self, *, strict: bool) -> bool:
        """Tell whether something is wrong: an error, or with `strict` also a warning."""
        return bool(self.count(Severity.ERROR) or (strict and self.count(Severity.WARNING)))


def lint(target: Target, options: Options, on_line: Callable[[str], None]) -> Report:
    """Lint an image. `on_line` gets the lines of its build.

    Raises:
        EngineUnavailableError: the target is an image, and no engine answers.
        UsageError: there is no such image, or the Dockerfile cannot be read.
    """
    started = time.monotonic()
    linted = _Lint(target, options, on_line)
    linted.look()
    assert linted.facts is not None
    found = findings_of(linted.facts)
    return Report(
        target=target,
        kind=linted.facts.kind,
        kind_told_by=linted.kind_told_by,
        image=linted.image,
        checked=tuple(linted.checked),
        left_out=linted.left_out,
        findings=tuple(one for one in found if one.rule.id not in linted.ignore),
        ignored=tuple(one for one in found if one.rule.id in linted.ignore),
        seconds=time.monotonic() - started,
    )


class _Lint:
    """Gathers the facts of one image, as far as they can be had."""

    def __init__(self, target: Target, options: Options, on_line: Callable[[str], None]) -> None:
        self.facts: Facts | None = None
        self.image = target.name
        self.checked: list[str] = []
        self.left_out: str | None = None
        self.kind_told_by = ""
        self.ignore = options.ignore
        self._target = target
        self._options = options
        self._on_line = on_line
        self._static: Facts | None = None

    def look(self) -> None:
        """Gather the facts."""
        if self._target.dockerfile is not None:
            self._read_dockerfile(self._target.dockerfile)
        if self._options.static:
            if self.facts is None:
                raise UsageError(f"--static reads a Dockerfile, and {self._target.given} is an image.")
            self.left_out = "only the Dockerfile was read, as asked for"
            return
        try:
            engine = connect()
        except EngineUnavailableError:
            if self.facts is None:
                raise
            self.left_out = "no Docker Engine answers, so only the Dockerfile was read"
            return
        with closing(engine):
            if self._build():
                try:
                    self._look_into_image(engine)
                except requests.RequestException as error:
                    raise EngineUnavailableError("docker", f"it was lost meanwhile ({error}).", "Try again.") from error

    def _read_dockerfile(self, path: Path) -> None:
        try:
            dockerfile = Dockerfile.parse(path.read_text(encoding="utf-8", errors="replace"))
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error}") from error
        build = self._target.build
        kind, self.kind_told_by = self._given_kind() or _kind_of(dockerfile)
        static = stages.facts_of(
            dockerfile,
            kind,
            target=build.target if build else None,
            arguments=dict(build.args) if build else None,
            request=self._target.request,
        )
        unknown = tuple((one.rule, one.line) for one in dockerfile.ignores if one.rule not in RULE_IDS)
        self.ignore = self.ignore | {one.rule for one in dockerfile.ignores}
        self.facts = self._static = replace(static, unknown_ignores=unknown)
        self.checked.append("Dockerfile")

    def _build(self) -> bool:
        """Build the image, where there is one to build, and tell whether that went well."""
        build = self._target.build
        if build is None:
            return True
        try:
            self.image = image_tag(build)
            ensure_image(build, self.image, self._tell)
        except ImageBuildError as error:
            assert self.facts is not None
            reason = str(error).partition("cannot be built: ")[2].splitlines()[0]
            line = self.facts.build_failure[1] if self.facts.build_failure else None
            self.facts = replace(self.facts, build_failure=(f"the build ends with: {reason}", line))
            self.left_out = "the image could not be built, so only the Dockerfile was read"
            self.image = None
            return False
        return True

    def _tell(self, event: Event) -> None:
        if isinstance(event, BuildOutput):
            self._on_line(event.line)

    def _look_into_image(self, engine: docker.APIClient) -> None:
        assert self.image is not None
        try:
            inspected = engine.inspect_image(self.image)  # type: ignore[no-untyped-call]
        except ImageNotFound as error:
            raise UsageError(
                f"The engine has no image {self.image}. Pull it (docker pull {self.image}), or name its Dockerfile."
            ) from error
        self.checked.append("image")
        try:
            with Sandbox(engine) as sandbox:
                self._look_inside(sandbox, inspected)
        except APIError as error:
            self.left_out = f"the engine cannot make a container of it: {error.explanation}"
            if self.facts is None or self.facts is self._static:
                kind, self.kind_told_by = self._given_kind() or (Kind.TRAINING, "nothing says otherwise")
                self.facts = self._with_places(facts_of_image(inspected, kind, self._target.request, self._target.name))

    def _look_inside(self, sandbox: Sandbox, inspected: dict[str, object]) -> None:
        assert self.image is not None
        image = self.image
        # It is never started; the engine wants a command for it all the same.
        files = ContainerFiles(sandbox.api, sandbox.create(image, command=["true"]))
        kind, self.kind_told_by = self._given_kind() or kind_of(config_of(inspected), files)
        facts = self._with_places(facts_of_image(inspected, kind, self._target.request, self._target.name))
        facts = self.facts = replace(facts, files=files_of(facts, files))
        self.checked.append("files")
        python = python_of(facts, files)
        if python is not None:
            facts = self.facts = replace(facts, packages=probes.packages_of(sandbox, image, python))
            self.checked.extend(["packages"] if facts.packages is not None else [])
        if self._options.run and _can_run(facts):
            self.facts = replace(
                facts, run=probes.run_of(sandbox, image, facts, self._target.job, self._options.run_seconds)
            )
            self.checked.extend(["run"] if self.facts.run is not None else [])

    def _with_places(self, facts: Facts) -> Facts:
        """Return facts of an image with what its Dockerfile tells besides."""
        static = self._static
        if static is None:
            return facts
        return replace(facts, places=static.places, base_tags=static.base_tags, unknown_ignores=static.unknown_ignores)

    def _given_kind(self) -> tuple[Kind, str] | None:
        """Return the kind that the option or the job file says."""
        asked, job_file = self._options.kind, self._target.kind
        if asked is not None and job_file is not None and asked is not job_file:
            raise UsageError(f"{self._target.given} is a job file of kind {job_file}: leave --kind {asked} out.")
        if asked is not None:
            return asked, "--kind"
        return None if job_file is None else (job_file, "the job file")


def _kind_of(dockerfile: Dockerfile) -> tuple[Kind, str]:
    """Return what a Dockerfile seems to be for, and by what."""
    words = set(_last_words(dockerfile))
    if "serve" in words and "train" not in words:
        return Kind.SERVING, "it has a program `serve`"
    return Kind.TRAINING, "it has a program `train`" if "train" in words else "nothing says otherwise"


def _last_words(dockerfile: Dockerfile) -> Iterator[str]:
    """Yield the names of the files that are copied."""
    for one in dockerfile.instructions:
        if one.name in ("COPY", "ADD"):
            yield from (word.rstrip("/").rpartition("/")[2] for word in one.value.split())


def _can_run(facts: Facts) -> bool:
    """Tell whether there is a program of the image's own that can be started."""
    program = facts.files.program if facts.files else None
    has_own = facts.argument or facts.config.entrypoint or facts.request is not None
    return bool(has_own) and program is not None and program.path is not None and program.is_executable
