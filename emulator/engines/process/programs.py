"""The programs that stand for images."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Final

from ...contract.outcome import ImageMissingError
from ...contract.paths import OPT_ML
from ...contract.plan import Program
from ...contract.programs import is_program_place
from ...errors import UsageError
from ...jobs.ports import ImageEntry, ImageView, Programs
from .sources import source_paths


class RegisteredPrograms:
    """Programs by the names of the images that they stand for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._programs: dict[str, Program] = {}

    def register(self, image: str, program: Program) -> None:
        """Have a program run wherever a request names this image; one that was there before is replaced.

        Raises:
            UsageError: it cannot run, and the text says why.
        """
        check(image, program)
        with self._lock:
            self._programs[image] = program

    def find(self, image: str) -> Program:
        """Return the program that stands for an image.

        Raises:
            ImageMissingError: there is none.
        """
        with self._lock:
            program = self._programs.get(image)
            names = ", ".join(sorted(self._programs)) or "none"
        if program is None:
            raise ImageMissingError(
                image,
                "The process engine runs programs in the place of images, and none is registered under this name "
                f"(registered: {names}). Give the job file a `program` section, list it in a file for "
                "`sagemaker-emulator up --programs FILE`, or use --engine docker.",
            )
        return program


def check(image: str, program: Program) -> None:
    """Refuse a program that could not run.

    Raises:
        UsageError: with what is wrong, and what to write instead.
    """
    if not image:
        raise UsageError("A program is registered under the name of an image, and the name is empty.")
    if not program.command or not program.command[0]:
        raise UsageError(f"The program of {image} has no command. Write one, such as [python, train.py].")
    if program.source is not None and not program.source.is_dir():
        raise UsageError(f"The program of {image} has the source {program.source}, which is no folder of this machine.")
    at = program.at
    if not is_program_place(at):
        raise UsageError(
            f"The program of {image} cannot be at {at}. Write an absolute path of its own, such as /opt/ml/code"
        )
    if (real := Path(at).resolve()) != Path(at):
        raise UsageError(f"The program of {image} cannot be at {at}: a symbolic link leads to {real}. Write that one.")
    for folder in program.path:
        if not Path(folder).is_dir():
            raise UsageError(f"The program of {image} has {folder} in its path, which is no folder of this machine.")


def program_view(program: Program) -> ImageView:
    """Return what a program's source puts below /opt/ml, and this machine's users."""
    entries: dict[str, ImageEntry] = {}
    if program.source is not None and program.at.is_relative_to(OPT_ML):
        entries[str(program.at)] = ImageEntry(kind="directory", mode=0o755)
        for path in sorted(source_paths(program.source, program.without)):
            found = path.lstat()
            kind = next((kind for test, kind in _KINDS if test(found.st_mode)), "other")
            entries[str(program.at / path.relative_to(program.source).as_posix())] = ImageEntry(
                kind=kind,
                mode=stat.S_IMODE(found.st_mode),
                size=found.st_size if kind == "file" else 0,
                target=str(path.readlink()) if kind == "symlink" else None,
            )
    passwd = Path("/etc/passwd")
    return ImageView(entries=entries, passwd=passwd.read_text("utf-8", "replace") if passwd.is_file() else "")


_KINDS: Final = ((stat.S_ISREG, "file"), (stat.S_ISDIR, "directory"), (stat.S_ISLNK, "symlink"))
_: type[Programs] = RegisteredPrograms
