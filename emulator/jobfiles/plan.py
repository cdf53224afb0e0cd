"""Which job files there are, and in which order their jobs run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from ..errors import UsageError
from .document import JobFile


def load_all(paths: Iterable[Path]) -> tuple[JobFile, ...]:
    """Read job files, and all `*.yaml` of folders but not of the folders in them, and put them in order.

    Raises:
        UsageError: a file is wrong, or their jobs wait for what there is not.
    """
    files = [file for path in paths for file in (_files_of(path) if path.is_dir() else [path])]
    return in_order([JobFile.load(file) for file in dict.fromkeys(files)])


def with_those_before(path: Path) -> tuple[JobFile, ...]:
    """Read a job file, and those of its folder that its job waits for, and put them in order; it comes last.

    Raises:
        UsageError: a file is wrong, or their jobs wait for what there is not.
    """
    found = {path.stem: JobFile.load(path)}
    waiting = [found[path.stem]]
    while waiting:
        for name in waiting.pop().after:
            files = (path.with_name(f"{name}{ending}") for ending in (".yaml", ".yml"))
            before = next((file for file in files if file.is_file()), None)
            if before is not None and name not in found:
                found[name] = JobFile.load(before)
                waiting.append(found[name])
    return in_order(list(found.values()))


def in_order(job_files: Sequence[JobFile]) -> tuple[JobFile, ...]:
    """Return job files so that each comes behind those whose jobs run before its own; else in the order given.

    Raises:
        UsageError: two have one name, a name in `after` is that of none, or they wait for each other.
    """
    named: dict[str, JobFile] = {}
    for one in job_files:
        if one.name in named:
            raise one.yaml.error(
                (), f"another job file is called {one.name} too: {named[one.name].path}. Give one of them another name."
            )
        named[one.name] = one
    for one in job_files:
        _check_after(one, named)
    try:
        order = list(TopologicalSorter({name: one.after for name, one in named.items()}).static_order())
    except CycleError as error:
        around: list[str] = error.args[1][::-1]
        first = named[around[0]]
        raise first.yaml.error(
            ("after",), f"these jobs wait for each other: {' after '.join(around)}. Remove one of the names."
        ) from error
    return tuple(named[name] for name in order)


def _files_of(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.glob("*.yaml") if path.is_file())
    if not files:
        raise UsageError(f"There are no job files (*.yaml) in the folder {folder}. Name the folder that has them.")
    return files


def _check_after(job_file: JobFile, named: dict[str, JobFile]) -> None:
    for number, name in enumerate(job_file.after):
        if name not in named:
            there_are = ", ".join(other for other in named if other != job_file.name)
            but = f", but {there_are}" if there_are else ""
            raise job_file.yaml.error(
                ("after", number),
                f"there is no job file called {name} in this run{but}. Run it with its folder, "
                f"sagemaker-emulator run {job_file.path.parent}, or correct the name.",
            )
