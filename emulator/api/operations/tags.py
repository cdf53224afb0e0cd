"""AddTags, ListTags and DeleteTags on the resources that are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...contract.arns import ResourceName, Scope
from ...contract.experiments.entities import is_entity
from ...contract.kinds import is_job, kind_of
from ...errors import ValidationError
from ...jobs.jobs import Jobs
from ...runtime import Emulator

Document = dict[str, Any]


def is_ours(request: Mapping[str, Any]) -> bool:
    """Tell whether a tag request is about a resource of ours; moto keeps the tags of the rest."""
    return is_job(request["ResourceArn"]) or is_entity(request["ResourceArn"])


def add_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Add tags and return all there are."""
    arn = _arn(scope, request)
    if is_entity(arn):
        return {"Tags": _tag_list(emulator.tracking.add_tags(scope, arn, request["Tags"]))}
    jobs, name = _job(emulator, arn)
    return {"Tags": _tag_list(jobs.add_tags(scope, name, request["Tags"]))}


def list_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return all tags: a resource has at most fifty, which is one page."""
    arn = _arn(scope, request)
    if is_entity(arn):
        return {"Tags": _tag_list(emulator.tracking.tags(scope, arn))}
    jobs, name = _job(emulator, arn)
    return {"Tags": _tag_list(jobs.get(scope, name).tags)}


def delete_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Take tags off."""
    arn = _arn(scope, request)
    if is_entity(arn):
        emulator.tracking.delete_tags(scope, arn, request["TagKeys"])
        return {}
    jobs, name = _job(emulator, arn)
    jobs.delete_tags(scope, name, request["TagKeys"])
    return {}


def _arn(scope: Scope, request: Mapping[str, Any]) -> str:
    """Return the ARN that a request names, which must be the caller's own."""
    arn: str = request["ResourceArn"]
    if ResourceName.parse(arn).scope != scope:
        raise ValidationError(
            f"The resource {arn} is not of the caller's account {scope.account} and region {scope.region}."
        )
    return arn


def _job(emulator: Emulator, arn: str) -> tuple[Jobs, str]:
    """Return the jobs of the kind that an ARN names, and its job's name."""
    return emulator.jobs[kind_of(arn)], ResourceName.parse(arn).name


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
