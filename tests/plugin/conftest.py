"""Real pytest runs in a project of their own, with the plugin as its users have it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.config import Settings
from emulator.endpoint import Endpoint

TEMPLATE = Path(__file__).parents[2] / "fixtures/project"
SECONDS = 240
# By the name of its entry point: what is installed is what is loaded.
OURS = ("-p", "sagemaker_emulator")
_BETWEEN = "==== the next run ===="


@dataclass(frozen=True)
class Project:
    """A project with tests, and a folder `training` with a program and its Dockerfile."""

    pytester: pytest.Pytester
    arguments: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return self.pytester.path

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def ini(self, **options: str) -> None:
        lines = "".join(f"{name} = {text}\n" for name, text in options.items())
        self.write("pytest.ini", f"[pytest]\nfilterwarnings = error\n{lines}")

    def run(self, *arguments: str) -> Outcome:
        """Run pytest as a program of its own; with workers (-n) by the plugin which has them."""
        plugins = [*OURS, *(("-p", "xdist") if any(one.startswith("-n") for one in arguments) else ())]
        result = self.pytester.runpytest_subprocess(*plugins, *self.arguments, *arguments, timeout=SECONDS)
        return Outcome(result)

    def run_each(self, *runs: Sequence[str]) -> list[str]:
        """Run pytest several times in one program, each time with these arguments; return what each said."""
        script = self.write(
            "run_each.py",
            f"import contextlib, pytest, sys\nfor arguments in {[[*OURS, *one] for one in runs]!r}:\n"
            "    with contextlib.redirect_stderr(sys.stdout):\n        pytest.main(arguments)\n"
            f"    print({_BETWEEN!r})\n",
        )
        said = self.pytester.run(sys.executable, script, timeout=SECONDS).stdout.str()
        return said.split(_BETWEEN)[:-1]


@dataclass(frozen=True)
class Outcome:
    """What a pytest run came to."""

    result: pytest.RunResult

    @property
    def text(self) -> str:
        return self.result.stdout.str() + self.result.stderr.str()

    def was(self, **outcomes: int) -> Outcome:
        """Require the numbers of tests that passed, failed, were skipped ..."""
        self.result.assert_outcomes(**outcomes)
        return self

    def says(self, *texts: str) -> Outcome:
        """Require that the output has these texts, in any order."""
        for text in texts:
            assert text in self.text, f"{text!r} is not in the output:\n{self.text}"
        return self

    def matches(self, pattern: str) -> re.Match[str]:
        """Require that the output has what a regular expression describes."""
        found = re.search(pattern, self.text)
        assert found is not None, f"{pattern!r} matches nothing of:\n{self.text}"
        return found


@pytest.fixture
def bare_project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose pytest starts an emulator of its own when it needs one."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "PYTEST_XDIST")):
            monkeypatch.delenv(name)
    # Other plugins of this environment cost each run more than ours and its jobs do.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("DOCKER_CONFIG", str(Path("~/.docker").expanduser()))  # pytester has another home
    project = Project(pytester)
    shutil.copytree(TEMPLATE, project.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    project.ini()
    return project


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on each rung if it is marked so, else where jobs take no time: most of the plugin is a client."""
    if "served" in metafunc.fixturenames:
        rungs: list[Any] = ["process"]
        if metafunc.definition.get_closest_marker("each_rung"):
            rungs.append(pytest.param("docker", marks=pytest.mark.docker))
        metafunc.parametrize("served", rungs, indirect=True, scope="session")


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """An emulator on the rung of the test. The 120 seconds between SIGTERM and SIGKILL take 4.8."""
    settings = Settings(port=0, engine=request.param, state_dir=tmp_path_factory.mktemp("state"), time_scale=25)
    with Endpoint(settings) as running:
        yield running


@pytest.fixture
def project(bare_project: Project, served: Endpoint) -> Project:
    """A project whose pytest uses the emulator of this one."""
    return Project(bare_project.pytester, (f"--sagemaker-endpoint={served.url}",))


def junit(path: Path) -> ET.Element:
    """Return a JUnit file."""
    return ET.parse(path).getroot()
