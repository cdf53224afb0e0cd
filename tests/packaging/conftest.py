"""The wheel as users install it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SECONDS = 540


@pytest.fixture(scope="session")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, REPOSITORY])
    (path,) = folder.glob("*.whl")
    return path


@dataclass(frozen=True)
class Environment:
    """A virtual environment with nothing of this repository but the wheel."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin/python"

    def pytest(self, project: Path, *arguments: str, module: bool = False) -> str:
        """Run pytest in a project and return what it says; `module` puts the project first on the path."""
        command = [self.python, "-m", "pytest"] if module else [self.folder / "bin/pytest"]
        return run([*command, "-p", "no:cacheprovider", *arguments], folder=project, check=False)


@pytest.fixture(scope="session")
def environment(wheel_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel, pytest-xdist and PyPI's `fixtures`, in an environment of their own."""
    made = Environment(tmp_path_factory.mktemp("environment"))
    run([sys.executable, "-m", "venv", made.folder])
    wanted = [f"{wheel_file}[pytest]", "pytest-xdist", "fixtures"]
    run([made.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary", *wanted])
    return made


def run(command: Sequence[object], *, folder: Path | None = None, check: bool = True) -> str:
    """Run a program without this repository in its environment, and return all that it says."""
    dropped = ("PYTHONPATH", "VIRTUAL_ENV")
    clean = {
        name: text
        for name, text in os.environ.items()
        if name not in dropped and not name.startswith(("PYTEST", "AWS"))
    }
    done = subprocess.run(
        [str(one) for one in command],
        cwd=folder,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0 or not check, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout
