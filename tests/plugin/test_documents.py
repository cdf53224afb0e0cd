"""docs/fixtures.md: complete, and every example in it runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator import pytest_plugin
from emulator.testing.settings import MARKERS, SETTINGS, Setting
from tests.plugin.conftest import Project

REPOSITORY = Path(__file__).parents[2]
REFERENCE = (REPOSITORY / "docs/fixtures.md").read_text()

EXAMPLES = {
    title: block
    for title, section in re.findall(r"^##+ (\w+)\n(.*?)(?=^##+ |\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    for block in re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
}
# It needs an SDK, and is run where there is one: tests/clients/test_pytest_session.py.
ELSEWHERE = ("sagemaker_session",)
DEFAULTS = {setting.name for setting in SETTINGS}


def fixtures() -> list[str]:
    """Return the names of the plugin's fixtures."""
    return sorted(
        name for name, one in vars(pytest_plugin).items() if type(one).__name__ == "FixtureFunctionDefinition"
    )


@pytest.mark.parametrize("name", fixtures())
def test_every_fixture_is_described(name: str) -> None:
    if name in DEFAULTS:
        assert re.search(rf"^\| `{name}` \|.*\| `{name}` \|", REFERENCE, re.MULTILINE), f"{name} is in no table"
    else:
        assert name in EXAMPLES, f"docs/fixtures.md has no section `### {name}` with an example"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_option_is_described_with_its_default(setting: Setting) -> None:
    name, default, flag = setting.name, setting.default, setting.flag
    row = re.search(rf"^\| `{name}` \|.*$", REFERENCE, re.MULTILINE)
    assert row is not None, f"{name} is in no table"
    shown = (
        " ".join(default)
        if isinstance(default, tuple)
        else str(default).lower()
        if isinstance(default, bool)
        else default
    )
    assert shown in row[0], f"its default is {shown}"
    assert (f"`--{name.replace('_', '-')}`" in row[0]) == flag


@pytest.mark.parametrize("marker", [marker.partition("(")[0] for marker in MARKERS])
def test_every_marker_is_described(marker: str) -> None:
    assert f"`@pytest.mark.{marker}(" in REFERENCE


@pytest.mark.each_rung
def test_every_example_runs(project: Project) -> None:
    for title, block in EXAMPLES.items():
        if title not in ELSEWHERE:
            project.write(f"test_{title.lower()}.py", block)
    tests = sum(block.count("def test_") for title, block in EXAMPLES.items() if title not in ELSEWHERE)
    tests += 1  # training/job.yaml
    updated = project.run("--sagemaker-update-snapshots", "-k", "what_it_leaves").was(passed=1, deselected=tests - 1)
    assert (project.path / "__snapshots__/test_sagemaker_snapshot/test_what_it_leaves.txt").is_file(), updated.text
    project.run().was(passed=tests)
