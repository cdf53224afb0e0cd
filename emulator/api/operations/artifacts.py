"""CreateArtifact and its siblings: lineage artifacts are found by their ARN, or by their source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...contract.arns import Scope
from ...contract.experiments.entities import ARTIFACT
from ...errors import ValidationError
from ...runtime import Emulator
from . import entities

Document = dict[str, Any]


def delete(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Forget an artifact by its ARN."""
    if "ArtifactArn" not in request:
        raise ValidationError("DeleteArtifact by Source is not emulated: several artifacts may have it. Give the ARN.")
    return entities.delete(ARTIFACT, emulator, scope, request)


OPERATIONS: dict[str, Callable[..., Document]] = {**entities.operations(ARTIFACT), "DeleteArtifact": delete}
