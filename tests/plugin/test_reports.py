"""What a report says of jobs."""

from __future__ import annotations

from pathlib import Path

from tests.plugin.conftest import Project, junit

FAILING = 'training_job(Path("training"), program="train.py", channels={"train": b"1,x\\n2,?\\n"}'
TESTS = f"""
from pathlib import Path
from pathlib import Path

import pytest

def test_unexpected(training_job):
    {FAILING})

def test_plain_assert(training_job):
    result = {FAILING}, expect=None)
    assert result.status == "Completed"

def test_membership(training_job):
    result = training_job(Path("training"), program="train.py", channels={{"train": b"1,x\\n"}})
    assert "model.jsno" in result.model

def test_log(training_job):
    result = training_job(Path("training"), program="train.py", channels={{"train": b"1,x\\n"}})
    assert "loss=" in result.logs

@pytest.fixture(scope="module")
def shared(training_job):
    return {FAILING}, expect=None)

def test_of_a_shared_job(shared):
    assert shared.exit_code == 3

def test_of_a_shared_job_that_fails(shared):
    assert shared.exit_code == 0

@pytest.fixture
def broken(training_job):
    {FAILING})

def test_set_up(broken):
    pass
"""


def test_a_failed_test_tells_of_its_jobs(project: Project) -> None:
    project.write("test_failing.py", TESTS)
    outcome = project.run("test_failing.py", "--junitxml=report.xml", "-ojunit_logging=all")
    outcome.was(passed=1, failed=5, errors=1)
    unexpected = outcome.matches(r"(?s)_ test_unexpected _.*?(?=\n_+ \w+ _)")[0]
    assert "is Failed, expected Completed." in unexpected
    assert "FailureReason: AlgorithmError: data line 2: '?' is no label, exit code: 3" in unexpected
    assert "exit code: 3" in unexpected
    assert "cannot read data" in unexpected
    outcome.matches(r"bundle: (\S+/test-unexpected-\w+\.tar\.gz)")
    assert "emulator/testing/jobs.py" not in outcome.text, "our own frames are hidden"
    for test in ("plain-assert", "membership", "log", "of-a-shared-job"):
        outcome.matches(rf"--- SageMaker training job test-{test}-\w+ ---")
    outcome.says("Did you mean 'model.json'?", "'loss=' in the job's log, which ends with")
    # One that failed is kept whole; one that is as expected has no bundle.
    outcome.matches(r"(?s)SageMaker training job test-plain-assert.*?bundle: ")
    assert "test-membership" not in " ".join(path.name for path in bundles(project))
    failure = junit(project.path / "report.xml").find(".//testcase[@name='test_unexpected']/failure")
    assert failure is not None
    assert "is no label" in str(failure.attrib["message"])


MISTAKES = {
    "channels=[Path('data')]": "channels=[PosixPath('data')]: give it by name, as in channels={'train': Path('data')}",
    "channels={'train': 3}": "train: its data is of type int. Give bytes, a text, a Path, or an s3:// URI.",
    "channels={'tr ain': b'1,x'}": "CreateTrainingJob was refused: 1 validation error detected: Value 'tr ain'",
    "hyperparameters=['epochs']": "hyperparameters=['epochs']: give it by name, as in hyperparameters={'epochs': 3}.",
    "entrypoint='python3 train.py'": "give a list of texts, as in entrypoint=['python3', 'train.py'].",
    "environment={'A': 1}": "Invalid type for parameter Environment.A, value: 1",
    "request={'Roel': 'x'}": 'Unknown parameter in input: "Roel"',
    "hosts=0": "InstanceCount is 0",
    "expect='Complete'": "Write one of Completed, Failed, Stopped, or None for any.",
}


def test_a_mistake_is_told_in_few_lines_where_the_test_made_it(project: Project) -> None:
    call = "training_job(Path('training'), program='train.py', {words})"
    lines = (
        f"def test_{number}(training_job):\n    {call.format(words=words)}\n" for number, words in enumerate(MISTAKES)
    )
    missing = f"def test_file(training_job):\n    {call.format(words='channels=dict(train=dict(a=Path(`no`)))')}\n"
    project.write("test_mistakes.py", "from pathlib import Path\n\n" + "\n".join([*lines, missing.replace("`", '"')]))
    outcome = project.run("test_mistakes.py").was(failed=len(MISTAKES) + 1)
    outcome.says(*MISTAKES.values(), "train: there is no file, and no folder with files,")
    assert "emulator/testing/" not in outcome.text
    assert "botocore/" not in outcome.text


def test_bundles_go_where_the_option_says(project: Project) -> None:
    project.write("test_failing.py", f"from pathlib import Path\n\ndef test_one(training_job):\n    {FAILING})\n")
    project.run("test_failing.py", "--sagemaker-bundle-dir=kept").was(failed=1)
    (kept,) = (project.path / "kept").iterdir()
    assert kept.name.startswith("test-one-")
    assert kept.name.endswith(".tar.gz")


def test_bundles_of_the_last_run_are_gone(project: Project) -> None:
    project.write("test_failing.py", f"from pathlib import Path\n\ndef test_one(training_job):\n    {FAILING})\n")
    project.run("test_failing.py").was(failed=1)
    (first,) = bundles(project)
    project.run("test_failing.py").was(failed=1)
    (second,) = bundles(project)
    assert first != second


def bundles(project: Project) -> list[Path]:
    return sorted((project.path / ".pytest_cache/d/sagemaker-bundles").glob("*.tar.gz"))
