"""CreateExperiment and its siblings."""

from __future__ import annotations

from ...contract.experiments.entities import EXPERIMENT
from . import entities

OPERATIONS = entities.operations(EXPERIMENT)
