"""What a program brings with it below /opt/ml, as an image would."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import Final

from ...contract.plan import Program
from ...jobs.ports import ImageEntry, ImageView
from .surroundings import left_out_of

_OPT_ML: Final = PurePosixPath("/opt/ml")


def view_of(program: Program) -> ImageView:
    """Return what each job of a program finds of its source below /opt/ml."""
    entries = {str(_OPT_ML): ImageEntry(kind="directory", mode=0o755)}
    source = program.source
    if source is None or not program.at.is_relative_to(_OPT_ML):
        return ImageView(entries=entries)
    for folder in (*reversed(program.at.parents), program.at):
        if folder.is_relative_to(_OPT_ML):
            entries[str(folder)] = ImageEntry(kind="directory", mode=0o755)
    left_out = left_out_of(source)
    for around, folders, files in os.walk(source):
        folders[:] = [name for name in folders if not left_out(Path(around, name))]
        for name in (*folders, *files):
            path = Path(around, name)
            if not left_out(path):
                entries[str(program.at / path.relative_to(source).as_posix())] = _entry(path)
    return ImageView(entries=entries)


def _entry(path: Path) -> ImageEntry:
    info = path.lstat()
    mode = stat.S_IMODE(info.st_mode)
    if stat.S_ISLNK(info.st_mode):
        return ImageEntry(kind="symlink", mode=mode, target=str(path.readlink()))
    if stat.S_ISDIR(info.st_mode):
        return ImageEntry(kind="directory", mode=mode)
    return ImageEntry(kind="file" if stat.S_ISREG(info.st_mode) else "other", mode=mode, size=info.st_size)
