"""What happens while a job file runs, told as it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class BuildOutput:
    """One line of an image's build."""

    line: str


@dataclass(frozen=True, kw_only=True)
class ImageReady:
    """The job's image is known; `seconds` is how long it took to build, None if it was there."""

    name: str
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class InstallOutput:
    """One line of what installs a program's requirements."""

    line: str


@dataclass(frozen=True, kw_only=True)
class ProgramReady:
    """The program that runs in the place of an image is known; `seconds` is what installing took, None if nothing."""

    command: str
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class BytesMoved:
    """How far a transfer has come; the total is 0 while it is not known."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class DataStored:
    """One entry of `data` is in S3."""

    destination: str
    files: int
    size: int


@dataclass(frozen=True, kw_only=True)
class JobCreated:
    """CreateTrainingJob, or CreateProcessingJob, was accepted."""

    name: str
    arn: str


@dataclass(frozen=True, kw_only=True)
class StatusEntered:
    """A status was entered, or has another message now: of a training job its secondary status."""

    status: str
    message: str


@dataclass(frozen=True, kw_only=True)
class StatusLeft:
    """A secondary status is over."""

    status: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One event of the job's log."""

    host: str
    time: datetime
    message: str


@dataclass(frozen=True, kw_only=True)
class StopAsked:
    """The job is being stopped before its end."""

    why: str


@dataclass(frozen=True, kw_only=True)
class JobEnded:
    """Nothing more will happen to a job file: its job has ended, or is not run."""

    passed: bool
    what: str


Event = (
    BuildOutput
    | ImageReady
    | InstallOutput
    | ProgramReady
    | BytesMoved
    | DataStored
    | JobCreated
    | StatusEntered
    | StatusLeft
    | LogLine
    | StopAsked
    | JobEnded
)
OnEvent = Callable[[Event], None]
OnJobEvent = Callable[[str, Event], None]
"""Takes the name of the job file too."""
