"""The workflows in docs/ci.md: their own lines, run in a clone of a small project with the built wheel."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.commands import environment
from tests.gate.repositories import Repository

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

REPOSITORY = Path(__file__).parents[2]
SECONDS = 400
# What a program sees of the emulator, which in docker-in-docker is not where the engine is.
ASKS = (
    "python3 -c \"import os, urllib.request as r; print('endpoint', "
    "r.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/_emulator/health', timeout=20).status)\""
)


def workflows() -> list[dict[str, Any]]:
    """Return the workflows of the page."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", (REPOSITORY / "docs/ci.md").read_text(), re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(block) for block in blocks]


GITHUB, GITLAB = workflows()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True, timeout=200, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The folder of programs of an environment that has what the emulator needs, and not the emulator."""
    home = tmp_path / "venv"
    venv.create(home, symlinks=True)
    packages = Path(pytest.__file__).parents[1]
    (own,) = home.glob("lib/python*/site-packages")
    for path in packages.iterdir():
        if not re.match(r"_?(_editable|sagemaker_emulator|pytest_sagemaker)", path.name) and path.suffix != ".pth":
            (own / path.name).symlink_to(path)
    (home / "bin/pip").write_text(f'#!/bin/sh\nexec "{home}/bin/python" -m pip "$@"\n')
    (home / "bin/pip").chmod(0o755)
    return home / "bin"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose last commit changes one of two jobs."""
    origin = Repository(tmp_path / "origin")
    origin.job("jobs/changed/job.yaml", "echo one", expect={"logs": ["^endpoint 200"]})
    origin.job("jobs/same/job.yaml", "exit 1")
    origin.commit()
    origin.job("jobs/changed/job.yaml", ASKS, expect={"logs": ["^endpoint 200"]})
    origin.commit()
    origin.git("clone", "--quiet", f"file://{origin.folder}", str(tmp_path / "clone"))
    return tmp_path / "clone"


def installing(line: str, wheel: Path) -> str:
    """Return a line that takes the built wheel instead of what the index has, and nothing else from there."""
    return line.replace('pip install "sagemaker-emulator[', f'pip install --no-index --no-deps "{wheel}[')


def variables(machine: Path, **more: str) -> dict[str, str]:
    """Return what the machine of a CI would have set."""
    given = environment(PATH=f"{machine}:{os.environ['PATH']}", PYTEST_ADDOPTS="", GITHUB_STEP_SUMMARY="", **more)
    return {name: value for name, value in given.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def base(clone: Path) -> str:
    command = ["git", "-C", str(clone), "rev-parse", "HEAD~1"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS).stdout.strip()


def test_github(clone: Path, machine: Path, wheel: Path, tmp_path: Path) -> None:
    job = GITHUB["jobs"]["gate"]
    assert job["env"].keys() == {"BEFORE"}
    summary = tmp_path / "summary.md"
    given = variables(machine, BEFORE=base(clone)) | {"GITHUB_STEP_SUMMARY": str(summary)}
    lines = [step["run"] for step in job["steps"] if "run" in step]
    assert len(lines) == 2
    for line in lines:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", installing(line, wheel)],
            cwd=clone,
            env=given,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 2 job files ran" in summary.read_text()
    assert "✅ passed | Completed" in summary.read_text()
    assert 'tests="1"' in (clone / job["steps"][-1]["with"]["path"].split()[0]).read_text()


@pytest.fixture
def own_address(machine: Path) -> str:
    """An address of this machine that containers reach; `hostname -i` says it, as in the container of a CI's job."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.connect(("192.0.2.1", 9))  # nothing is sent: it only finds the address we would send from
        address = str(asked.getsockname()[0])
    (machine / "hostname").write_text(f'#!/bin/sh\n[ "$1" = -i ] && echo {address}\n')
    (machine / "hostname").chmod(0o755)
    return address


def test_gitlab(clone: Path, machine: Path, wheel: Path, own_address: str, tmp_path: Path) -> None:
    lines = [installing(line, wheel) for line in GITLAB["gate"]["script"]]
    assert len(lines) == 3
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    # The engine of this test shares our disk; docker-in-docker does not, which this option is like.
    script = (
        "\n".join(lines)
        .replace("4750", port)
        .replace(" up ", f" up --port {port} --copy-data --state-dir '{tmp_path}/state' ")
    )
    given = variables(machine, CI_MERGE_REQUEST_DIFF_BASE_SHA=base(clone))
    output = tmp_path / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=clone,
            env=given,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(SECONDS)
        finally:
            # The container of the CI's job would be removed now, and the emulator with it.
            os.killpg(process.pid, signal.SIGTERM)
    assert status == 0, output.read_text()
    summary = (clone / GITLAB["gate"]["artifacts"]["paths"][0]).read_text()
    assert "1 of 2 job files ran" in summary
    assert 'tests="1"' in (clone / GITLAB["gate"]["artifacts"]["reports"]["junit"]).read_text()
