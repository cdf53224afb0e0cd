"""CreateTrial and its siblings."""

from __future__ import annotations

from ...contract.experiments.entities import TRIAL
from . import entities

OPERATIONS = entities.operations(TRIAL)
