"""The live display of `run` with one job, for terminals."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
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
from .run_output import sizes, step, stop_text, summary

if TYPE_CHECKING:
    from ..jobfiles.report import JobReport

_BETWEEN: Final = "Getting ready"
_COLORS: Final = {"Completed": "green", "Failed": "red", "Stopped": "yellow"}


class LiveOutput:
    """The log above, and below it what goes on at this moment, how long already and how far."""

    def __init__(self) -> None:
        self._console = Console(force_terminal=True, highlight=False, soft_wrap=True)
        self._spinner = Spinner("dots")
        self._what = _BETWEEN
        self._since = time.monotonic()
        self._moved: BytesMoved | None = None

    def live(self) -> AbstractContextManager[object]:
        """Keep the last line up to date."""
        return Live(get_renderable=self._now, console=self._console, refresh_per_second=10, transient=True)

    def show(self, event: Event) -> None:
        """Print what stays, and change what the last line says."""
        match event:
            case BuildOutput():
                self._goes_on(f"Building the image: {event.line}", restart=not self._what.startswith("Building"))
            case InstallOutput():
                self._goes_on(f"Installing: {event.line}", restart=not self._what.startswith("Installing"))
            case ImageReady() | ProgramReady() | DataStored() | JobCreated():
                self._done(*step(event))
            case BytesMoved():
                self._moved = event
            case StatusEntered():
                restart = not self._what.startswith(f"{event.status}:")
                self._goes_on(f"{event.status}: {event.message}", restart=restart)
            case StatusLeft():
                self._done(event.status, f"{event.seconds:.1f} s")
            case LogLine():
                self._console.print(Text.assemble((f"{event.host} ", "dim cyan"), event.message))
            case StopAsked():
                self._console.print(Text(stop_text(event), "yellow"))
            case JobEnded():
                pass

    def conclude(self, report: JobReport) -> None:
        """Print what the job has come to."""
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in summary(report):
            table.add_row(name, Text(value, _COLORS.get(report.status, "")) if name == "result" else Text(value))
        for sentence in report.unmet:
            table.add_row("unmet", Text(sentence, "red"))
        verdict = Text("passed", "bold green") if report.passed else Text("failed", "bold red")
        self._console.print(Group("", table, Text.assemble(verdict, f" {report.path}")), soft_wrap=False)

    def _goes_on(self, what: str, *, restart: bool) -> None:
        self._what = what
        self._moved = None
        if restart:
            self._since = time.monotonic()

    def _done(self, name: str, text: str) -> None:
        self._goes_on(_BETWEEN, restart=True)
        self._console.print(Text.assemble(("✓ ", "green"), (f"{name:<12} ", "bold"), text))

    def _now(self) -> RenderableType:
        """Return the last line: a spinner, what goes on, its seconds, and a bar where bytes move."""
        row = Table.grid(padding=(0, 1))
        row.add_column(no_wrap=True)
        row.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        row.add_column(no_wrap=True)
        row.add_column(no_wrap=True)
        moved = self._moved
        bar: RenderableType = ""
        if moved is not None and moved.total:
            bar = ProgressBar(total=moved.total, completed=moved.done, width=24)
        what = self._what if moved is None else f"{moved.what} {sizes(moved)}"
        seconds = f"{time.monotonic() - self._since:.1f} s"
        row.add_row(self._spinner, Text(what), bar, seconds)
        return row
