"""What is to be linted, from what a person wrote: an image's name, a Dockerfile, a folder or a job file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..contract.arns import Scope
from ..contract.job import Job
from ..contract.kinds import PROCESSING
from ..contract.processing_job import ProcessingJob
from ..contract.training_job import TrainingJob
from ..errors import ServiceError, UsageError
from ..jobfiles.document import ImageBuild, ImageName, JobFile
from ..jobfiles.request import complete
from .facts import Kind, Request

_JOB_FILES: Final = (".yaml", ".yml")
_DOCKERFILE: Final = "Dockerfile"
_FOLDERS_JOB_FILES: Final = ("job.yaml", "job.yml")


@dataclass(frozen=True, kw_only=True)
class Target:
    """An image that exists under a name, or one that is built; with the job of a job file, if it came from one."""

    given: str
    name: str | None = None
    build: ImageBuild | None = None
    job: Job | None = None
    kind: Kind | None = None

    @property
    def dockerfile(self) -> Path | None:
        """The Dockerfile, if there is one."""
        return self.build.context / self.build.dockerfile if self.build else None

    @property
    def request(self) -> Request | None:
        """What the job file's request says of how the image is run."""
        if self.job is None:
            return None
        hyperparameters = self.job.hyperparameters if isinstance(self.job, TrainingJob) else {}
        return Request(
            entrypoint=self.job.entrypoint,
            arguments=self.job.arguments,
            environment=self.job.environment,
            hyperparameters=frozenset(hyperparameters),
            mounts=self.job.mount_roots,
        )


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How a Dockerfile that is given by itself is built."""

    target: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)


def target_of(given: str, options: BuildOptions) -> Target:
    """Return what a person means.

    Raises:
        UsageError: there is no such file, or the job file is wrong.
    """
    path = Path(given)
    if path.is_dir():
        found = [path / name for name in (_DOCKERFILE, *_FOLDERS_JOB_FILES) if (path / name).is_file()]
        if not found:
            raise UsageError(f"There is no Dockerfile in {path}. Name one, a job file, or an image.")
        path = found[0]
    if path.is_file():
        return _job_target(given, path, options) if path.suffix in _JOB_FILES else _build_target(given, path, options)
    if path.suffix in _JOB_FILES or path.name.startswith(_DOCKERFILE) or given.startswith((".", "/", "~")):
        raise UsageError(f"There is no file {path}. Name a Dockerfile, a job file, a folder with one, or an image.")
    _check_unused(given, options)
    return Target(given=given, name=given)


def _build_target(given: str, path: Path, options: BuildOptions) -> Target:
    build = ImageBuild(context=path.parent, dockerfile=path.name, target=options.target, args=dict(options.arguments))
    return Target(given=given, build=build)


def _job_target(given: str, path: Path, options: BuildOptions) -> Target:
    _check_unused(given, options)
    job_file = JobFile.load(path)
    kind = Kind.PROCESSING if job_file.kind is PROCESSING else Kind.TRAINING
    match job_file.image:
        case ImageBuild() as build:
            return Target(given=given, build=build, job=_job(job_file), kind=kind)
        case ImageName(name=name):
            return Target(given=given, name=name, job=_job(job_file), kind=kind)
        case _:
            raise UsageError(f"{path} names no image: there is nothing to lint.")


def _job(job_file: JobFile) -> Job:
    """Return what a job file's request asks for, texts in the place of what other jobs will answer."""
    values: dict[Any, Any] = {reference.at: "s3://of/another-job" for reference in job_file.references}
    try:
        request = complete(job_file, image="lint", scope=Scope(), values=values)
        parsed = ProcessingJob if job_file.kind is PROCESSING else TrainingJob
        return parsed.parse(request, Scope())
    except (KeyError, TypeError, ValueError, AttributeError, ServiceError) as error:
        raise UsageError(
            f"{job_file.path}: the request cannot be read ({type(error).__name__}: {error}). "
            "`sagemaker-emulator run` tells which member is wrong."
        ) from error


def _check_unused(given: str, options: BuildOptions) -> None:
    if options != BuildOptions():
        raise UsageError(f"--target and --build-arg are for a Dockerfile or a folder, which {given} is not.")
