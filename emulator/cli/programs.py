"""`sagemaker-emulator up --programs FILE`: what runs in the place of images, listed in a file."""

from __future__ import annotations

from pathlib import Path

import click

from ..contract.plan import Program
from ..jobfiles.events import Event, InstallOutput
from ..jobfiles.program_section import read_program
from ..jobfiles.programs import ready_program
from ..jobfiles.yaml_source import YamlSource


def ready_programs(path: Path) -> dict[str, Program]:
    """Return the programs of a file by the names of their images, with what they require installed.

    Raises:
        UsageError: the file is wrong, and the text says where; or something cannot be installed.
    """
    yaml = YamlSource.read(path)
    sections = {image: read_program(yaml, (image,)) for image in yaml.mapping(())}
    return {image: ready_program(section, _show)[0] for image, section in sections.items()}


def _show(event: Event) -> None:
    if isinstance(event, InstallOutput):
        click.echo(f"install   {event.line}")
