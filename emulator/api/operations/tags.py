"""AddTags, ListTags and DeleteTags on the resources that are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...contract.arns import ResourceName, Scope
from ...contract.kinds import is_job, kind_of
from ...errors import ValidationError
from ...jobs.jobs import Jobs
from ...runtime import Emulator

Document = dict[str, Any]


def is_ours(request: Mapping[str, Any]) -> bool:
    """Tell whether a tag request is about a job of ours; moto keeps the tags of the rest."""
    return is_job(request["ResourceArn"])


def add_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Add tags and return all there are."""
    jobs, name = _job(emulator, scope, request)
    return {"Tags": _tag_list(jobs.add_tags(scope, name, request["Tags"]))}


def list_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return all tags: a resource has at most fifty, which is one page."""
    jobs, name = _job(emulator, scope, request)
    return {"Tags": _tag_list(jobs.get(scope, name).tags)}


def delete_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Take tags off."""
    jobs, name = _job(emulator, scope, request)
    jobs.delete_tags(scope, name, request["TagKeys"])
    return {}


def _job(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> tuple[Jobs, str]:
    """Return the jobs of the kind that an ARN names, and its job's name."""
    arn = request["ResourceArn"]
    resource = ResourceName.parse(arn)
    if resource.scope != scope:
        raise ValidationError(
            f"The resource {arn} is not of the caller's account {scope.account} and region {scope.region}."
        )
    return emulator.jobs[kind_of(arn)], resource.name


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
