"""Short runs of an image, without a network and with a deadline: its packages, and how its program behaves."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from docker.errors import APIError

from ..contract import paths
from ..contract.arns import Scope
from ..contract.config_files import config_files
from ..contract.environment import container_environment, platform_environment
from ..contract.job import Job, container_command
from ..contract.processing_job import ProcessingJob
from ..contract.training_job import TrainingJob
from .container_files import ContainerFiles
from .facts import Facts, Kind, Packages, Request, Run
from .sandbox import Sandbox

PACKAGES_SECONDS: Final = 30.0
RUN_SECONDS: Final = 4.0
SIGTERM_SECONDS: Final = 3.0
_PACKAGES: Final = ("boto3", "botocore", "sagemaker-training", "sagemaker", "pip")
_READ_PACKAGES: Final = f"""
import json
found = {{}}
try:
    from importlib.metadata import version
except ImportError:
    version = None
for name in {_PACKAGES!r}:
    try:
        found[name] = version(name)
    except Exception:
        pass
print(json.dumps(found))
"""
_SIGTERM_BIT: Final = 1 << 14
_SCRATCH: Final = ("/tmp", "/var", "/run", "/dev", "/proc", "/sys", "/root/.cache", "/etc")  # noqa: S108 - names only
_REQUEST: Final[dict[str, Any]] = {
    "RoleArn": "arn:aws:iam::123456789012:role/lint",
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}
_INSTANCE: Final = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the program finds: the platform's tree with empty inputs, and its variables."""

    mounts: tuple[PurePosixPath, ...]
    directories: Mapping[PurePosixPath, int]
    texts: Mapping[PurePosixPath, str]
    environment: Mapping[str, str]
    hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: Kind, job: Job | None) -> Surroundings:
        """Return those of the first host of a job, or of a plain one of a kind."""
        if job is None and kind is Kind.SERVING:
            return cls(mounts=(paths.MODEL,), directories={paths.MODEL: 0o755}, texts={}, environment={})
        job = job or plain_job(kind)
        host = job.hosts[0]
        return cls(
            mounts=job.mount_roots,
            directories=job.directory_modes(host),
            texts=config_files(job, host),
            environment=container_environment(platform_environment(job, None), job.environment),
            hosts=tuple(host.name for host in job.hosts),
        )


def plain_job(kind: Kind) -> Job:
    """Return a job that asks for nothing but to run an image."""
    scope = Scope()
    if kind is Kind.PROCESSING:
        request = {
            **_REQUEST,
            "ProcessingJobName": "lint",
            "AppSpecification": {"ImageUri": "lint"},
            "ProcessingResources": {"ClusterConfig": _INSTANCE},
        }
        return ProcessingJob.parse(request, scope)
    request = {
        **_REQUEST,
        "TrainingJobName": "lint",
        "AlgorithmSpecification": {"TrainingImage": "lint", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://lint/"},
        "ResourceConfig": _INSTANCE,
    }
    return TrainingJob.parse(request, scope)


def packages_of(sandbox: Sandbox, image: str, python: str) -> Packages | None:
    """Ask an image's Python for the packages that matter, without importing them; None if it cannot tell."""
    try:
        container = sandbox.create(image, entrypoint=[python, "-c", _READ_PACKAGES])
        sandbox.api.start(container)
        if sandbox.exit_code(container, PACKAGES_SECONDS) != 0:
            return None
        last = sandbox.output(container, stderr=False).strip().splitlines()[-1:]
        return Packages(versions=json.loads(last[0])) if last else None
    except (APIError, ValueError):
        return None


def run_of(sandbox: Sandbox, image: str, facts: Facts, job: Job | None, seconds: float) -> Run | None:
    """Start an image as the service does, with empty inputs; stop it after a moment. None if it cannot be started."""
    given = Surroundings.of(facts.kind, job)
    request = facts.request or Request()
    entrypoint, command = container_command(request.entrypoint, request.arguments, facts.kind.default_command)
    try:
        container = sandbox.create(
            image,
            entrypoint=entrypoint,
            command=command,
            environment={**given.environment, **request.environment},
            hosts=dict.fromkeys(given.hosts, "127.0.0.1"),
            volumes=[str(mount) for mount in given.mounts],
        )
        sandbox.api.put_archive(container, "/", _archive(given))
        sandbox.api.start(container)
    except APIError:
        return None
    exit_code, ended_on_sigterm = sandbox.exit_code(container, seconds), None
    if exit_code is None:
        exit_code = _exit_code_after_sigterm(sandbox, container)
        ended_on_sigterm = exit_code is not None
    if exit_code is None:
        catches = _catches_sigterm(sandbox, container)
        return Run(exit_code=None, ended_on_sigterm=False, catches_sigterm=catches)
    files = ContainerFiles(sandbox.api, container)
    return Run(
        exit_code=exit_code,
        output=sandbox.output(container),
        ended_on_sigterm=ended_on_sigterm,
        has_results=any(files.names_below(str(path), 1) for path in (paths.MODEL, paths.OUTPUT_DATA)),
        written=_written(sandbox, container),
    )


def _exit_code_after_sigterm(sandbox: Sandbox, container: str) -> int | None:
    """Ask a program that runs to end, as a stop does."""
    try:
        sandbox.api.kill(container, signal="SIGTERM")
    except APIError as error:
        if error.status_code != 409:  # it has ended in this moment
            raise
    return sandbox.exit_code(container, SIGTERM_SECONDS)


def _catches_sigterm(sandbox: Sandbox, container: str) -> bool | None:
    """Tell whether the first process has a handler for SIGTERM; None if the engine's `ps` does not say."""
    try:
        top = sandbox.api.top(container, ps_args="-o pid,caught")
        process = str(sandbox.api.inspect_container(container)["State"]["Pid"])
        masks = [row[1] for row in top["Processes"] if row[0] == process]
        return bool(int(masks[0], 16) & _SIGTERM_BIT) if masks else None
    except (APIError, LookupError, ValueError):
        return None


def _archive(given: Surroundings) -> bytes:
    """Return the platform's tree as an archive, everything root's."""
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for path, mode in given.directories.items():
            member = _member(path, mode)
            member.type = tarfile.DIRTYPE
            tar.addfile(member)
        for path, text in given.texts.items():
            member, content = _member(path, paths.FILE_MODE), text.encode()
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return spool.getvalue()


def _member(path: PurePosixPath, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(str(path).lstrip("/"))
    member.mode, member.mtime = mode, time.time()
    return member


def _written(sandbox: Sandbox, container: str) -> tuple[str, ...]:
    """Return the files that a container has made outside of /opt/ml and of what is scratch anyway."""
    added = [change["Path"] for change in sandbox.api.diff(container) or () if change["Kind"] == 1]
    folders = {str(PurePosixPath(path).parent) for path in added}
    return tuple(
        path
        for path in sorted(added)
        if path not in folders
        and not PurePosixPath(path).is_relative_to(paths.OPT_ML)
        and not any(PurePosixPath(path).is_relative_to(scratch) for scratch in _SCRATCH)
        and "__pycache__" not in path
    )
