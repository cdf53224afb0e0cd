"""Finds the job files below folders: by what they say, whatever they are called."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ..errors import UsageError
from ..jobfiles.document import kinds

_ENDINGS: Final = (".yaml", ".yml")
# Folders that hold other people's files.
_FOREIGN: Final = ("node_modules", "site-packages", "venv")
_A_KIND: Final = re.compile(rf"""^\s*\{{?\s*["']?kind["']?\s*:\s*["']?(?:{"|".join(kinds())})\b""", re.MULTILINE)


def find_job_files(paths: Iterable[Path]) -> list[Path]:
    """Return job files: those that are named, and all in folders that are, each once.

    Raises:
        UsageError: there is no such path, or no job file in a folder.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        files = list(_below(path)) if path.is_dir() else [path]
        if not path.exists():
            raise UsageError(f"There is no file or folder {path}. Check its spelling, and the current folder.")
        if not files:
            raise UsageError(
                f"There are no job files in the folder {path}: no *.yaml that says kind: {' or kind: '.join(kinds())}. "
                "Name the folder that has them, or write one: sagemaker-emulator init"
            )
        for file in files:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def is_job_file(path: Path) -> bool:
    """Tell whether a file says which kind of job it is, right or wrong in all else."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return _A_KIND.search(text) is not None


def _below(folder: Path) -> Iterator[Path]:
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _FOREIGN)
        for name in sorted(names):
            path = Path(above, name)
            if path.suffix in _ENDINGS and is_job_file(path):
                yield path
