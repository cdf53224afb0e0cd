"""What an engine is to make of a job: its containers as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ..contract.arns import instance_hostname
from ..contract.environment import PlatformAccess, container_environment, platform_environment
from ..contract.hands_on import DEBUG_TOOLS, HandsOn
from ..contract.job import Job
from ..contract.plan import ClusterPlan, ContainerPlan, InstanceResources, Mount
from .staging import HostTree


def cluster_plan(
    job: Job,
    unique_name: str,
    *,
    workspace: Path,
    image: str,
    trees: Mapping[str, HostTree],
    access: PlatformAccess | None,
    limits: Callable[[str], InstanceResources | None],
    kept_at: Path | None,
    hands_on: HandsOn,
) -> ClusterPlan:
    """Return the containers of a job, given what is laid out for them and how they reach the platform."""
    environment = container_environment(platform_environment(job, access), job.environment)
    entrypoint, command = job.command
    wanted = hands_on.debugging
    debugged = {wanted.host: wanted} if wanted is not None else {}
    tools = {name: (Mount(source=one.tools, target=DEBUG_TOOLS, writable=False),) for name, one in debugged.items()}
    return ClusterPlan(
        unique_name=unique_name,
        workspace=workspace,
        image=image,
        isolated=job.network_isolation,
        host_alias=access.host_alias if access is not None else None,
        endpoint_url=access.endpoint_url if access is not None else None,
        kept_at=kept_at,
        labels={"job": job.arn, "job-name": job.name},
        containers=tuple(
            ContainerPlan(
                host=host.name,
                hostname=instance_hostname(job.arn, host.name, job.scope.region),
                entrypoint=entrypoint,
                command=command,
                is_default_command=job.entrypoint is None and job.arguments is None,
                environment=environment,
                mounts=(*trees[host.name].mounts(job.mount_roots), *tools.get(host.name, ())),
                limits=limits(host.instance_type),
                hold=hands_on.hold,
                debugging=debugged.get(host.name),
            )
            for host in job.hosts
        ),
    )
