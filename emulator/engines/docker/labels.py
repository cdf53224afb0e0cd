"""The labels on everything this emulator makes in an engine."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PREFIX: Final = "sagemaker-emulator"
OWNER: Final = f"{PREFIX}.owner"
PROCESS: Final = f"{PREFIX}.process"


class Labels:
    """One running emulator's labels. The process label lets a later one tell that this one is gone."""

    def __init__(self) -> None:
        self.owner = uuid.uuid4().hex[:12]

    def of(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the labels of one thing: its owner and process, and its own with our prefix."""
        own = {f"{PREFIX}.{name}": value for name, value in labels.items()}
        return {OWNER: self.owner, PROCESS: process_token(os.getpid()), **own}


def process_token(pid: int) -> str:
    """Return a text that no other process of this machine has, also after a restart; "" if it is gone."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # A process of another container has another numbering, and must not be judged by ours.
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{pid}:{started}:{boot}/{namespace}"


def is_abandoned(labels: Mapping[str, str]) -> bool:
    """Tell whether the emulator that made a thing ran on this machine and is gone.

    A thing made from another machine or container (a shared engine), or before this machine's last
    start, is not judged: only a token of this boot and this process namespace can be checked.
    """
    token = labels.get(PROCESS, "")
    pid, _, rest = token.partition(":")
    boot = rest.partition(":")[2]
    here = process_token(os.getpid()).rpartition(":")[2]
    return bool(here) and boot == here and pid.isdigit() and process_token(int(pid)) != token
