"""What of a program's folder is the program's: what a build of an image would be given, and no more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

_NOT_COPIED: Final = (".git", "__pycache__")
_IGNORED: Final = ".dockerignore"


def copy_source(source: Path, target: Path, without: Iterable[Path] = ()) -> None:
    """Copy a program's folder, but for what .dockerignore leaves out, .git, bytecode and virtual environments.

    Also left out is what lies in the folder and is not the program's: `without`.
    """
    left_out = _rule(source, without)
    shutil.copytree(source, target, symlinks=True, ignore=lambda folder, names: _those(left_out, folder, names))
    target.chmod(0o755)


def source_paths(source: Path, without: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield what `copy_source` copies."""
    left_out = _rule(source, without)
    for folder, folders, files in os.walk(source):
        dropped = _those(left_out, folder, folders + files)
        folders[:] = [name for name in folders if name not in dropped]
        yield from (Path(folder, name) for name in (*folders, *files) if name not in dropped)


def _those(left_out: Callable[[Path], bool], folder: str, names: list[str]) -> set[str]:
    return {name for name in names if left_out(Path(folder, name))}


def _rule(source: Path, without: Iterable[Path]) -> Callable[[Path], bool]:
    """Return what tells whether a path below a folder is left out."""
    others = {path.name: path.resolve() for path in without}
    kept = _kept(source) if (source / _IGNORED).is_file() else None

    def is_left_out(path: Path) -> bool:
        if path.name in _NOT_COPIED or (path / "pyvenv.cfg").is_file():
            return True
        if path.name in others and path.resolve() == others[path.name]:
            return True
        return kept is not None and path.relative_to(source).as_posix() not in kept

    return is_left_out


def _kept(source: Path) -> set[str]:
    """Return the files that a build of an image would be given, and the folders that they are in."""
    from docker.utils import exclude_paths  # it takes longer to load than most programs to run

    lines = (line.strip() for line in (source / _IGNORED).read_text(encoding="utf-8").splitlines())
    files = exclude_paths(str(source), [line for line in lines if line and not line.startswith("#")])
    found = {PurePosixPath(name) for name in files}
    return {str(path) for name in found for path in (name, *name.parents)}
