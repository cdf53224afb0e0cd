"""The network that gives the engine's machine the service's own metadata address; all emulators share it."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from pathlib import Path
from typing import Final

import docker
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from ...contract.environment import METADATA_HOST
from .labels import KEPT, OWNER, PREFIX
from .removal import remove_network

logger = logging.getLogger(__name__)

PLATFORM_NETWORK: Final = f"{PREFIX}-platform"
_SUBNET: Final = "169.254.170.0/24"
# Where every user of this machine finds it, whatever his TMPDIR is. Each emulator shares the lock for as long as it
# uses the network, and only one that is alone with it removes the network: none is taken from under another's feet.
_LOCK: Final = Path("/tmp/sagemaker-emulator-platform.lock")  # noqa: S108 - opened without following links
_LOCK_SECONDS: Final = 5.0
_BEING_MADE_SECONDS: Final = 2.0


class PlatformNetwork:
    """One emulator's use of the network. No container joins it: they reach the address through their own gateway."""

    def __init__(self, api: docker.APIClient) -> None:
        self._api = api
        self._lock: int | None = None

    def join(self) -> str | None:
        """Return the address 169.254.170.2, which the engine's machine has from now on; None where that cannot be."""
        self._lock = _locked(fcntl.LOCK_SH, seconds=_LOCK_SECONDS)
        deadline = time.monotonic() + _BEING_MADE_SECONDS
        while (problem := self._make()) is not None:
            # Another emulator may be at it just now: then its addresses are taken before its name is known.
            if "overlap" not in problem or time.monotonic() > deadline:
                logger.warning("The address %s cannot be set up in the Docker Engine: %s", METADATA_HOST, problem)
                return None
            time.sleep(0.05)
        return METADATA_HOST

    def leave(self) -> None:
        """Remove the network unless another emulator uses it, or still has something in the engine."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        remove_if_unused(self._api)

    def _make(self) -> str | None:
        """Make the network, if it is not there; return what is in the way."""
        try:
            self._api.create_network(
                PLATFORM_NETWORK,
                driver="bridge",
                check_duplicate=True,
                ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=_SUBNET, gateway=METADATA_HOST)]),
                options={"com.docker.network.bridge.enable_icc": "false"},
                labels={f"{PREFIX}.network": "platform"},
            )
        except APIError as error:
            return None if error.status_code == 409 else str(error.explanation)
        return None


def remove_if_unused(api: docker.APIClient) -> None:
    """Remove the network, if no emulator of this machine uses it and nothing of one is left in the engine."""
    alone = _locked(fcntl.LOCK_EX, seconds=0)
    if alone is None:
        return
    try:
        owned = {"label": OWNER}
        needed = (one for one in api.containers(all=True, filters=owned) if KEPT not in one["Labels"])
        if not any(needed) and not api.networks(filters=owned):
            remove_network(api, PLATFORM_NETWORK)
    finally:
        os.close(alone)


def _locked(how: int, *, seconds: float) -> int | None:
    """Return a descriptor that holds the lock until it is closed; None if others have it, or it cannot be had."""
    try:
        lock = os.open(_LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError:
        try:  # where /tmp is protected, another user's file can be opened, but not with O_CREAT
            lock = os.open(_LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            logger.warning("The lock %s cannot be used: %s", _LOCK, error)
            return None
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(lock)
                return None
            time.sleep(0.01)
        else:
            return lock
