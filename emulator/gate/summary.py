"""The summary in Markdown, as GitHub, GitLab and people read it. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .results import JobResult, Results
from .selection import Choice

_LONGEST_CELL: Final = 400
_LONGEST_TEXT: Final = 12_000
_MARKS: Final = {"passed": "✅ passed", "failed": "❌ failed", "skipped": "⏭️ not run"}


@dataclass(frozen=True, kw_only=True)
class LintLine:
    """One finding in an image."""

    image: str
    severity: str
    rule: str
    message: str


def summary(
    *, holds: bool, choices: Sequence[Choice], results: Results, lint: Sequence[LintLine], seconds: float, here: Path
) -> str:
    """Return the summary of a run of the gate; paths are shown as seen from `here`."""
    running = sum(one.runs for one in choices)
    head = [
        f"## SageMaker jobs: {'everything holds' if holds else 'not everything holds'}",
        "",
        f"{running} of {len(choices)} job files ran, in {seconds:.0f} s.",
        "",
    ]
    return "\n".join([*head, *_jobs(results, here), *_lint(lint), *_left_out(choices, here)]) + "\n"


def _jobs(results: Results, here: Path) -> Iterator[str]:
    if results.jobs:
        yield "| job | rung | result | status | seconds | metrics | what does not hold |"
        yield "|---|---|---|---|--:|---|---|"
        yield from (_row(one, here) for one in results.jobs)
        yield ""
    for error in results.errors:
        yield from ("```text", _cut(error, _LONGEST_TEXT), "```", "")
    yield from _failures(results, here)


def _row(one: JobResult, here: Path) -> str:
    metrics = "<br>".join(f"{name}: {value:g}" for name, value in one.metrics.items())
    unmet = "<br>".join(_cell(text) for text in one.unmet)
    cells = (f"`{_shown(one.file, here)}`", one.rung, _MARKS.get(one.outcome, one.outcome), one.status)
    return f"| {' | '.join(map(_cell, cells))} | {one.seconds:.1f} | {metrics} | {unmet} |"


def _failures(results: Results, here: Path) -> Iterator[str]:
    for one in results.jobs:
        if one.outcome != "failed":
            continue
        yield f"<details><summary><code>{_shown(one.file, here)}</code> on {one.rung}</summary>"
        yield ""
        yield from (f"Kept for a look: `{one.bundle}`", "") if one.bundle else ()
        yield from ("````text", _cut(one.text, _LONGEST_TEXT), "````", "", "</details>", "")


def _lint(lint: Sequence[LintLine]) -> Iterator[str]:
    if not lint:
        return
    yield from ("### Images", "", "| image | | rule | finding |", "|---|---|---|---|")
    for one in lint:
        yield f"| {' | '.join(map(_cell, (one.image, one.severity, one.rule, one.message)))} |"
    yield ""


def _left_out(choices: Sequence[Choice], here: Path) -> Iterator[str]:
    left_out = [one for one in choices if not one.runs]
    if not left_out:
        return
    yield f"<details><summary>{len(left_out)} left out</summary>"
    yield ""
    for one in left_out:
        yield f"- `{_shown(one.job_file.path, here)}`: {one.why}"
    yield from ("", "</details>", "")


def _shown(path: str | Path, here: Path) -> str:
    return Path(os.path.relpath(Path(path).resolve(), here.resolve())).as_posix()


def _cell(text: str) -> str:
    """Return a text that stays in its cell."""
    return _cut(" ".join(text.split()), _LONGEST_CELL).replace("|", "\\|").replace("<", "&lt;")


def _cut(text: str, longest: int) -> str:
    """Return the end of a text that is too long: the beginning of a log tells less."""
    return text if len(text) <= longest else f"... {text[-longest:]}"
