"""What a job file expects against what a job has come to."""

from __future__ import annotations

import re
from typing import Any

import pytest

from emulator.contract.metrics import float32
from emulator.contract.status import JobStatus
from emulator.jobfiles.expectations import Comparison, Expectations, Facts, exit_code, unmet

FAILED = "AlgorithmError: bad row, exit code: 3"


def facts(*, status: str = "Completed", failure: str = "", **changes: Any) -> Facts:
    description = {
        "TrainingJobStatus": status,
        "FinalMetricDataList": [{"MetricName": "auc", "Value": float32(0.9)}],
        **({"FailureReason": failure} if failure else {}),
    }
    known: dict[str, Any] = {
        "description": description,
        "log_lines": ["read 3 rows", "epoch=1"],
        "artifacts": {"model": ["model.joblib", "assets/vocabulary.txt"]},
        "seconds": 12.34,
    }
    return Facts(**{**known, **changes})


def test_a_completed_job_meets_no_expectations_at_all() -> None:
    assert unmet(Expectations(), facts()) == []


def test_all_that_holds() -> None:
    expected = Expectations(
        model=("model.joblib", "assets/*.txt"),
        output=(),
        exit_code=0,
        metrics={"auc": Comparison(">=", 0.9)},
        logs=(re.compile(r"epoch=\d"),),
        max_seconds=13,
    )
    assert unmet(expected, facts()) == []


def test_an_expected_failure_holds() -> None:
    expected = Expectations(status=JobStatus.FAILED, failure=re.compile("bad .ow"), exit_code=3)
    assert unmet(expected, facts(status="Failed", failure=FAILED)) == []


def processed(*, message: str = "", **artifacts: list[str]) -> Facts:
    """Return the facts of a completed processing job with these outputs."""
    description = {"ProcessingJobStatus": "Completed", **({"ExitMessage": message} if message else {})}
    return facts(description=description, artifacts=artifacts)


def test_what_holds_of_a_processing_job() -> None:
    expected = Expectations(
        exit_code=0,
        exit_message=re.compile("^3 rows"),
        outputs={"train": ("part-*.csv", "day=1/a.csv"), "rejected": ()},
    )
    assert unmet(expected, processed(message="3 rows\n", train=["part-1.csv", "day=1/a.csv"], rejected=[])) == []


CASES = {
    "exit message": (
        Expectations(exit_message=re.compile("4 rows")),
        processed(message="3 rows"),
        "exit_message: expected one that matches '4 rows', found '3 rows'.",
    ),
    "no exit message": (
        Expectations(exit_message=re.compile("4 rows")),
        processed(),
        "exit_message: expected one that matches '4 rows', found none.",
    ),
    "output": (
        Expectations(outputs={"train": ("a.csv",)}),
        processed(train=["b.csv"]),
        "outputs.train: expected a.csv, found b.csv.",
    ),
    "nothing in an output": (
        Expectations(outputs={"train": ("a.csv",)}),
        processed(train=[]),
        "outputs.train: expected a.csv, found nothing.",
    ),
    "an output with files": (
        Expectations(outputs={"train": ()}),
        processed(train=["b.csv"]),
        "outputs.train: expected no file, found b.csv.",
    ),
    "status": (Expectations(), facts(status="Stopped"), "status: expected Completed, found Stopped."),
    "status with reason": (
        Expectations(),
        facts(status="Failed", failure=FAILED),
        f"status: expected Completed, found Failed ({FAILED}).",
    ),
    "failure": (
        Expectations(status=JobStatus.FAILED, failure=re.compile("line 4")),
        facts(status="Failed", failure=FAILED),
        f"failure: expected a reason that matches 'line 4', found '{FAILED}'.",
    ),
    "exit code": (
        Expectations(status=JobStatus.FAILED, exit_code=137),
        facts(status="Failed", failure=FAILED),
        "exit_code: expected 137, found 3.",
    ),
    "no exit code": (
        Expectations(status=JobStatus.FAILED, exit_code=1),
        facts(status="Failed", failure="ClientError: Data download failed:NoSuchKey"),
        "exit_code: expected 1, found none.",
    ),
    "model": (
        Expectations(model=("model.pt",)),
        facts(),
        "model: expected model.pt in model.tar.gz, found assets/vocabulary.txt, model.joblib.",
    ),
    "no archive": (
        Expectations(output=("report.json",)),
        facts(),
        "output: expected report.json in output.tar.gz, found no output.tar.gz.",
    ),
    "empty archive": (
        Expectations(model=("a",)),
        facts(artifacts={"model": []}),
        "model: expected a in model.tar.gz, found nothing.",
    ),
    "no file wanted": (
        Expectations(model=()),
        facts(artifacts={"model": ["a"]}),
        "model: expected no file, found a in model.tar.gz.",
    ),
    "many files": (
        Expectations(model=("x",)),
        facts(artifacts={"model": [f"f{number:02}" for number in range(12)]}),
        "model: expected x in model.tar.gz, found f00, f01, f02, f03, f04, f05, f06, f07, f08, f09 and 2 more.",
    ),
    "metric": (
        Expectations(metrics={"auc": Comparison(">", 0.9)}),
        facts(),
        "metrics: expected auc > 0.9, found 0.9.",
    ),
    "no metric": (
        Expectations(metrics={"loss": Comparison("<", 1)}),
        facts(),
        "metrics: expected loss < 1, found no such metric; there is auc.",
    ),
    "logs": (
        Expectations(logs=(re.compile("epoch=9"),)),
        facts(),
        "logs: expected a line that matches 'epoch=9', found none among 2.",
    ),
    "seconds": (
        Expectations(max_seconds=12),
        facts(),
        "max_seconds: expected at most 12 s from creation to end, found 12.3 s.",
    ),
}


@pytest.mark.parametrize(("expected", "found", "sentence"), CASES.values(), ids=CASES.keys())
def test_what_does_not_hold_is_one_sentence(expected: Expectations, found: Facts, sentence: str) -> None:
    assert unmet(expected, found) == [sentence]


def test_everything_that_does_not_hold_is_told() -> None:
    expected = Expectations(failure=re.compile("a"), model=("x", "y"), max_seconds=1)
    assert [sentence.partition(":")[0] for sentence in unmet(expected, facts())] == [
        "failure",
        "model",
        "model",
        "max_seconds",
    ]


@pytest.mark.parametrize(
    ("text", "found", "holds"),
    [
        (">= 0.9", float32(0.9), True),
        ("> 0.9", float32(0.9), False),
        ("<= 0.9", float32(0.9), True),
        ("< 0.9", float32(0.9), False),
        ("== 0.9", float32(0.9), True),
        ("!= 0.9", float32(0.9), False),
        ("0.9", float32(0.9), True),
        (">=0.9", 0.91, True),
        ("> 0.9", 0.91, True),
        ("< 1e-3", 0.0, True),
        ("0", 0.0, True),
        ("!= 0", 1e-30, True),
        ("== 1", 1.0001, False),
        (">= -1", -0.5, True),
    ],
)
def test_comparisons_are_those_of_32_bit_numbers(text: str, found: float, holds: bool) -> None:
    assert Comparison.parse(text).holds(found) is holds


@pytest.mark.parametrize("text", ["", "high", ">= ", "=> 1", ">= 1 2", "nan", "< inf", "1,5", "1.2.3", "1e"])
def test_what_is_no_comparison(text: str) -> None:
    with pytest.raises(ValueError, match=r"no comparison|could not convert"):
        Comparison.parse(text)


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ({"TrainingJobStatus": "Completed"}, 0),
        ({"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: , exit code: 137"}, 137),
        ({"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: exit code: 1 of x, exit code: 2"}, 2),
        ({"TrainingJobStatus": "Failed", "FailureReason": "InternalServerError"}, None),
        ({"TrainingJobStatus": "Stopped"}, None),
        ({"ProcessingJobStatus": "Failed", "FailureReason": "AlgorithmError: , exit code: 3"}, 3),
    ],
)
def test_the_exit_code_is_read_from_the_failure_reason(description: dict[str, Any], code: int | None) -> None:
    assert exit_code(description) == code


def test_objects_are_compared_by_their_names_below_each_uri() -> None:
    expected = Expectations(objects={"s3://b/p/": ("*.csv",), "s3://b/none/": (), "s3://b/q/": ("model.json",)})
    found = {"s3://b/p/": ["2026/a.csv"], "s3://b/none/": [], "s3://b/q/": ["model.json", "other"]}
    assert unmet(expected, facts(objects=found)) == []
    assert unmet(expected, facts(objects={"s3://b/p/": ["a.txt"], "s3://b/none/": ["x"]})) == [
        "objects.s3://b/p/: expected *.csv, found a.txt.",
        "objects.s3://b/none/: expected no file, found x.",
        "objects.s3://b/q/: expected model.json, found nothing.",
    ]
