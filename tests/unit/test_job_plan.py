"""Which job files a run has, and in which order."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from emulator.errors import UsageError
from emulator.jobfiles.plan import load_all


def write(folder: Path, **after: str) -> None:
    """Write job files by their names, each with those that come before it."""
    for name, names in after.items():
        text = f"kind: training\nimage: {{name: a}}\nafter: [{names}]\n"
        (folder / f"{name}.yaml").write_text(text)


def order(*paths: Path) -> list[str]:
    return [one.name for one in load_all(paths)]


def error_of(*paths: Path) -> str:
    with pytest.raises(UsageError) as raised:
        load_all(paths)
    return str(raised.value)


def test_a_job_comes_behind_those_that_it_needs(tmp_path: Path) -> None:
    write(tmp_path, evaluate="train", predict="train, preprocess", preprocess="", train="preprocess")
    assert order(tmp_path) == ["preprocess", "train", "evaluate", "predict"]


def test_only_the_folders_own_yaml_files_are_job_files(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "README.md").write_text("no job")
    write(tmp_path, b="", a="")
    write(tmp_path / "deeper", c="")
    assert order(tmp_path) == ["a", "b"]
    assert order(tmp_path, tmp_path / "deeper/c.yaml", tmp_path / "a.yaml") == ["a", "b", "c"]


def test_a_folder_without_job_files(tmp_path: Path) -> None:
    assert (
        error_of(tmp_path)
        == f"There are no job files (*.yaml) in the folder {tmp_path}. Name the folder that has them."
    )


def test_a_name_that_there_is_not(tmp_path: Path) -> None:
    write(tmp_path, train="preproces", preprocess="")
    assert error_of(tmp_path) == (
        f"{tmp_path}/train.yaml, line 3: after[0]: there is no job file called preproces in this run, but preprocess. "
        f"Run it with its folder, sagemaker-emulator run {tmp_path}, or correct the name."
    )
    write(tmp_path, train="preprocess")
    assert "called preprocess in this run. Run it with its folder" in error_of(tmp_path / "train.yaml")


def test_jobs_that_wait_for_each_other(tmp_path: Path) -> None:
    write(tmp_path, a="c", b="a", c="b", d="")
    message = error_of(tmp_path)
    assert ", line 3: after: these jobs wait for each other: " in message
    around = message.partition("other: ")[2].partition(". Remove")[0].split(" after ")
    assert around[0] == around[-1]
    assert set(pairwise(around)) == {("a", "c"), ("b", "a"), ("c", "b")}


def test_a_job_that_waits_for_itself(tmp_path: Path) -> None:
    write(tmp_path, a="a")
    assert "these jobs wait for each other: a after a. Remove" in error_of(tmp_path)


def test_two_files_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write(tmp_path, train="")
    write(tmp_path / "other", train="")
    assert error_of(tmp_path, tmp_path / "other") == (
        f"{tmp_path}/other/train.yaml, line 1: another job file is called train too: {tmp_path}/train.yaml. "
        "Give one of them another name."
    )
