"""What `run` shows of one job: plain lines and the JSON of the end. The live display is in `run_live`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO

import click
from rich.filesize import decimal

from ..contract.kinds import PROCESSING
from ..jobfiles.events import (
    BuildOutput,
    BytesMoved,
    DataStored,
    Event,
    ImageReady,
    InstallOutput,
    JobCreated,
    JobEnded,
    LogLine,
    ProgramReady,
    StatusEntered,
    StatusLeft,
    StopAsked,
)

if TYPE_CHECKING:
    from ..jobfiles.report import Artifact, JobReport

_MOST_FILES: Final = 12


class Output(Protocol):
    """Shows a run while it goes on, and its end."""

    def live(self) -> AbstractContextManager[object]:
        """Return the context in which events are shown."""

    def show(self, event: Event) -> None:
        """Show what happens."""

    def conclude(self, report: JobReport) -> None:
        """Show the end."""


class PlainOutput:
    """One line for each thing that happens, the same from run to run but for names and times."""

    def __init__(self, stream: TextIO | None = None, prefix: str = "") -> None:
        self._stream = stream
        self._prefix = prefix
        self._status = ""

    def live(self) -> AbstractContextManager[object]:
        """Nothing needs to be kept up to date."""
        return nullcontext()

    def show(self, event: Event) -> None:
        """Write a line, unless the event is only about how far something has come."""
        match event:
            case ImageReady() | ProgramReady() | DataStored() | JobCreated():
                self._line(*step(event))
            case BuildOutput():
                self._line("build", event.line)
            case InstallOutput():
                self._line("install", event.line)
            case StatusEntered() if event.status != self._status:
                self._status = event.status
                self._line("status", event.status)
            case LogLine():
                self._line("log", f"{event.host} {event.message}")
            case StopAsked():
                self._line("stop", stop_text(event))
            case BytesMoved() | StatusLeft() | StatusEntered() | JobEnded():
                pass

    def conclude(self, report: JobReport) -> None:
        """Write what the job has come to."""
        for name, value in summary(report):
            self._line(name, value)
        for sentence in report.unmet:
            self._line("unmet", sentence)
        self._line("passed" if report.passed else "failed", str(report.path))

    def _line(self, name: str, text: str) -> None:
        for line in text.splitlines() or [""]:  # a failure reason may have several
            click.echo(f"{self._prefix}{name:<9} {line}", file=self._stream)


def json_document(report: JobReport) -> dict[str, Any]:
    """Return the end of a run as a JSON object; times in it become ISO 8601 texts."""
    kind = report.kind.resource.replace("-", "_")
    message = {"exit_message": report.exit_message or None} if report.kind is PROCESSING else {}
    return {
        "job_file": str(report.path),
        "passed": report.passed,
        "unmet": list(report.unmet),
        f"{kind}_name": report.name,
        f"{kind}_status": report.status,
        "failure_reason": report.failure_reason or None,
        **message,
        "image": report.image,
        "seconds": round(report.seconds, 3),
        "billable_seconds": report.description.get("BillableTimeInSeconds"),
        "secondary_statuses": [{"status": one.status, "seconds": round(one.seconds, 3)} for one in report.stages],
        "metrics": report.metrics,
        "artifacts": [
            {"name": one.name, "uri": one.uri, "bytes": one.size, "files": dict(one.files)} for one in report.artifacts
        ],
    }


def summary(report: JobReport) -> list[tuple[str, str]]:
    """Return what is worth knowing at the end, each with its name."""
    billable = report.description.get("BillableTimeInSeconds")
    bill = f", billable {billable} s" if billable is not None else ""
    lines = [("result", f"{report.status} after {report.seconds:.1f} s{bill}")]
    if report.failure_reason:
        lines.append(("reason", report.failure_reason))
    if report.exit_message:
        lines.append(("message", report.exit_message))
    if report.stages:
        lines.append(("stages", ", ".join(f"{one.status} {one.seconds:.1f} s" for one in report.stages)))
    lines += [("metric", f"{name} = {value:.6g}") for name, value in report.metrics.items()]
    lines += [("artifact", _artifact(one)) for one in report.artifacts]
    return lines


def _artifact(artifact: Artifact) -> str:
    files = [f"{name} ({decimal(size)})" for name, size in sorted(artifact.files.items())]
    more = [f"and {len(files) - _MOST_FILES} more"] if len(files) > _MOST_FILES else []
    listed = ", ".join([*files[:_MOST_FILES], *more]) or "nothing"
    return f"{artifact.uri} {decimal(artifact.size)}: {listed}"


def step(event: ImageReady | ProgramReady | DataStored | JobCreated) -> tuple[str, str]:
    """Return the name of a step that was done before the job runs, and what it came to."""
    match event:
        case ImageReady(name=name, seconds=seconds):
            return "image", name if seconds is None else f"{name} built in {seconds:.1f} s"
        case ProgramReady(command=command, seconds=seconds):
            return "program", command if seconds is None else f"{command}, its packages installed in {seconds:.1f} s"
        case DataStored(files=files):
            return "data", f"{event.destination} {files} file{'' if files == 1 else 's'}, {decimal(event.size)}"
        case JobCreated():
            return "job", event.name


def stop_text(event: StopAsked) -> str:
    """Return why a job is being stopped, and what one can do about it."""
    return f"The job is being stopped: {event.why}. Ctrl-C leaves without waiting for its end."


def sizes(moved: BytesMoved) -> str:
    """Return how much has been moved, and of how much where that is known."""
    return f"{decimal(moved.done)} of {decimal(moved.total)}" if moved.total else decimal(moved.done)
