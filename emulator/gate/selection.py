"""Which jobs run: those that a change concerns, those behind them, and those that these need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import UsageError
from ..jobfiles.document import JobFile
from ..jobfiles.plan import in_order, with_those_before
from .git import changed_since, is_a_revision, repository_of
from .inputs import inputs_of


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A job file, whether its job runs, and why."""

    job_file: JobFile
    runs: bool
    why: str


def load(paths: Sequence[Path]) -> list[JobFile]:
    """Read job files, and those of their folders that they name in `after`; each comes behind these.

    Raises:
        UsageError: with everything that is wrong in any of them.
    """
    folders: dict[Path, dict[Path, JobFile]] = {}
    wrong: list[str] = []
    for path in paths:
        try:
            beside = folders.setdefault(path.resolve().parent, {})
            for one in with_those_before(path):
                beside.setdefault(one.path.resolve(), one)
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return [one for job_files in folders.values() for one in in_order(list(job_files.values()))]


def choose(job_files: Sequence[JobFile], revision: str | None) -> list[Choice]:
    """Return for each job file whether its job runs: all of them, if no revision is given.

    Raises:
        UsageError: git does not know the revision.
    """
    if not is_a_revision(revision):
        why = "all jobs run" if revision is None else "all jobs run: there is no revision to compare with"
        return [Choice(job_file=one, runs=True, why=why) for one in job_files]
    assert revision is not None
    reasons: dict[Path, str] = {}
    changes = _Changes(revision)
    for one in job_files:
        if reason := changes.concern(one):
            reasons[one.path] = reason
    before = {one.path: _before(one, job_files) for one in job_files}
    # In their order each job's predecessors come first, so one pass finds all that is behind a change.
    for one in job_files:
        if one.path not in reasons and (first := next((x for x in before[one.path] if x.path in reasons), None)):
            reasons[one.path] = f"it is after {first.name}"
    for one in reversed(job_files):
        if one.path in reasons:
            for needed in before[one.path]:
                reasons.setdefault(needed.path, f"{one.name} is after it")
    unchanged = f"nothing of it has changed since {revision}"
    return [Choice(job_file=one, runs=one.path in reasons, why=reasons.get(one.path, unchanged)) for one in job_files]


class _Changes:
    """What has changed since a revision, in each repository; git is asked once about each."""

    def __init__(self, revision: str) -> None:
        self._repository = cache(repository_of)
        self._changed = cache(lambda repository: changed_since(repository, revision))

    def concern(self, job_file: JobFile) -> str:
        """Return what of a job's making has changed; "" if nothing has."""
        repository = self._repository(job_file.path.resolve().parent)
        if repository is None:
            return "it is in no git repository"
        changed = self._changed(repository)
        for one in inputs_of(job_file):
            if not one.path.resolve().is_relative_to(repository):
                return f"{one.what} is not in its git repository: {one.path}"
            if (file := one.changed(changed)) is not None:
                is_all = file == one.path.resolve()
                return f"{one.what} has changed" + ("" if is_all else f": {file.relative_to(repository)}")
        return ""


def _before(job_file: JobFile, job_files: Sequence[JobFile]) -> list[JobFile]:
    """Return the job files that one names in `after`."""
    return [one for one in _beside(job_file, job_files) if one.name in job_file.after]


def _beside(job_file: JobFile, job_files: Sequence[JobFile]) -> Iterator[JobFile]:
    folder = job_file.path.resolve().parent
    return (one for one in job_files if one.path.resolve().parent == folder)


def counts(choices: Sequence[Choice]) -> Mapping[bool, int]:
    """Return how many jobs run, and how many do not."""
    running = sum(one.runs for one in choices)
    return {True: running, False: len(choices) - running}
