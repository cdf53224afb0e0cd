"""What lies in a folder that a job could be made of: its data, its program, its Dockerfile."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

DATA: Final = "data"
_SCRIPTS: Final = {
    "training": ("train.py", "training.py"),
    "processing": ("process.py", "processing.py", "preprocess.py", "preprocessing.py", "evaluate.py"),
}
_SOURCES: Final = (".", "src", "source", "code", "program", "app")
_CHANNEL: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REQUIREMENTS: Final = "requirements.txt"


@dataclass(frozen=True, kw_only=True)
class Script:
    """A program in the folder: its file, what it needs, and the options it takes with plain defaults."""

    path: Path
    requirements: Path | None
    options: Mapping[str, str] = field(default_factory=dict)


def channels_of(folder: Path) -> dict[str, Path]:
    """Return what becomes a channel: each folder in `data`, or `data` itself if files are in it."""
    data = folder / DATA
    if not data.is_dir():
        return {}
    inside = sorted(one for one in data.iterdir() if not one.name.startswith("."))
    below = {one.name: one for one in inside if one.is_dir() and _CHANNEL.fullmatch(one.name) and any(one.iterdir())}
    return below or ({"training": data} if any(one.is_file() for one in inside) else {})


def script_of(folder: Path, kind: str, named: str | None) -> Script | None:
    """Return the program of a kind of job: the one that the image names, or one that is called as such are."""
    names = (named,) if named else _SCRIPTS[kind]
    for source in _SOURCES:
        for name in names:
            path = folder / source / name
            if path.is_file():
                needed = (folder / source / _REQUIREMENTS, folder / _REQUIREMENTS)
                requirements = next((one for one in needed if one.is_file()), None)
                return Script(path=path, requirements=requirements, options=dict(_options(path)))
    return None


def dockerfile_of(folder: Path) -> Path | None:
    """Return the folder's Dockerfile."""
    named = folder / "Dockerfile"
    if named.is_file():
        return named
    return next(iter(sorted(one for one in folder.glob("*Dockerfile*") if one.is_file())), None)


def _options(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the options of a program's argparse that have a plain default: its hyperparameters."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") != "add_argument":
            continue
        names = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        long = next((name for name in names if name.startswith("--")), None)
        default = next((one.value for one in call.keywords if one.arg == "default"), None)
        value = default.value if isinstance(default, ast.Constant) else None
        if long and isinstance(value, int | float | str) and not isinstance(value, bool):
            yield long.removeprefix("--"), str(value)
