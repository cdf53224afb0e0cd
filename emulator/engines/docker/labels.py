"""The labels on everything this emulator makes in an engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ... import file_locks
from ...jobs.ports import Owner

PREFIX: Final = "sagemaker-emulator"
OWNER: Final = f"{PREFIX}.owner"
UNIQUE_NAME: Final = f"{PREFIX}.unique-name"
HOST: Final = f"{PREFIX}.host"
JOB_NAME: Final = f"{PREFIX}.job-name"
KEPT: Final = f"{PREFIX}.kept"
_LOCK: Final = f"{PREFIX}.lock"
# Of kept containers. Versions that know of none remove what has the other label and no living emulator.
LOCK_OF_KEPT: Final = f"{PREFIX}.lock-of-kept"
_BOOT: Final = f"{PREFIX}.boot"


class Labels:
    """One owner's labels. The lock label lets every emulator of the machine tell whether he is gone."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner.identity
        self._own = {OWNER: owner.identity, _LOCK: f"{_mounts()}:{owner.lock}", _BOOT: _boot()}

    def of(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the labels of one thing: its owner's, and its own with our prefix."""
        own = self._own
        if "kept" in labels:
            own = {LOCK_OF_KEPT if name == _LOCK else name: value for name, value in own.items()}
        return {**own, **{f"{PREFIX}.{name}": value for name, value in labels.items()}}


def reaper_lock(lock: Path) -> Path:
    """Return the lock of the process that removes what a killed emulator has left."""
    return lock.with_name(f"{lock.name}.reaper")


def is_abandoned(labels: Mapping[str, str]) -> bool:
    """Tell whether neither a thing's emulator lives, nor who was to clean up after it.

    A thing made from another machine or container (a shared engine) is not judged: its lock is a file
    that cannot be seen from here. Nor is one whose lock may not be read.
    """
    mounts, _, path = labels.get(_LOCK, labels.get(LOCK_OF_KEPT, "")).partition(":")
    if not path or mounts != _mounts():
        return False
    lock = Path(path)
    try:
        # In this order: who cleans up goes when it has seen that a new emulator holds the lock.
        return not file_locks.is_held(reaper_lock(lock)) and not file_locks.is_held(lock)
    except OSError:
        return False


def is_of_this_boot(labels: Mapping[str, str]) -> bool:
    """Tell whether the machine has not been started again since a thing was made."""
    return labels.get(_BOOT) == _boot()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _mounts() -> str:
    """Return a text that only processes have that see the same files as this one; "" if that is not known."""
    try:
        return f"{_boot()}/{Path('/proc/self/ns/mnt').readlink()}".replace(":", "")
    except OSError:
        return ""
