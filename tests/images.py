"""The images of fixtures/images, and the programs that stand for them where an engine has none."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePosixPath

from emulator.contract.plan import Program
from emulator.contract.programs import program_document
from emulator.endpoint import Endpoint
from emulator.jobfiles.environments import environment_of

IMAGES = Path(__file__).parents[1] / "fixtures/images"

# What each Dockerfile says, in the words of a program. A user of its own is what no program has: see the capability
# `image_user`.
PROGRAMS = {
    "behaviour": Program(command=("sh", "-c", (IMAGES / "behaviour/train").read_text())),
    "probe": Program(
        command=("python3", "/opt/probe/probe.py"),
        arguments=("train",),
        source=IMAGES / "probe",
        at=PurePosixPath("/opt/probe"),
    ),
    "command": Program(command=("sh",), arguments=("-c", "echo default")),
    "nonroot": Program(
        command=("./train",),
        source=IMAGES / "nonroot",
        at=PurePosixPath("/srv/program"),
        environment={"SET_BY_IMAGE": "from the image"},
    ),
}


@cache
def toolkit_program() -> Program:
    """Return the training toolkit as a program: its `train`, in an environment that is made once."""
    cache = IMAGES.parents[1] / ".cache/environments"
    folder, _ = environment_of(IMAGES / "toolkit/requirements.txt", lambda _: None, cache)
    return Program(command=("train",), path=(folder,))


@cache
def built(name: str) -> str:
    """Build an image of fixtures/images; the engine's cache makes the second time quick."""
    tag = tag_of(name)
    command = ["docker", "build", "--quiet", "--tag", tag, str(IMAGES / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
    return tag


def tag_of(name: str) -> str:
    return f"sagemaker-emulator-test/{name}:latest"


def images_of(endpoint: Endpoint) -> Callable[[str], str]:
    """Return what makes an image known to an endpoint's engine, or what stands for it, and tells its tag."""
    if endpoint.emulator.engine.capabilities.images:
        return built

    def registered(name: str) -> str:
        program = toolkit_program() if name == "toolkit" else PROGRAMS[name]
        endpoint.emulator.programs.register(tag_of(name), program)
        return tag_of(name)

    return registered


def programs_at(url: str) -> Callable[[str], str]:
    """Return what has an emulator that is a process of its own run the program which stands for an image."""

    def registered(name: str) -> str:
        register_at(url, tag_of(name), PROGRAMS[name])
        return tag_of(name)

    return registered


def register_at(url: str, image: str, program: Program) -> None:
    body = json.dumps({"image": image, "program": program_document(program)}).encode()
    headers = {"X-Sagemaker-Emulator": "1", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/_emulator/programs", method="PUT", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer) == {"status": "ok"}
