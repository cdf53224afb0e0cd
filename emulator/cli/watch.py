"""`run --watch`: runs job files again whenever what they are made of changes.

Each run is a process of its own, `run` without `--watch`: it reads everything anew, and its end, whatever it is, ends
nothing here. Files are looked at, not listened for: that works on every file system, mounted and shared ones too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ..errors import EmulatorError

if TYPE_CHECKING:
    from ..jobfiles.document import JobFile

_LOOK_EVERY_SECONDS: Final = 0.3
_QUIET_SECONDS: Final = 0.3
_END_SECONDS: Final = 60
# What editors, version control and interpreters write beside a program.
_NOT_WATCHED: Final = {".git", ".hg", ".venv", "__pycache__", "node_modules", ".mypy_cache", ".pytest_cache", ".idea"}
_SWAP: Final = (".swp", ".swx", "~", ".pyc")

Snapshot = Mapping[Path, tuple[int, int, int]]
"""The files, and of each when it was changed, its size and its mode."""


def run_and_watch(paths: Sequence[Path]) -> int:
    """Run job files now and after each change, until Ctrl-C; return the exit code of that."""
    # -P: a folder of that name in the current one is not us.
    command = [sys.executable, "-P", "-m", "emulator", *(one for one in sys.argv[1:] if one != "--watch")]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            before = snapshot(paths)
            run = subprocess.Popen(command)
            try:
                changed = _changed(paths, before, run)
            finally:
                _end(run)
            click.echo(f"watch     {_shown(changed)}: running again", err=True)
    except KeyboardInterrupt:
        click.echo("watch     ended", err=True)
        return 0


def snapshot(paths: Sequence[Path]) -> Snapshot:
    """Look at every file that a change of which calls for another run."""
    found = {}
    for file in _files(paths):
        try:
            status = file.stat()
        except OSError:  # it is gone, or a link to nothing
            continue
        found[file] = (status.st_mtime_ns, status.st_size, status.st_mode)
    return found


def _changed(paths: Sequence[Path], before: Snapshot, run: subprocess.Popen[bytes]) -> list[Path]:
    """Wait until something has changed and nothing changes any more; return what."""
    told = False
    while True:
        time.sleep(_LOOK_EVERY_SECONDS)
        if not told and run.poll() is not None:
            told = True
            click.echo("watch     waiting for changes. Ctrl-C ends this.", err=True)
        now = snapshot(paths)
        if now == before:
            continue
        while True:
            time.sleep(_QUIET_SECONDS)
            again = snapshot(paths)
            if again == now:
                return sorted(path for path in {*before, *now} if before.get(path) != now.get(path))
            now = again


def _end(run: subprocess.Popen[bytes]) -> None:
    """End a run that is out of date at once; one that Ctrl-C has reached too is left to end its jobs."""
    if run.poll() is None:
        run.send_signal(signal.SIGUSR1)
    try:
        run.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield job files, and what those that can be read name: build folders, programs, data."""
    from ..jobfiles.document import JobFile

    for path in paths:
        job_files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        yield from job_files
        for file in job_files:
            try:
                job_file = JobFile.load(file)
            except EmulatorError:  # the run says what is wrong
                continue
            for source in _sources(job_file):
                yield from _below(source)


def _sources(job_file: JobFile) -> Iterator[Path]:
    from ..jobfiles.document import ImageBuild

    if isinstance(job_file.image, ImageBuild):
        yield job_file.image.context
    if job_file.program is not None and job_file.program.source is not None:
        yield job_file.program.source
    yield from (entry.source for entry in job_file.data)


def _below(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name not in _NOT_WATCHED]
        yield from (Path(folder, name) for name in files if not name.endswith(_SWAP))


def _shown(changed: Sequence[Path]) -> str:
    names = ", ".join(str(path) for path in changed[:3])
    return f"{names} and {len(changed) - 3} more have changed" if len(changed) > 3 else f"{names} changed"
