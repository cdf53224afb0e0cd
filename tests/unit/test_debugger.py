"""What a person is told to attach a debugger, and which process waits for one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from emulator.contract.hands_on import Debugging
from emulator.debugger.recipe import Waiting

SITE = Path(__file__).parents[2] / "emulator/debugger/site"
LINE = "sagemaker-emulator debug: /opt/ml/code/train.py waits for a debugger at port 5678"


def test_a_line_of_the_log_says_that_a_program_waits(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/train.py").touch()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/train.py").touch()
    waiting = Waiting.told_by(LINE, [tmp_path])
    assert waiting == Waiting(program=PurePosixPath("/opt/ml/code/train.py"), port=5678, local=tmp_path / "src")
    (configuration,) = json.loads(waiting.launch_json)["configurations"]
    assert configuration["pathMappings"] == [{"localRoot": str(tmp_path / "src"), "remoteRoot": "/opt/ml/code"}]
    assert configuration["connect"] == {"host": "127.0.0.1", "port": 5678}
    assert waiting.launch_json in waiting.lines
    assert Waiting.told_by("something else", [tmp_path]) is None


def test_a_program_that_is_found_twice_is_looked_for_in_the_open_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "train.py").touch()
    waiting = Waiting.told_by(LINE, [tmp_path])
    assert waiting is not None
    assert waiting.mapping == ("${workspaceFolder}", "/opt/ml/code")


def test_the_variables_keep_what_was_on_the_path(tmp_path: Path) -> None:
    debugging = Debugging(host="algo-1", port=5678, tools=tmp_path, token="t")
    assert debugging.variables("0.0.0.0", "/a:/b") == {
        "PYTHONPATH": "/opt/sagemaker-emulator/debug:/a:/b",
        "SAGEMAKER_EMULATOR_DEBUG": "0.0.0.0:5678",
        "SAGEMAKER_EMULATOR_DEBUG_TOKEN": "t",
    }
    assert debugging.variables("0.0.0.0", "")["PYTHONPATH"] == "/opt/sagemaker-emulator/debug"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Programs, and a debugpy that only says who asked for it."""
    (tmp_path / "debugpy.py").write_text(
        "import sys\nconfigure = listen = lambda *a, **k: None\nwait_for_client = lambda: print('WAITED', flush=True)\n"
    )
    for name in ("train.py", "other.py"):
        (tmp_path / name).write_text("print('ran')\n")
    return tmp_path


def run(folder: Path, *arguments: str, **variables: str) -> list[str]:
    token = os.urandom(8).hex()
    debugging = Debugging(host="algo-1", port=1, tools=SITE, token=token)
    environment = debugging.variables("127.0.0.1", str(folder), tools=str(SITE))
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    Path("/tmp", f"sagemaker-emulator-debug-{token}").unlink(missing_ok=True)
    return done.stdout.split()


def test_the_first_program_waits_where_none_is_named(folder: Path) -> None:
    assert run(folder, "-u", "-W", "ignore", "train.py", "--epochs", "3") == ["WAITED", "ran"]
    assert run(folder, "-m", "train") == ["WAITED", "ran"]
    assert run(folder, "-c", "print('ran')") == ["ran"]


def test_only_the_named_program_waits(folder: Path) -> None:
    assert run(folder, "other.py", SAGEMAKER_PROGRAM="train.py") == ["ran"]
    assert run(folder, "train.py", SAGEMAKER_PROGRAM="train.py") == ["WAITED", "ran"]
    assert run(folder, "other.py", SAGEMAKER_EMULATOR_DEBUG_PROGRAM="other.py", SAGEMAKER_PROGRAM="train.py") == [
        "WAITED",
        "ran",
    ]


def test_what_it_starts_does_not_wait(folder: Path) -> None:
    (folder / "parent.py").write_text("import subprocess, sys\nsubprocess.run([sys.executable, 'train.py'])\n")
    assert run(folder, "parent.py") == ["WAITED", "ran"]


def test_a_sitecustomize_of_the_image_runs_too_and_a_debugger_that_fails_stops_nothing(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("print('image')\n")
    assert run(folder, "train.py") == ["image", "WAITED", "ran"]
    (folder / "debugpy.py").write_text("raise RuntimeError('no')\n")
    assert run(folder, "train.py") == ["image", "ran"]
