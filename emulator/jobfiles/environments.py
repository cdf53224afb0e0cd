"""Python environments for programs: made once for each content of a requirements file, and kept."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from .. import file_locks
from ..errors import UsageError
from .events import InstallOutput, OnEvent

_HASH_CHARACTERS: Final = 20
_LINES_SHOWN: Final = 15
# No more than this for a download and build of everything.
_INSTALL_SECONDS: Final = 1800
# No more than this between the end of its output and its own.
_END_SECONDS: Final = 30
_DONE: Final = ".complete"
_WHEELS: Final = "wheels"
_OTHER_FILES: Final = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)", re.MULTILINE)


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder below the user's cache home where environments are kept."""
    home = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".cache"
    return Path(home) / "sagemaker-emulator" / "environments"


def environment_of(requirements: Path, on_event: OnEvent, cache: Path | None = None) -> tuple[Path, float | None]:
    """Return the `bin` folder of an environment that has what a file requires, and the seconds it took to make.

    None: it was there. Whoever needs one that is just being made waits for it.

    Raises:
        UsageError: it cannot be made; with the last lines of what pip says.
    """
    folder = (cache or cache_dir()) / environment_key(requirements)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = file_locks.take(folder.with_suffix(".lock"), wait=True)
    except OSError as error:
        raise UsageError(f"The environment for {requirements} cannot be made in {folder.parent}: {error}") from error
    assert lock is not None
    try:
        if (folder / _DONE).exists():
            return folder / "bin", None
        started = time.monotonic()
        shutil.rmtree(folder, ignore_errors=True)  # one that was not finished
        _make(folder, requirements, on_event)
        (folder / _DONE).touch()
        return folder / "bin", time.monotonic() - started
    finally:
        os.close(lock)


def wheels_of(requirements: Path) -> Path:
    """Return the folder whose wheels are tried before the index. It need not be there."""
    return requirements.parent / _WHEELS


def environment_key(requirements: Path) -> str:
    """Return what tells environments apart: the text of the file and of those it names, the Python, the machine."""
    of_what = f"{sys.implementation.cache_tag} {platform.machine()} {sys.base_prefix}\0"
    return hashlib.sha256((of_what + "\0".join(_texts(requirements, set()))).encode()).hexdigest()[:_HASH_CHARACTERS]


def _texts(requirements: Path, seen: set[Path]) -> Iterator[str]:
    if requirements.resolve() in seen or not requirements.is_file():  # pip says what is wrong with it
        return
    seen.add(requirements.resolve())
    text = requirements.read_text(encoding="utf-8", errors="replace")
    yield text
    for other in _OTHER_FILES.findall(text):
        yield from _texts(requirements.parent / other, seen)


def _make(folder: Path, requirements: Path, on_event: OnEvent) -> None:
    lines = _run([sys.executable, "-m", "venv", str(folder)], on_event)
    if lines is None:
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off"]
        wheels = wheels_of(requirements)
        install = [*pip, "--requirement", str(requirements)]
        if wheels.is_dir() and _run([*install, "--no-index", f"--find-links={wheels}"], on_event) is None:
            return
        lines = _run(install, on_event)
    if lines is not None:
        output = "".join(f"  {line}\n" for line in lines)
        raise UsageError(
            f"What {requirements} requires cannot be installed:\n{output}"
            "Correct the file, or make the index reachable (pip takes PIP_INDEX_URL and the like), or put wheels of "
            f"what it requires into the folder {wheels_of(requirements).absolute()}."
        )


def _run(command: list[str], on_event: OnEvent) -> deque[str] | None:
    """Run a command and tell its output; return the last lines if it fails, else None."""
    lines: deque[str] = deque(maxlen=_LINES_SHOWN)
    deadline = time.monotonic() + _INSTALL_SECONDS
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip():
                    lines.append(line.rstrip())
                    on_event(InstallOutput(line=line.rstrip()))
                if time.monotonic() > deadline:
                    lines.append(f"(given up after {_INSTALL_SECONDS} s)")
                    return lines
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                lines.append(f"(did not end within {_END_SECONDS} s of its last line)")
        finally:
            if process.poll() is None:
                process.kill()
    return lines if process.returncode != 0 else None
