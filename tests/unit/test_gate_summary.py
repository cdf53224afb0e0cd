"""The gate's summary: what Markdown shows of it stays whole, whatever a job says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from emulator.gate.results import JobResult, Results
from emulator.gate.selection import Choice
from emulator.gate.summary import LintLine, summary
from emulator.jobfiles.document import JobFile
from emulator.jobfiles.yaml_source import YamlSource

HERE = Path("/project")
PASSED = JobResult(
    file="/project/jobs/a/job.yaml",
    rung="docker",
    outcome="passed",
    seconds=12.34,
    status="Completed",
    metrics={"validation:auc": 0.75, "loss": 1e-7},
)
FAILED = replace(
    PASSED,
    file="/project/b.yaml",
    outcome="failed",
    status="Failed",
    metrics={},
    text="/project/b.yaml: not everything that is expected holds.\n"
    "  - status: expected Completed, found Failed (AlgorithmError: a | b\nsecond <line>, exit code: 1).\n"
    "  - logs: nothing\n"
    "The training job b is Failed.\n  its log is empty\n  bundle: /tmp/b.tar.gz",
    bundle="/tmp/b.tar.gz",
)


def choice(name: str, *, runs: bool) -> Choice:
    text = "kind: training\nimage: {name: a}\n"
    return Choice(job_file=JobFile.parse(YamlSource.parse(HERE / name, text)), runs=runs, why="for a reason")


def lines_of(*jobs: JobResult, lint: tuple[LintLine, ...] = (), errors: tuple[str, ...] = ()) -> list[str]:
    choices = [choice("a.yaml", runs=True), choice("c.yaml", runs=False)]
    results = Results(jobs=jobs, errors=errors)
    return summary(holds=False, choices=choices, results=results, lint=lint, seconds=61.2, here=HERE).splitlines()


def test_a_row_for_each_job() -> None:
    lines = lines_of(PASSED, FAILED)
    assert lines[:3] == ["## SageMaker jobs: not everything holds", "", "1 of 2 job files ran, in 61 s."]
    assert (
        "| `jobs/a/job.yaml` | docker | ✅ passed | Completed | 12.3 | validation:auc: 0.75<br>loss: 1e-07 |  |"
        in lines
    )
    unmet = (
        "status: expected Completed, found Failed (AlgorithmError: a \\| b second &lt;line>, exit code: 1)."
        "<br>logs: nothing"
    )
    assert f"| `b.yaml` | docker | ❌ failed | Failed | 12.3 |  | {unmet} |" in lines
    assert "Kept for a look: `/tmp/b.tar.gz`" in lines


def test_what_was_left_out_is_said() -> None:
    lines = lines_of()
    start = lines.index("<details><summary>1 left out</summary>")
    assert lines[start + 1 : start + 5] == ["", "- `c.yaml`: for a reason", "", "</details>"]


def test_findings_and_errors() -> None:
    lines = lines_of(lint=(LintLine(image="i", severity="error", rule="r", message="a|b"),), errors=("wrong file",))
    assert "| i | error | r | a\\|b |" in lines
    assert "wrong file" in lines


def test_a_long_text_keeps_its_end() -> None:
    text = "\n".join(lines_of(replace(FAILED, text="x" * 50_000 + "the end")))
    assert "the end" in text
    assert len(text) < 20_000


def test_results_travel_as_json(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert Results.read(path) == Results()
    written = Results(jobs=[PASSED, FAILED], errors=["a"])
    written.write(path)
    assert Results.read(path) == written
