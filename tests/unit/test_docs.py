"""The documents name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from emulator import cli

REPOSITORY = Path(__file__).parents[2]
COMMANDS = sorted(cli.commands.list_commands(click.Context(cli.commands)))


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_has_every_command(command: str) -> None:
    assert re.search(rf"`{command}\b", (REPOSITORY / "README.md").read_text()), f"README.md does not name {command}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_explains_itself(command: str) -> None:
    found = cli.commands.get_command(click.Context(cli.commands), command)
    assert found is not None
    assert found.help, f"{command} has no help"
    for parameter in found.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{command} {parameter.name} has no help"


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "CHANGELOG.md",
        *sorted(str(page.relative_to(REPOSITORY)) for page in (REPOSITORY / "docs").rglob("*.md")),
    ],
)
def test_links_lead_somewhere(document: str) -> None:
    path = REPOSITORY / document
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), f"{document} links to {target}"
