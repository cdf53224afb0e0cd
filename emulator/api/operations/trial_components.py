"""CreateTrialComponent and its siblings, and in which trials a component is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...contract.arns import Scope
from ...contract.experiments.entities import TRIAL_COMPONENT
from ...runtime import Emulator
from . import entities

Document = dict[str, Any]


def associate(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Put a component into a trial."""
    trial, component = emulator.tracking.associate(scope, request)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def disassociate(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Take a component out of a trial."""
    trial, component = emulator.tracking.disassociate(scope, request)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


OPERATIONS: dict[str, Callable[..., Document]] = {
    **entities.operations(TRIAL_COMPONENT),
    "AssociateTrialComponent": associate,
    "DisassociateTrialComponent": disassociate,
}
