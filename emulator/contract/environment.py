"""The environment variables that the platform gives to a container.

Source: environments printed by real training jobs; the service documents only TRAINING_JOB_NAME,
TRAINING_JOB_ARN and the request's own map. A bare image sees no SM_* variables: those are the
training toolkit's. Nobody has shown a processing job's: it gets what says nothing of training. It has no
variables of its own, as its name and ARN stand in processingjobconfig.json, and must have no
TRAINING_JOB_ARN, by which the SDK would take it for a training job.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from .job import Job
from .kinds import TRAINING

METADATA_HOST = "169.254.170.2"


@dataclass(frozen=True, kw_only=True)
class PlatformAccess:
    """How a container reaches the platform: the endpoint, and variables that lead to role credentials.

    `credentials` is what the engine's network allows: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI as on
    the service, the FULL_URI form, or temporary keys. `host_alias` is the host's name in the URL
    where the engine must make that name known to the container.
    """

    endpoint_url: str
    credentials: Mapping[str, str] = field(default_factory=dict)
    host_alias: str | None = None


def platform_environment(job: Job, access: PlatformAccess | None) -> dict[str, str]:
    """Return the platform's variables for one job.

    `access` is None under network isolation: the service gives such a container no credentials.
    AWS_ENDPOINT_URL and S3_ENDPOINT_URL (which the training toolkit reads) are this emulator's
    additions: they bring the container's own AWS clients here.
    """
    container = uuid.uuid5(uuid.NAMESPACE_URL, job.arn)
    variables = {
        "AWS_REGION": job.scope.region,
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
        "ECS_CONTAINER_METADATA_URI": f"http://{METADATA_HOST}/v3/{container}",
        "ECS_CONTAINER_METADATA_URI_V4": f"http://{METADATA_HOST}/v4/{container}",
        "NVIDIA_VISIBLE_DEVICES": "void",
    }
    if job.kind is TRAINING:
        variables |= {"TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.arn, "DMLC_INTERFACE": "eth0"}
    if access is not None:
        variables |= {"AWS_ENDPOINT_URL": access.endpoint_url, "S3_ENDPOINT_URL": access.endpoint_url}
        variables |= access.credentials
    return variables


def container_environment(platform: Mapping[str, str], requested: Mapping[str, str]) -> dict[str, str]:
    """Join the platform's variables and the request's Environment map, which wins (unconfirmed)."""
    return {**platform, **requested}
