"""Writes down what a job whose containers were to be kept has left."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final

from ..contract.record import JobRecord
from ..contract.status import status_of

logger = logging.getLogger(__name__)

NOTE: Final = "kept.json"


def note_kept(folder: Path, record: JobRecord, engine: str) -> None:
    """Write into a kept job's folder whose it is, for those who find it."""
    document = {
        "name": record.name,
        "arn": record.arn,
        "unique_name": record.unique_name,
        "status": status_of(record.facts),
        "engine": engine,
        "ended": record.facts["LastModifiedTime"],
    }
    try:
        (folder / NOTE).write_text(json.dumps(document, indent=2), encoding="utf-8")
    except OSError as error:  # the job's own end counts
        logger.warning("What is kept in %s will not be found by its job's name: %s", folder, error)
