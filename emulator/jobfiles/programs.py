"""What a job file's program is to an engine without images."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ..contract.plan import Program
from .clients import Clients
from .document import ImageName, JobFile
from .environments import environment_of, wheels_of
from .events import OnEvent, ProgramReady
from .program_section import ProgramSection

REPOSITORY: Final = "sagemaker-emulator-program"
_HASH_CHARACTERS: Final = 20


def program_image(job_file: JobFile) -> str:
    """Return the name that stands for a job file's program in its request: its image's, if it names one.

    One that is built is shared by jobs that each have a program of their own.

    Raises:
        UsageError: it has no program.
    """
    if job_file.program is None:
        raise job_file.yaml.error(
            ("program",),
            "is missing, and the process engine runs no images. Write what stands in the image's place, such as "
            "program: {command: [python, train.py], source: .}, or use --engine docker",
        )
    if isinstance(job_file.image, ImageName):
        return job_file.image.name
    section, folder = job_file.program, job_file.path.absolute().parent.name
    name = re.sub(r"[^a-z0-9]+", "-", f"{folder}-{job_file.name}".lower()).strip("-")
    return f"{REPOSITORY}/{name or 'program'}:{_hash(section)}"


def register_programs(runs: Sequence[tuple[JobFile, str, OnEvent]], clients: Clients) -> None:
    """Have the program of each job file run under the name that its job's request gives as the image.

    Raises:
        UsageError: two programs have one name, what one requires cannot be installed, or the endpoint refuses one.
    """
    registered: dict[str, ProgramSection] = {}
    for job_file, image, on_event in runs:
        section = job_file.program
        assert section is not None, "program_image() comes first"
        if registered.setdefault(image, section) != section:
            raise job_file.yaml.error(
                ("image",),
                f"another job file has another program for the image {image}. Give one of them another name.",
            )
        program, seconds = ready_program(section, on_event)
        clients.register(image, program)
        on_event(ProgramReady(command=shlex.join(section.command + section.arguments), seconds=seconds))


def ready_program(section: ProgramSection, on_event: OnEvent) -> tuple[Program, float | None]:
    """Return the program that a section describes, and the seconds it took to install what it requires.

    Raises:
        UsageError: that cannot be installed.
    """
    path: tuple[Path, ...] = ()
    without: tuple[Path, ...] = ()
    seconds = None
    if section.requirements is not None:
        folder, seconds = environment_of(section.requirements, on_event)
        path, without = (folder,), (wheels_of(section.requirements).absolute(),)
    program = Program(
        command=section.command,
        arguments=section.arguments,
        source=section.source.absolute(),
        at=section.at,
        environment=section.environment,
        path=path,
        without=without,
    )
    return program, seconds


def _hash(section: ProgramSection) -> str:
    facts: Mapping[str, object] = {
        "command": section.command,
        "arguments": section.arguments,
        "source": str(section.source.resolve()),
        "at": str(section.at),
        "environment": dict(section.environment),
        "requirements": section.requirements.read_text("utf-8") if section.requirements else None,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:_HASH_CHARACTERS]
