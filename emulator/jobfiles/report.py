"""What a job file's job has come to."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

from botocore.exceptions import ClientError

from ..contract.arns import S3Uri
from ..contract.kinds import PROCESSING, JobKind
from ..contract.status import status_of
from ..errors import EmulatorError
from .clients import Clients, code_and_message
from .document import JobFile
from .expectations import final_metrics

_NOTHING_THERE: Final = ("NoSuchKey", "NoSuchBucket")


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What a job has left in S3: an archive, or the objects of one processing output, and the files with their sizes.

    `name` is `model` or `output` for a training job's archives, else the OutputName.
    """

    name: str
    uri: str
    size: int
    files: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One secondary status that the job went through."""

    status: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class JobReport:
    """The end of a job: its Describe answer, its log, what it left in S3, and what does not hold."""

    job_file: JobFile
    image: str
    description: Mapping[str, Any]
    log_lines: tuple[str, ...]
    artifacts: tuple[Artifact, ...]
    seconds: float
    unmet: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The job file."""
        return self.job_file.path

    @property
    def kind(self) -> JobKind:
        """What kind of job it is."""
        return self.job_file.kind

    @property
    def passed(self) -> bool:
        """Whether everything that was expected holds."""
        return not self.unmet

    @property
    def exit_code(self) -> int:
        """What the command line ends with if nothing worse comes."""
        return 0 if self.passed else 1

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.description[self.kind.name_member])

    @property
    def status(self) -> str:
        """Completed, Failed or Stopped."""
        return status_of(self.description)

    @property
    def failure_reason(self) -> str:
        """Why it failed; "" if it did not."""
        return str(self.description.get("FailureReason", ""))

    @property
    def exit_message(self) -> str:
        """What a processing job has said at its end; "" if nothing."""
        return str(self.description.get("ExitMessage", ""))

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics by name."""
        return final_metrics(self.description)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The secondary statuses in order, without the final one, which takes no time."""
        return stages_of(self.description)

    @property
    def verdict(self) -> str:
        """Its status, and whether that is as expected where one may doubt it."""
        if self.passed:
            return self.status if self.status == "Completed" else f"{self.status}, as expected"
        return f"{self.status}, not as expected"


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """The end of a job file whose job was not run, or not to its end."""

    job_file: JobFile
    error: EmulatorError
    skipped: bool = False

    passed = False

    @property
    def exit_code(self) -> int:
        """What the command line ends with if nothing worse comes."""
        return self.error.exit_code

    @property
    def verdict(self) -> str:
        """What stands in the place of a status."""
        return str(self.error) if self.skipped else "not run"


End = JobReport | Unfinished


def stages_of(description: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Return the secondary statuses of a Describe answer that are over, but for the final one.

    Only training jobs have such.
    """
    return tuple(
        Stage(status=one["Status"], seconds=(one["EndTime"] - one["StartTime"]).total_seconds())
        for one in description.get("SecondaryStatusTransitions", ())
        if "EndTime" in one and one["Status"] not in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded")
    )


def seconds_of(description: Mapping[str, Any]) -> float:
    """Return the seconds from a job's creation to its end."""
    transitions = description.get("SecondaryStatusTransitions")
    end = transitions[-1]["StartTime"] if transitions else description["ProcessingEndTime"]
    return float((end - description["CreationTime"]).total_seconds())


def artifacts_of(clients: Clients, kind: JobKind, description: Mapping[str, Any]) -> tuple[Artifact, ...]:
    """Return what a job has made: archives that are there, and every output of a processing job."""
    if kind is PROCESSING:
        return tuple(_outputs(clients, description))
    found = (_archive(clients, name, uri) for name, uri in archive_uris(description).items())
    return tuple(one for one in found if one is not None)


def archive_uris(description: Mapping[str, Any]) -> dict[str, S3Uri]:
    """Return where a training job's archives are, if it left any: `model` and `output`."""
    model = S3Uri.parse(description["ModelArtifacts"]["S3ModelArtifacts"])
    folder = model.key.rpartition("/")[0]
    return {"model": model, "output": S3Uri(bucket=model.bucket, key=f"{folder}/output.tar.gz")}


def _archive(clients: Clients, name: str, uri: S3Uri) -> Artifact | None:
    try:
        answer = clients.s3.get_object(Bucket=uri.bucket, Key=uri.key)
    except ClientError as error:
        if code_and_message(error)[0] in _NOTHING_THERE:
            return None
        raise
    with answer["Body"] as body, tarfile.open(fileobj=cast("Any", body), mode="r|gz") as archive:
        files = {one.name.removeprefix("./"): one.size for one in archive if not one.isdir()}
    return Artifact(name=name, uri=str(uri), size=answer["ContentLength"], files=files)


def _outputs(clients: Clients, description: Mapping[str, Any]) -> Iterator[Artifact]:
    for output in description.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        if "S3Output" in output:
            uri = S3Uri.parse(output["S3Output"]["S3Uri"])
            files = objects_below(clients, uri, description["CreationTime"])
            yield Artifact(name=output["OutputName"], uri=str(uri), size=sum(files.values()), files=files)


def objects_below(clients: Clients, uri: S3Uri, since: datetime) -> dict[str, int]:
    """Return the sizes of the objects below a prefix, by what follows it, that were stored since then.

    S3 tells times to the second.
    """
    prefix = f"{uri.key.rstrip('/')}/" if uri.key else ""
    pages = clients.s3.get_paginator("list_objects_v2").paginate(Bucket=uri.bucket, Prefix=prefix)
    since = since.replace(microsecond=0)
    try:
        found = [one for page in pages for one in page.get("Contents", ()) if one["LastModified"] >= since]
    except ClientError as error:
        if code_and_message(error)[0] in _NOTHING_THERE:
            return {}
        raise
    return {one["Key"].removeprefix(prefix): one["Size"] for one in found}
