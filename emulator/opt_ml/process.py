"""This process as a container's: its environment, arguments and output streams while a function runs, and its end."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

OnOutput = Callable[[str, bytes], None]
"""Takes "stdout" or "stderr", and what was written to it."""

_OURS = str(Path(__file__).parent)


@dataclass(frozen=True, kw_only=True)
class Start:
    """How the function finds itself started. The search path is this process's, so that its programs are found."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class End:
    """How it ended: as a process, with an exit code, and by which exception."""

    exit_code: int
    exception: BaseException | None = None


@contextmanager
def standing_in(start: Start, on_output: OnOutput) -> Iterator[None]:
    """Give the function its environment, arguments and streams; all is put back afterwards."""
    environment, arguments, stdout, stderr = dict(os.environ), sys.argv, sys.stdout, sys.stderr
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    heard = [_Tee("stdout", on_output, stdout), _Tee("stderr", on_output, stderr)]
    os.environ.clear()
    os.environ.update({"PATH": environment.get("PATH", os.defpath), "HOME": "/root", **start.environment})
    sys.argv = list(start.arguments)
    sys.stdout, sys.stderr = heard
    # A new process has no handlers, and `logging.basicConfig` does something in it.
    root.handlers[:] = []
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.argv, sys.stdout, sys.stderr = arguments, stdout, stderr
        os.environ.clear()
        os.environ.update(environment)
        for one in heard:
            one.end()


def ended(function: Callable[[], object]) -> End:
    """Call a function, and return what would have become of a process whose program it was.

    What is no `Exception` (Ctrl-C, pytest's own outcomes) is raised.
    """
    try:
        function()
    except SystemExit as error:
        return End(exit_code=_exit_code(error.code), exception=error if error.code else None)
    except Exception as error:  # noqa: BLE001 - it is the program's, and ends it
        shown = traceback.format_exception(type(error), error, _users(error.__traceback__))
        sys.stderr.write("".join(shown))
        return End(exit_code=1, exception=error)
    return End(exit_code=0)


def _exit_code(code: object) -> int:
    """A text, or whatever else is no number, is printed and stands for 1."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _users(found: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the user's first frame on."""
    while found is not None and found.tb_next is not None and found.tb_frame.f_code.co_filename.startswith(_OURS):
        found = found.tb_next
    return found


class _Bytes(io.RawIOBase):
    """Bytes written to a text stream's buffer."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, chunk: object) -> int:
        content = bytes(memoryview(chunk))  # type: ignore[arg-type]
        self._write(content)
        return len(content)


class _Tee(io.TextIOWrapper):
    """Sends what is written to the job's log, and on to the stream in whose place it stands."""

    def __init__(self, name: str, on_output: OnOutput, original: TextIO) -> None:
        self._name = name
        self._on_output: OnOutput | None = on_output
        self._original: TextIO | None = original
        super().__init__(_Bytes(self._take), encoding="utf-8", errors="backslashreplace", write_through=True)  # type: ignore[arg-type]

    def end(self) -> None:
        """Hear no more: a handler of `logging` may have kept the stream."""
        self._on_output = self._original = None

    def _take(self, content: bytes) -> None:
        if self._on_output is not None and self._original is not None:
            self._on_output(self._name, content)
            self._original.write(content.decode("utf-8", errors="replace"))
