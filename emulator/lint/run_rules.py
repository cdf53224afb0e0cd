"""Rules about how the program behaves when it is started for a moment. Pure.

It has no data and no network then, so most of what goes wrong means nothing. Only what the program itself
says beyond doubt is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .facts import Facts, Kind
from .rule import Hit, Rule, Severity

_MISSING_MODULE: Final = re.compile(r"^\s*(?:ModuleNotFoundError|ImportError): (?P<text>No module named .+)$", re.M)
_DENIED: Final = re.compile(r"^.*(?:PermissionError|[Pp]ermission denied).*$", re.M)
_MOST_SHOWN: Final = 3


def _refuses_argument(facts: Facts) -> Iterator[Hit]:
    run, argument = facts.run, facts.argument
    if run is None or not run.exit_code or not argument:
        return
    word = rf"(?<![\w-]){re.escape(argument)}(?![\w-])"
    for pattern in (
        rf"unrecognized arguments:.*{word}",
        rf"unexpected extra arguments? \(.*{word}",
        rf"No such command ['\"]?{word}",
        rf"invalid (?:choice|\w+ value): ['\"]?{word}",
    ):
        if found := re.search(pattern, run.output):
            yield Hit(f"It ended with exit code {run.exit_code}: {found[0]}.", facts.line("ENTRYPOINT"))
            return


def _module_missing(facts: Facts) -> Iterator[Hit]:
    run = facts.run
    if run is not None and run.exit_code and (found := _MISSING_MODULE.findall(run.output)):
        yield Hit(f"It ended with exit code {run.exit_code}: {found[-1].strip()}.")


def _permission_denied(facts: Facts) -> Iterator[Hit]:
    run = facts.run
    if run is not None and run.exit_code and (found := _DENIED.findall(run.output)):
        yield Hit(f"It ended with exit code {run.exit_code}: {found[-1].strip()[:200]}", facts.line("USER"))


def _ignores_sigterm(facts: Facts) -> Iterator[Hit]:
    run = facts.run
    if run is not None and run.ended_on_sigterm is False and not run.catches_sigterm:
        how = "has no handler for SIGTERM" if run.catches_sigterm is False else "did not end on SIGTERM"
        yield Hit(f"The first process, `{' '.join(facts.command or ())[:80]}`, {how}.", facts.line("ENTRYPOINT"))


def _model_elsewhere(facts: Facts) -> Iterator[Hit]:
    run = facts.run
    if run is not None and run.exit_code == 0 and not run.has_results and run.written:
        more = f" and {len(run.written) - _MOST_SHOWN} more" if len(run.written) > _MOST_SHOWN else ""
        yield Hit(f"It ended well, wrote {', '.join(run.written[:_MOST_SHOWN])}{more}, and left nothing to collect.")


RULES: Final = (
    Rule(
        id="entrypoint-refuses-argument",
        severity=Severity.ERROR,
        what="The program refuses the argument that the service gives it",
        why="The service runs ENTRYPOINT with `train` (`serve`) behind it: a parser of arguments must allow for it.",
        fix="Take the argument (argparse: parser.add_argument('mode', nargs='?')), or make requests set "
        "ContainerEntrypoint.",
        check=_refuses_argument,
        reads="run",
        kinds=(Kind.TRAINING, Kind.SERVING),
        unless=("shell-form-entrypoint",),
    ),
    Rule(
        id="module-missing",
        severity=Severity.ERROR,
        what="The program imports a module that is not in the image",
        why="Nothing is installed when a job starts, but for the requirements.txt of script mode.",
        fix="Install it in the Dockerfile.",
        check=_module_missing,
        reads="run",
    ),
    Rule(
        id="permission-denied",
        severity=Severity.ERROR,
        what="The program's user may not write or read what it needs",
        why="The container runs as the image's USER; what the Dockerfile copied or made is root's, unless it says "
        "otherwise.",
        fix="COPY --chown, RUN chown, or leave USER out. Write to /opt/ml/model, /opt/ml/output and /tmp.",
        check=_permission_denied,
        reads="run",
    ),
    Rule(
        id="sigterm-ignored",
        severity=Severity.WARNING,
        what="The program does not end when it is stopped",
        why="StopTrainingJob and MaxRuntimeInSeconds send SIGTERM to the first process, and SIGKILL 120 s later. A "
        "first process without a handler of its own does not even get SIGTERM: Linux protects process 1.",
        fix="Handle it: signal.signal(signal.SIGTERM, ...), save what is worth it, and exit.",
        check=_ignores_sigterm,
        reads="run",
        unless=("shell-form-entrypoint", "shell-script-without-exec"),
    ),
    Rule(
        id="model-elsewhere",
        severity=Severity.WARNING,
        what="The program writes, but not to /opt/ml/model or /opt/ml/output/data",
        why="Only /opt/ml/model becomes model.tar.gz and only /opt/ml/output/data becomes output.tar.gz; the rest of "
        "the container's disk is lost with it.",
        fix="Write the model to /opt/ml/model, other results to /opt/ml/output/data.",
        check=_model_elsewhere,
        reads="run",
        kinds=(Kind.TRAINING,),
    ),
)
