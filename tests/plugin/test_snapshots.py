"""Snapshots: reviewed text files beside the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.plugin.conftest import Project

TEST = """
from pathlib import Path

def test_tree(training_job, sagemaker_snapshot):
    result = training_job(Path("training"), program="train.py", channels={"train": {NAME: "1,x\\n"}},
                          environment={"DAY": "2026-01-02T03:04:05Z"})
    sagemaker_snapshot(result)
    sagemaker_snapshot(result, "whole", container_view=True)
"""
UPDATE = "--sagemaker-update-snapshots"


@pytest.mark.each_rung
def test_a_snapshot_is_missing_then_written_then_holds_then_differs(project: Project) -> None:
    project.write("tests/test_snapshot.py", TEST.replace("NAME", '"a.csv"'))
    missing = project.run("tests").was(failed=1)
    missing.says("There is no snapshot", "__snapshots__/test_snapshot/test_tree.txt yet", UPDATE, "- 0644 model.json")

    project.run("tests", UPDATE).was(passed=1)
    folder = project.path / "tests/__snapshots__/test_snapshot"
    tree, whole = sorted(folder.iterdir(), key=lambda path: len(path.name))
    assert tree.read_text() == (
        "status: Completed\n\nmodel.tar.gz:\n  - 0644 model.json\n\noutput.tar.gz:\n  - 0644 report.txt\n"
    )
    seen = whole.read_text()
    assert whole.name in ("test_tree.whole.docker.txt", "test_tree.whole.process.txt")
    for text in ("TRAINING_JOB_NAME=<job>", "DAY=<time>", "/opt/ml/input/data/train/a.csv", "algo-1:", "mounts:"):
        assert text in seen
    assert "test-tree-" not in seen
    assert "123456789012" not in seen
    assert str(Path(sys.executable).parent) not in seen, "it holds on another machine too"

    project.run("tests").was(passed=1)
    project.write("tests/test_snapshot.py", TEST.replace("NAME", '"b.csv"'))
    differs = project.run("tests").was(failed=1)
    differs.says("The job differs from the snapshot", "-    ", "train/a.csv", "train/b.csv", UPDATE)
    project.run("tests", UPDATE).was(passed=1)
    assert "b.csv" in whole.read_text()
    project.run("tests").was(passed=1)
