"""What `run` shows of several jobs: a table kept up to date or plain lines, and the table of the ends."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from io import StringIO
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.filesize import decimal
from rich.live import Live
from rich.table import Table
from rich.text import Text

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
from ..jobfiles.report import End, JobReport, Unfinished
from .run_output import PlainOutput, json_document, sizes, summary

if TYPE_CHECKING:
    from ..jobfiles.document import JobFile

_LOG_LINES_SHOWN: Final = 10
_WIDER_THAN_ANY_TABLE: Final = 1000


class TableOutput(Protocol):
    """Shows several jobs while they go on, and their ends."""

    def live(self) -> AbstractContextManager[object]:
        """Return the context in which events are shown."""

    def show(self, job: str, event: Event) -> None:
        """Show what happens to a job."""

    def conclude(self, ends: Sequence[End]) -> None:
        """Show the ends."""


class PlainTableOutput:
    """The lines of each job, with its name before them; the table at the end."""

    def __init__(self, job_files: Sequence[JobFile], stream: TextIO | None = None) -> None:
        self._stream = stream
        self._width = max(len(one.name) for one in job_files)
        self._outputs = {one.name: PlainOutput(stream, f"{one.name:<{self._width}}  ") for one in job_files}

    def live(self) -> AbstractContextManager[object]:
        """Nothing needs to be kept up to date."""
        return nullcontext()

    def show(self, job: str, event: Event) -> None:
        """Write a line, unless the event is only about how far something has come."""
        if isinstance(event, JobEnded):
            self._line(job, "passed" if event.passed else "failed", event.what)
        else:
            self._outputs[job].show(event)

    def conclude(self, ends: Sequence[End]) -> None:
        """Write the table, why jobs have failed, and whether all is as expected."""
        console = Console(file=StringIO(), width=_WIDER_THAN_ANY_TABLE, color_system=None)
        console.print(table_of_ends(ends))
        for line in console.file.getvalue().splitlines():  # type: ignore[attr-defined] # it is the one from above
            click.echo(line.rstrip(), file=self._stream)
        for end in ends:
            for name, text in explanation(end):
                self._line(end.job_file.name, name, text)
        click.echo(verdict(ends), file=self._stream)

    def _line(self, job: str, name: str, text: str) -> None:
        for line in text.splitlines() or [""]:
            click.echo(f"{job:<{self._width}}  {name:<9} {line}", file=self._stream)


class _Row:
    """What the live table shows of one job."""

    def __init__(self, job_file: JobFile) -> None:
        self.job_file = job_file
        self.status = Text(f"waits for {', '.join(job_file.after)}" if job_file.after else "waits", "dim")
        self._stage = ""
        self._since: float | None = None
        self._seconds = ""

    @property
    def seconds(self) -> str:
        """Return the seconds since the job was created, until its end."""
        if self._since is None or self._seconds:
            return self._seconds
        return f"{time.monotonic() - self._since:.1f}"

    def show(self, event: Event) -> None:
        """Take up what happens."""
        match event:
            case BuildOutput() | ImageReady() | InstallOutput() | ProgramReady() | DataStored():
                self.status = _getting_ready(event)
            case BytesMoved():
                self.status = Text(f"{self._stage or event.what} {sizes(event)}")
            case JobCreated():
                self._since = time.monotonic()
            case StatusEntered():
                self._stage = f"{event.status}: {event.message}" if event.message else event.status
                self.status = Text(self._stage)
            case StopAsked():
                self._stage = f"Stopping: {event.why}"
                self.status = Text(self._stage, "yellow")
            case JobEnded():
                self._seconds = self.seconds
                self.status = Text(event.what, "green" if event.passed else "red")
            case LogLine() | StatusLeft():
                pass


def _getting_ready(event: BuildOutput | ImageReady | InstallOutput | ProgramReady | DataStored) -> Text:
    """Say what a job is at that is not created yet."""
    match event:
        case BuildOutput(line=line):
            return Text(f"Building the image: {line}")
        case InstallOutput(line=line):
            return Text(f"Installing: {line}")
        case ImageReady():
            return Text("its image is ready", "dim")
        case ProgramReady():
            return Text("its program is ready", "dim")
        case DataStored():
            return Text("its data is stored", "dim")


class LiveTableOutput:
    """A row for each job: what it is at, and for how long."""

    def __init__(self, job_files: Sequence[JobFile]) -> None:
        self._console = Console(force_terminal=True, highlight=False)
        self._rows = {one.name: _Row(one) for one in job_files}

    def live(self) -> AbstractContextManager[object]:
        """Keep the table up to date."""
        return Live(get_renderable=self._now, console=self._console, refresh_per_second=10, transient=True)

    def show(self, job: str, event: Event) -> None:
        """Change the job's row."""
        self._rows[job].show(event)

    def conclude(self, ends: Sequence[End]) -> None:
        """Print the table of the ends, why jobs have failed, and whether all is as expected."""
        self._console.print(table_of_ends(ends))
        for end in ends:
            lines = Table.grid(padding=(0, 2))
            lines.add_column(style="bold", no_wrap=True)
            lines.add_column(style="dim", no_wrap=True)
            lines.add_column(overflow="fold")
            for number, (name, text) in enumerate(explanation(end)):
                lines.add_row("" if number else end.job_file.name, name, Text(text, "red" if name == "unmet" else ""))
            if lines.row_count:
                self._console.print(lines, "")
        self._console.print(verdict(ends), style="bold green" if _all_passed(ends) else "bold red")

    def _now(self) -> RenderableType:
        table = _table("job", "kind")
        table.add_column("status", no_wrap=True, overflow="ellipsis")  # a row a job, also when a build says much
        table.add_column("seconds", justify="right", no_wrap=True)
        for name, row in self._rows.items():
            table.add_row(name, _kind(row.job_file), row.status, row.seconds)
        return table


def table_of_ends(ends: Sequence[End]) -> Table:
    """Return the last table: job, status, seconds, artifacts, metrics."""
    table = _table("job", "status")
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("artifacts", overflow="fold")
    table.add_column("metrics", overflow="fold")
    for end in ends:
        status = Text(end.verdict, "green" if end.passed else "red")
        if isinstance(end, Unfinished):
            table.add_row(end.job_file.name, status, "", "", "")
            continue
        artifacts = "\n".join(
            f"{one.name}: {_files(len(one.files))}, {decimal(one.size)}" if one.files else f"{one.name}: nothing"
            for one in end.artifacts
        )
        metrics = "\n".join(f"{name} = {value:.6g}" for name, value in end.metrics.items())
        table.add_row(end.job_file.name, status, f"{end.seconds:.1f}", Text(artifacts), Text(metrics))
    return table


def explanation(end: End) -> Iterator[tuple[str, str]]:
    """Yield what is worth knowing of a job that has failed; of one that was to fail only its reason."""
    if isinstance(end, Unfinished):
        if not end.skipped:  # why it was skipped is in the table
            yield "error", str(end.error)
    elif not end.passed:
        yield from summary(end)
        yield from (("log", line) for line in end.log_lines[-_LOG_LINES_SHOWN:])
        yield from (("unmet", sentence) for sentence in end.unmet)
    elif end.failure_reason:
        yield "reason", end.failure_reason


def verdict(ends: Sequence[End]) -> str:
    """Return the last line."""
    failed = [end.job_file.name for end in ends if not end.passed]
    return f"failed    {', '.join(failed)}" if failed else f"passed    {len(ends)} job{'' if len(ends) == 1 else 's'}"


def json_documents(ends: Sequence[End]) -> list[dict[str, Any]]:
    """Return the ends as a list of JSON objects, those of jobs that were not run with their reason as unmet."""
    return [_json_document(end) for end in ends]


def _json_document(end: End) -> dict[str, Any]:
    if isinstance(end, JobReport):
        return json_document(end)
    return {"job_file": str(end.job_file.path), "passed": False, "unmet": [str(end.error)]}


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _kind(job_file: JobFile) -> str:
    return job_file.kind.resource.removesuffix("-job")


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"


def _all_passed(ends: Sequence[End]) -> bool:
    return all(end.passed for end in ends)
