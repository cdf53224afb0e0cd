"""What the job of a job file is made of on this disk: a change of any of it may change how the job ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..jobfiles.document import ImageBuild, JobFile
from ..jobfiles.images import context_filter


@dataclass(frozen=True, kw_only=True)
class Input:
    """A file or folder, what it is to the job, and which names below it count."""

    what: str
    path: Path
    counts: Callable[[str], bool] = lambda _: True

    def changed(self, files: Collection[Path]) -> Path | None:
        """Return one of the changed files that this input is or has; None if there is none.

        A changed path may also be above it: a submodule, of which git names the folder only.
        """
        for own in {Path(os.path.abspath(self.path)), self.path.resolve()}:  # noqa: PTH100 - without resolving links
            for file in sorted(files):
                if own == file or own.is_relative_to(file):
                    return file
                if file.is_relative_to(own) and self.counts(file.relative_to(own).as_posix()):
                    return file
        return None


def inputs_of(job_file: JobFile) -> Iterator[Input]:
    """Yield everything that a job file's job is made of."""
    yield Input(what="its job file", path=job_file.path)
    if isinstance(build := job_file.image, ImageBuild):
        yield Input(what="its image's folder", path=build.context, counts=context_filter(build))
        yield Input(what="its Dockerfile", path=build.context / build.dockerfile)
    if (program := job_file.program) is not None:
        yield Input(what="its program", path=program.source)
        if program.requirements is not None:
            yield Input(what="its requirements", path=program.requirements)
    for entry in job_file.data:
        yield Input(what="its data", path=entry.source)
