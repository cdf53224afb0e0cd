"""`sagemaker-emulator lint`: check an image against the contract without running a job."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from ..errors import UsageError

if TYPE_CHECKING:
    from ..lint.lint import Report
    from ..lint.rule import Finding

_COLORS: Final = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command()
@click.argument("target", metavar="IMAGE|DOCKERFILE|FOLDER|JOBFILE")
@click.option(
    "--kind",
    type=click.Choice(["training", "processing", "serving"]),
    help="What the image is for; by default the job file or the image tells.",
)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave a rule out; may be given several times.")
@click.option("--static", is_flag=True, help="Read the Dockerfile only: build nothing, start nothing.")
@click.option("--run/--no-run", "run", default=True, help="Start the program for a moment, or leave that out.")
@click.option(
    "--run-seconds",
    default=4,
    show_default=True,
    type=click.IntRange(min=1, max=3600),
    help="How long the program may run: more for one that takes long to load its libraries.",
)
@click.option("--target", "stage", metavar="STAGE", help="The stage of the Dockerfile to build.")
@click.option("--build-arg", "arguments", multiple=True, metavar="NAME=VALUE", help="A build argument.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; builds go to standard error.")
def lint(
    target: str,
    kind: str | None,
    strict: bool,
    ignore: tuple[str, ...],
    static: bool,
    run: bool,
    run_seconds: int,
    stage: str | None,
    arguments: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check an image for what SageMaker expects of it, without running a job.

    A Dockerfile or folder is built; a job file's image is checked with its request's entrypoint, arguments
    and Environment. Exit code 0: no errors; 1: errors (with --strict also warnings); 2: wrong usage or no
    such image; 3: no Docker Engine. The rules are in docs/lint.md.
    """
    from ..lint.facts import Kind
    from ..lint.lint import Options
    from ..lint.lint import lint as lint_target
    from ..lint.rules import checked_ids
    from ..lint.target import BuildOptions, target_of

    # SIGTERM is what CI sends; it cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = Options(
        kind=Kind(kind) if kind else None,
        ignore=checked_ids(ignore),
        static=static,
        run=run,
        run_seconds=run_seconds,
    )
    found = target_of(target, BuildOptions(target=stage, arguments=dict(map(_pair, arguments))))
    report = lint_target(found, options, lambda line: click.echo(f"  {line}", err=True))
    if as_json:
        click.echo(json.dumps(_document(report), indent=2))
    elif sys.stdout.isatty():
        _show(report)
    else:
        for line in _plain_lines(report):
            click.echo(line)
    sys.exit(int(report.fails(strict=strict)))


def _pair(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not name or not equals:
        raise UsageError(f"--build-arg {argument} has no value. Write NAME=VALUE.")
    return name, value


def _place(report: Report, finding: Finding) -> str:
    """Return where a finding is: file and line, or the target."""
    if finding.line is None or report.target.dockerfile is None:
        return report.target.given
    return f"{report.target.dockerfile}:{finding.line}"


def _plain_lines(report: Report) -> Iterator[str]:
    """Yield a line for each finding, as compilers write them, and its reason and fix."""
    for finding in report.findings:
        rule = finding.rule
        yield f"{_place(report, finding)}: {rule.severity}: {finding.message} [{rule.id}]"
        yield f"    why: {rule.why}"
        yield f"    fix: {rule.fix}"
    yield from _last_lines(report)


def _last_lines(report: Report) -> Iterator[str]:
    """Yield what was checked, what was not, and how much was found."""
    from ..lint.rule import Severity

    told_by = {"--kind": "as --kind says", "the job file": "as the job file says"}.get(
        report.kind_told_by, f"since {report.kind_told_by}"
    )
    yield f"checked as {report.kind} image, {told_by}: {', '.join(report.checked)}"
    if report.left_out:
        yield f"not all was checked: {report.left_out}"
    if report.ignored:
        yield f"ignored: {', '.join(sorted({finding.rule.id for finding in report.ignored}))}"
    counts = [
        f"{count} {severity}{'' if count == 1 else 's'}" for severity in Severity if (count := report.count(severity))
    ]
    yield f"{', '.join(counts) or 'nothing found'} in {report.seconds:.1f} s"


def _show(report: Report) -> None:
    """Show a report in a terminal."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False)
    for finding in report.findings:
        rule, color = finding.rule, _COLORS[finding.rule.severity]
        console.print(
            Text.assemble((f"{rule.severity} ", f"bold {color}"), (rule.id, "bold"), f"  {_place(report, finding)}")
        )
        console.print(Padding(Text(finding.message), (0, 0, 0, 2)))
        for label, text in (("why", rule.why), ("fix", rule.fix)):
            console.print(Padding(Text.assemble((f"{label} ", "dim"), text), (0, 0, 0, 2)))
        console.print()
    for line in _last_lines(report):
        console.print(Text(line))


def _document(report: Report) -> dict[str, Any]:
    """Return a report as JSON has it."""
    return {
        "target": report.target.given,
        "kind": str(report.kind),
        "kind_told_by": report.kind_told_by,
        "image": report.image,
        "checked": list(report.checked),
        "left_out": report.left_out,
        "seconds": round(report.seconds, 3),
        "findings": [_finding(report, finding) for finding in report.findings],
        "ignored": [_finding(report, finding) for finding in report.ignored],
    }


def _finding(report: Report, finding: Finding) -> dict[str, Any]:
    dockerfile = report.target.dockerfile
    return {
        "rule": finding.rule.id,
        "severity": str(finding.rule.severity),
        "message": finding.message,
        "why": finding.rule.why,
        "fix": finding.rule.fix,
        "file": str(dockerfile) if dockerfile and finding.line else None,
        "line": finding.line,
    }
