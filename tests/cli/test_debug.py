"""`debug`: the job's program waits for a debugger, which is attached for real."""

from __future__ import annotations

import json
import re
import socket
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.commands import IMAGE, SECONDS, read_until, sagemaker_emulator, started
from tests.cli.debug_client import DebugClient
from tests.cli.terminals import exit_code, typed_into
from tests.up import free_port

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

PROGRAM = """\
import json


def double(value):
    doubled = value * 2
    return doubled


epochs = int(json.load(open("/opt/ml/input/config/hyperparameters.json"))["epochs"])
print("doubled to", double(epochs))
"""
LINE = 5


def project(folder: Path, dockerfile: str, **request: Any) -> Path:
    """A folder with a program, its image and its job file."""
    (folder / "program").mkdir()
    (folder / "program/train.py").write_text(PROGRAM)
    (folder / "Dockerfile").write_text(dockerfile)
    document = {
        "kind": "training",
        "image": {"build": "."},
        "request": {
            "HyperParameters": {"epochs": "21"},
            "StoppingCondition": {"MaxRuntimeInSeconds": 1},
            **request,
        },
        "expect": {"logs": ["doubled to"]},
    }
    (folder / "job.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder / "job.yaml"


PLAIN = """\
FROM sagemaker-emulator/python:3.11
COPY program /opt/ml/code
ENV PYTHONPATH=/from/the/image
WORKDIR /opt/ml/code
ENTRYPOINT ["python3", "train.py"]
"""


def debug_it(port: int, local: str, remote: str) -> None:
    """Attach as an editor does, stop in the program, change a variable, let it go on."""
    with DebugClient(port) as client:
        attached = client.send("attach", justMyCode=False, pathMappings=[{"localRoot": local, "remoteRoot": remote}])
        client.event("initialized")
        found = client.request(
            "setBreakpoints", source={"path": f"{local}/train.py"}, breakpoints=[{"line": LINE}], lines=[LINE]
        )
        assert found["breakpoints"][0]["verified"], found
        client.request("configurationDone")
        client.answer_to(attached)
        thread = client.event("stopped")["threadId"]
        frame = client.request("stackTrace", threadId=thread)["stackFrames"][0]
        assert (frame["name"], frame["line"]) == ("double", LINE)
        assert frame["source"]["path"] == f"{local}/train.py"
        value = client.request("evaluate", expression="value", frameId=frame["id"], context="watch")
        assert value["result"] == "21"
        client.request("evaluate", expression="value = 50", frameId=frame["id"], context="repl")
        client.request("continue", threadId=thread)
        client.event("terminated")


def test_a_breakpoint_is_hit_in_the_user_s_program(tmp_path: Path) -> None:
    port, path = free_port(), project(tmp_path, PLAIN)
    with started("debug", path, "--debug-port", port) as process:
        seen = read_until(process, "Ctrl-C here stops the job")
        launch = json.loads(re.search(r"^\{$.*?^\}$", seen, re.MULTILINE | re.DOTALL)[0])  # type: ignore[index]
        (configuration,) = launch["configurations"]
        assert configuration["connect"] == {"host": "127.0.0.1", "port": port}
        (mapping,) = configuration["pathMappings"]
        assert mapping == {"localRoot": str(tmp_path / "program"), "remoteRoot": "/opt/ml/code"}
        debug_it(port, mapping["localRoot"], mapping["remoteRoot"])
        rest = read_until(process, "passed")
        assert "log       algo-1 doubled to 100" in rest
        assert "result    Completed" in rest
        assert process.wait(SECONDS) == 0


TOOLKIT = """\
#!/usr/bin/env python3
import os, subprocess, sys
subprocess.run([sys.executable, "-c", "print('a helper')"], check=True)
os.chdir("/opt/ml/code")
sys.exit(subprocess.run([sys.executable, "train.py"]).returncode)
"""


def test_of_several_pythons_the_user_s_own_waits_also_for_an_ordinary_user(tmp_path: Path) -> None:
    (tmp_path / "train").write_text(TOOLKIT)
    (tmp_path / "train").chmod(0o755)
    dockerfile = textwrap.dedent("""\
        FROM sagemaker-emulator/python:3.11
        COPY program /opt/ml/code
        COPY train /usr/local/bin/train
        ENV SAGEMAKER_PROGRAM=train.py
        USER 1000
        """)
    port, path = free_port(), project(tmp_path, dockerfile)
    with started("debug", path, "--debug-port", port) as process:
        seen = read_until(process, "Ctrl-C here stops the job")
        assert "a helper" in seen
        assert f"/opt/ml/code/train.py waits for a debugger at 127.0.0.1:{port}" in seen
        debug_it(port, str(tmp_path / "program"), "/opt/ml/code")
        assert "doubled to 100" in read_until(process, "passed")
        assert process.wait(SECONDS) == 0


def test_ctrl_c_while_it_waits_ends_the_job(tmp_path: Path) -> None:
    path = project(tmp_path, PLAIN)
    with typed_into("debug", path, "--debug-port", free_port()) as terminal:
        terminal.expect("Ctrl-C here stops the job")
        terminal.sendintr()
        terminal.expect("The job is being stopped: interrupted")
        terminal.expect("result +Stopped")
        assert exit_code(terminal) == 1


def test_a_program_that_is_no_python_runs_and_it_is_said(tmp_path: Path) -> None:
    path = project(tmp_path, (IMAGE / "Dockerfile").read_text().replace("COPY train", "COPY program/train"))
    (tmp_path / "program/train").write_text("#!/bin/sh\necho doubled to nothing\n")
    (tmp_path / "program/train").chmod(0o755)
    done = sagemaker_emulator("debug", path, "--debug-port", free_port())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No Python program of algo-1 has waited" in done.stderr


def test_what_cannot_be_debugged_is_said_before_anything_is_started(tmp_path: Path) -> None:
    isolated = project(tmp_path, PLAIN, EnableNetworkIsolation=True)
    done = sagemaker_emulator("debug", isolated)
    assert done.returncode == 2
    assert "no debugger reaches an isolated job" in done.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        isolated.write_text(
            isolated.read_text().replace("EnableNetworkIsolation: true", "EnableNetworkIsolation: false")
        )
        done = sagemaker_emulator("debug", isolated, "--debug-port", port)
    assert done.returncode == 2
    assert f"Port {port} of 127.0.0.1 cannot be had" in done.stderr


def test_the_training_toolkit_s_program_waits_and_not_the_toolkit(tmp_path: Path, image: Callable[[str], str]) -> None:
    dockerfile = f"FROM {image('toolkit')}\nCOPY program /opt/ml/code\nENV SAGEMAKER_PROGRAM=train.py\n"
    port, path = free_port(), project(tmp_path, dockerfile)
    with started("debug", path, "--debug-port", port) as process:
        seen = read_until(process, "Ctrl-C here stops the job")
        assert f"/opt/ml/code/train.py waits for a debugger at 127.0.0.1:{port}" in seen
        debug_it(port, str(tmp_path / "program"), "/opt/ml/code")
        assert "doubled to 100" in read_until(process, "passed")
        assert process.wait(SECONDS) == 0
