"""What git says has changed: committed since a revision, not committed yet, and not even added."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..errors import UsageError

_SECONDS: Final = 120
# What CI systems give as the revision before the first push of a branch.
_NO_REVISION: Final = re.compile(r"0*")


def is_a_revision(text: str | None) -> bool:
    """Tell whether this names a revision: not when it is empty, or what a push of a new branch gives."""
    return text is not None and not _NO_REVISION.fullmatch(text)


def repository_of(folder: Path) -> Path | None:
    """Return the top folder of the git repository that a folder is in; None if it is in none, or there is no git."""
    try:
        found = _git(folder, "rev-parse", "--show-toplevel")
    except (OSError, _GitError):
        return None
    return Path(found.removesuffix("\n")).resolve()


def changed_since(repository: Path, revision: str) -> frozenset[Path]:
    """Return all files that differ from where this branch left the revision, files that are no more included.

    What git ignores is not looked at.

    Raises:
        UsageError: git does not know the revision, or how it belongs to what is here.
    """
    try:
        base = _git(repository, "merge-base", "--end-of-options", revision, "HEAD").strip()
    except _GitError as error:
        reason = f": {error}" if str(error) else " has nothing in common with what is checked out"
        raise UsageError(
            f"--changed-since {revision}: git cannot compare with it{reason}.\n"
            "A CI often fetches the last commit only: "
            "fetch the whole history (fetch-depth: 0 on GitHub, GIT_DEPTH: 0 on GitLab), or leave the option out."
        ) from error
    tracked = _git(repository, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", base)
    untracked = _git(repository, "ls-files", "--others", "--exclude-standard", "-z")
    return frozenset(repository / name for name in (tracked + untracked).split("\0") if name)


class _GitError(Exception):
    """What git says to standard error."""


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", os.fspath(folder), "-c", "core.quotePath=false", *arguments],  # noqa: S607 - the user's own git
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=_SECONDS,
        check=False,
        env=_own_environment(),
    )
    if done.returncode != 0:
        raise _GitError(done.stderr.strip().removeprefix("fatal: "))
    return done.stdout


def _own_environment() -> dict[str, str]:
    """Leave out what a git hook sets: it may name another repository, or an index of the moment."""
    told: Sequence[str] = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
    return {name: value for name, value in os.environ.items() if name not in told} | {"LC_ALL": "C"}
