"""`shell`, `run --keep`, `debug` and `describe --container` with the process engine: programs instead of images."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.commands import SECONDS, eventually, read_until, sagemaker_emulator, started
from tests.cli.terminals import exit_code, typed_into
from tests.cli.test_debug import PROGRAM, debug_it
from tests.up import free_port

PROCESS = ("--engine", "process")


def program_file(folder: Path, command: list[str], **request: Any) -> Path:
    """A job file without an image, beside a folder with its program."""
    (folder / "program").mkdir()
    (folder / "program/train.py").write_text(PROGRAM)
    document = {
        "kind": "training",
        "program": {"command": command, "source": "program"},
        "request": {"HyperParameters": {"epochs": "21"}, "StoppingCondition": {"MaxRuntimeInSeconds": 1}, **request},
    }
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_shell_before_the_program_starts(tmp_path: Path) -> None:
    path = program_file(tmp_path, ["python3", "train.py"], TrainingJobName="before")
    script = "pwd; cat /opt/ml/input/config/hyperparameters.json; echo; echo $TRAINING_JOB_NAME; hostname; exit 6"
    done = sagemaker_emulator("shell", *PROCESS, path, "--", "sh", "-c", script)
    assert done.returncode == 6, done.stderr
    directory, hyperparameters, name, host = done.stdout.splitlines()
    assert (directory, hyperparameters, name) == ("/opt/ml/code", '{"epochs":"21"}', "before")
    assert host.startswith("ip-10-0-")
    with typed_into("shell", *PROCESS, path) as terminal:
        terminal.expect("This is algo-1 of before, before its program starts, which is: python3 train.py")
        terminal.sendline("echo in-$(basename $(pwd))-$TRAINING_JOB_NAME")
        terminal.expect("in-code-before")
        terminal.sendline("exit 3")
        assert exit_code(terminal) == 3


def test_what_is_kept_is_entered_again_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    left = f"/tmp/left-{uuid.uuid4().hex}"
    program = f"echo left > {left}; echo half > /opt/ml/model/half; exit 3"
    path = program_file(tmp_path, ["sh", "-c", program, "train"], TrainingJobName="kept-program")
    done = sagemaker_emulator("run", *PROCESS, "--keep", path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "kept      kept-program in " in done.stderr
    assert eventually(lambda: "kept-program  Failed  process" in sagemaker_emulator("kept").stdout)
    (state,) = (tmp_path / "home/sagemaker-emulator-kept").iterdir()
    looked = sagemaker_emulator("shell", "kept-program", "--", "cat", left, "/opt/ml/model/half")
    assert looked.stdout == "left\nhalf\n", looked.stderr
    assert not Path(left).exists()
    with typed_into("shell", "kept-program") as terminal:
        terminal.expect("This is where algo-1 of kept-program has ended")
        terminal.sendline(f"echo again-$(cat {left})")
        terminal.expect("again-left")
        terminal.sendline("exit 5")
        assert exit_code(terminal) == 5
    cleaned = sagemaker_emulator("clean", "--kept", "--yes", "--state-dir", state)  # what others have kept stays
    assert "Removed 1 kept jobs" in cleaned.stdout
    assert list((tmp_path / "home/sagemaker-emulator-kept").iterdir()) == []


def test_a_breakpoint_is_hit(tmp_path: Path) -> None:
    port, path = free_port(), program_file(tmp_path, ["python3", "train.py"])
    with started("debug", *PROCESS, path, "--debug-port", port) as process:
        read_until(process, "Ctrl-C here stops the job")
        debug_it(port, str(tmp_path / "program"), "/opt/ml/code")
        rest = read_until(process, "passed")
        assert "log       algo-1 doubled to 100" in rest
        assert process.wait(SECONDS) == 0
