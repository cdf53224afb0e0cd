"""What a job file's job has come to."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from botocore.exceptions import ClientError

from ..contract.arns import S3Uri
from .clients import Clients, code_and_message
from .expectations import final_metrics


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One archive in S3: the size of the object, and the files inside with theirs."""

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

    job_file: Path
    image: str
    description: Mapping[str, Any]
    log_lines: tuple[str, ...]
    model: Artifact | None
    output: Artifact | None
    seconds: float
    unmet: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything that was expected holds."""
        return not self.unmet

    @property
    def name(self) -> str:
        """The job's name."""
        return str(self.description["TrainingJobName"])

    @property
    def status(self) -> str:
        """Completed, Failed or Stopped."""
        return str(self.description["TrainingJobStatus"])

    @property
    def failure_reason(self) -> str:
        """Why it failed; "" if it did not."""
        return str(self.description.get("FailureReason", ""))

    @property
    def metrics(self) -> dict[str, float]:
        """The final metrics by name."""
        return final_metrics(self.description)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The secondary statuses in order, without the final one, which takes no time."""
        return stages_of(self.description)

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """What the job left in S3."""
        return tuple(one for one in (self.model, self.output) if one is not None)


def stages_of(description: Mapping[str, Any]) -> tuple[Stage, ...]:
    """Return the secondary statuses of a Describe answer that are over, but for the final one."""
    return tuple(
        Stage(status=one["Status"], seconds=(one["EndTime"] - one["StartTime"]).total_seconds())
        for one in description["SecondaryStatusTransitions"]
        if "EndTime" in one and one["Status"] not in ("Completed", "Failed", "Stopped", "MaxRuntimeExceeded")
    )


def seconds_of(description: Mapping[str, Any]) -> float:
    """Return the seconds from a job's creation to its end."""
    end = description["SecondaryStatusTransitions"][-1]["StartTime"]
    return float((end - description["CreationTime"]).total_seconds())


def artifacts_of(clients: Clients, description: Mapping[str, Any]) -> tuple[Artifact | None, Artifact | None]:
    """Return model.tar.gz and output.tar.gz of a job; None for one that it did not make."""
    model = S3Uri.parse(description["ModelArtifacts"]["S3ModelArtifacts"])
    folder = model.key.rpartition("/")[0]
    output = S3Uri(bucket=model.bucket, key=f"{folder}/output.tar.gz")
    return _artifact(clients, model), _artifact(clients, output)


def _artifact(clients: Clients, uri: S3Uri) -> Artifact | None:
    try:
        answer = clients.s3.get_object(Bucket=uri.bucket, Key=uri.key)
    except ClientError as error:
        if code_and_message(error)[0] in ("NoSuchKey", "NoSuchBucket"):
            return None
        raise
    with answer["Body"] as body, tarfile.open(fileobj=cast("Any", body), mode="r|gz") as archive:
        files = {one.name.removeprefix("./"): one.size for one in archive if not one.isdir()}
    return Artifact(uri=str(uri), size=answer["ContentLength"], files=files)
