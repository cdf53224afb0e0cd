"""What each capability of an engine means for users, and which engine has it; docs/engines.md is printed from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from ..jobs.ports import Capabilities
from .docker.engine import DockerEngine
from .process.engine import ProcessEngine

# Of the process engine: what it can do where the kernel refuses nothing.
ENGINES: Final[Mapping[str, Capabilities]] = {
    DockerEngine.name: DockerEngine.capabilities,
    ProcessEngine.name: ProcessEngine.best_capabilities,
}

# For each capability: what it is, and what an engine without it does instead.
MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "images": (
        "Runs the image that a request names",
        "A program stands for each image; an image without one fails the job with a text that says what to do",
    ),
    "image_user": ("Runs as the image's own user", "Root, or in a user namespace what looks like root"),
    "file_system": (
        "A file system of the image's own",
        "This machine's, read-only, with private /opt/ml, /tmp, /var/tmp, /dev/shm and home",
    ),
    "network_isolation": (
        "EnableNetworkIsolation: the job's hosts see each other and nothing else",
        "Such a job fails with a CapacityError that says why",
    ),
    "own_network": (
        "Each job has a network of its own, with eth0",
        "A job of one host that is not isolated is on this machine's network; algo-1 is 127.0.0.1",
    ),
    "several_hosts": (
        "Jobs on several hosts, which find each other by name",
        "Such a job fails with a CapacityError that says why",
    ),
    "several_hosts_internet": (
        "Hosts of one job also reach the internet",
        "They reach each other and the endpoint only",
    ),
    "metadata_address": (
        "Role credentials at 169.254.170.2, as on the service",
        "At 127.0.0.1, which AWS_CONTAINER_CREDENTIALS_FULL_URI names and every SDK accepts",
    ),
    "process_tree": (
        "The program is process 1, sees its own processes only, and all of them end with it",
        "It sees this machine's processes, and a SIGTERM that it does not handle ends it at once",
    ),
    "instance_limits": (
        "--limit-instances: memory and CPUs of the instance type",
        "The option is refused",
    ),
    "out_of_memory": (
        "Tells a program that was killed for its memory from one that failed",
        "Exit code 137, and no more",
    ),
    "outlives_emulator": (
        "Jobs of an emulator that was killed are taken up by the next one",
        "Programs end with their emulator, and the next one ends the job as Failed with that reason",
    ),
    "other_machine": (
        "The engine may be on another machine or disk (--copy-data)",
        "The option is refused",
    ),
}


def table() -> str:
    """Return the table of all capabilities as Markdown."""
    rows = [("Capability", "What it is", *ENGINES, "Without it"), ("---",) * (3 + len(ENGINES))]
    for field in fields(Capabilities):
        what, instead = MEANINGS[field.name]
        have = ["yes" if getattr(one, field.name) else "no" for one in ENGINES.values()]
        rows.append((f"`{field.name}`", what, *have, instead))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def only(engine: str) -> tuple[str, ...]:
    """Return the capabilities that one engine alone has."""
    others = [one for name, one in ENGINES.items() if name != engine]
    return tuple(
        field.name
        for field in fields(Capabilities)
        if getattr(ENGINES[engine], field.name) and not any(getattr(one, field.name) for one in others)
    )
