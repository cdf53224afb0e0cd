"""The containers that an earlier emulator of the same owner has made for a job, and left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import docker
from docker.errors import NotFound

from ...contract.outcome import InternalServerError
from ...contract.plan import ClusterPlan, ContainerPlan
from .container import ENDED
from .labels import HOST, OWNER, UNIQUE_NAME, is_of_this_boot

_GONE: Final = "the emulator was killed while the job ran, and when it was started again"


@dataclass(frozen=True, kw_only=True)
class FoundContainer:
    """One host's container as it is now; `finished_at` orders those that have ended."""

    id: str
    plan: ContainerPlan
    state: str
    finished_at: str
    network: str
    mounted: bool
    of_this_boot: bool


class FoundContainers:
    """All containers of one job."""

    def __init__(self, api: docker.APIClient, owner: str, plan: ClusterPlan) -> None:
        """Look for the containers of a plan."""
        self._plan = plan
        self.all = _look(api, owner, plan)
        self.networks = {one.network for one in self.all}
        self.mounted = all(one.mounted for one in self.all)

    def in_order_of_end(self) -> list[FoundContainer]:
        """Return them all: those that have ended first, in the order in which they did.

        Raises:
            InternalServerError: what became of the job cannot be known any more.
        """
        missing = {one.host for one in self._plan.containers} - {one.plan.host for one in self.all}
        if missing:
            raise InternalServerError(f"{_GONE}, the containers of {', '.join(sorted(missing))} were gone")
        if not all(one.of_this_boot for one in self.all):
            raise InternalServerError(f"{_GONE}, the machine had been too, which ended the containers")
        return sorted(self.all, key=lambda one: (one.state not in ENDED, one.finished_at))


def _look(api: docker.APIClient, owner: str, plan: ClusterPlan) -> list[FoundContainer]:
    plans = {one.host: one for one in plan.containers}
    found = []
    for listed in api.containers(
        all=True, filters={"label": [f"{OWNER}={owner}", f"{UNIQUE_NAME}={plan.unique_name}"]}
    ):
        try:
            container = api.inspect_container(listed["Id"])
        except NotFound:
            continue
        labels = container["Config"]["Labels"]
        found.append(
            FoundContainer(
                id=container["Id"],
                plan=plans[labels[HOST]],
                state=container["State"]["Status"],
                finished_at=container["State"]["FinishedAt"],
                network=container["HostConfig"]["NetworkMode"],
                mounted=all(mount["Type"] == "bind" for mount in container["Mounts"]),
                of_this_boot=is_of_this_boot(labels),
            )
        )
    return found
