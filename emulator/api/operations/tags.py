"""AddTags, ListTags and DeleteTags on the resources that are ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...contract.arns import ResourceName, Scope
from ...errors import ValidationError
from ...runtime import Emulator

Document = dict[str, Any]


def is_ours(request: Mapping[str, Any]) -> bool:
    """Tell whether a tag request is about a job of ours; moto keeps the tags of the rest."""
    return ResourceName.parse(request["ResourceArn"]).kind == "training-job"


def add_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Add tags and return all there are."""
    resource = _resource(scope, request)
    return {"Tags": _tag_list(emulator.training_jobs.add_tags(scope, resource.name, request["Tags"]))}


def list_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return all tags: a resource has at most fifty, which is one page."""
    return {"Tags": _tag_list(emulator.training_jobs.get(scope, _resource(scope, request).name).tags)}


def delete_tags(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Take tags off."""
    emulator.training_jobs.delete_tags(scope, _resource(scope, request).name, request["TagKeys"])
    return {}


def _resource(scope: Scope, request: Mapping[str, Any]) -> ResourceName:
    resource = ResourceName.parse(request["ResourceArn"])
    if resource.scope != scope:
        raise ValidationError(
            f"The resource {request['ResourceArn']} is not of the caller's account {scope.account} "
            f"and region {scope.region}."
        )
    return resource


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
