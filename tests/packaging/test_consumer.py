"""A project outside of this repository, with the wheel installed: the README's test, in every surrounding."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.packaging.conftest import REPOSITORY, Environment, run

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("consumer")]

PAGE = REPOSITORY / "docs/testing-in-five-minutes.md"


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """A project with a training folder, data, and the test of docs/testing-in-five-minutes.md."""
    shutil.copytree(REPOSITORY / "fixtures/project", tmp_path, dirs_exist_ok=True)
    (tmp_path / "test_training.py").write_text(three_lines())
    return tmp_path


def three_lines() -> str:
    """Return the test of the page that runs on each rung, for the model of this project's program."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if "def test_my_program_trains" in block)
    return f"from pathlib import Path\n\n\n{found.replace('model.joblib', 'model.json')}"


@pytest.mark.parametrize("rung", ["process", pytest.param("docker", marks=pytest.mark.docker)])
def test_the_three_line_test_passes(environment: Environment, consumer: Path, rung: str) -> None:
    said = environment.pytest(consumer, f"--sagemaker-engine={rung}")
    assert "2 passed" in said, said
    assert f"sagemaker-emulator: rung {rung}" in said


def test_in_parallel_with_a_fixtures_folder_and_the_library_of_that_name(
    environment: Environment, consumer: Path
) -> None:
    (consumer / "fixtures").mkdir()
    (consumer / "fixtures/rows.csv").write_text("1,x\n")
    (consumer / "test_more.py").write_text(
        "import fixtures\nimport pytest\n\n\n@pytest.mark.parametrize('number', range(4))\n"
        "def test_mine(training_job, number):\n"
        "    assert hasattr(fixtures, 'TempDir'), fixtures\n"
        "    training_job(program='training/train.py', channels={'train': b'1,x\\n' * (number + 1)})\n"
    )
    said = environment.pytest(consumer, "-n", "4", "--sagemaker-engine=process")
    assert "6 passed" in said, said


def test_a_package_of_the_same_name_turns_the_fixtures_off_and_crashes_nothing(
    environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "emulator").mkdir()
    (tmp_path / "emulator/__init__.py").write_text("MINE = True\n")
    (tmp_path / "test_mine.py").write_text("import emulator\n\n\ndef test_mine():\n    assert emulator.MINE\n")
    said = environment.pytest(tmp_path, module=True)
    assert "1 passed" in said, said
    assert f"sagemaker-emulator: fixtures are off, 'emulator' here is {tmp_path}/emulator/__init__.py" in said


def test_a_project_without_our_fixtures_sees_nothing_of_us(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(
        "import sys\n\n\ndef test_plain():\n    assert not {'boto3', 'docker', 'moto', 'yaml'} & set(sys.modules)\n"
    )
    said = environment.pytest(tmp_path)
    assert "1 passed" in said, said
    assert "sagemaker-emulator:" not in said


def test_the_command_works_where_there_is_no_pytest(environment: Environment) -> None:
    done = run([environment.python, "-c", "import sys, emulator.cli; print('pytest' in sys.modules)"])
    assert done.strip() == "False"
