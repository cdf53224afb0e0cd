"""CreateTrainingJob and its siblings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...contract.arns import Scope
from ...contract.constraints import epoch_seconds
from ...contract.record import describe, summary
from ...runtime import Emulator

Document = dict[str, Any]

_TIMES = ("CreationTimeAfter", "CreationTimeBefore", "LastModifiedTimeAfter", "LastModifiedTimeBefore")


def create_training_job(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Start a job; the answer comes as soon as it is accepted."""
    return {"TrainingJobArn": emulator.training_jobs.create(scope, request).arn}


def describe_training_job(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return all that was asked for and all that happened."""
    return describe(emulator.training_jobs.get(scope, request["TrainingJobName"]))


def list_training_jobs(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Return one page of summaries."""
    moments = {name: epoch_seconds(request[name]) for name in _TIMES if name in request}
    page = emulator.training_jobs.page(scope, {**request, **moments})
    answer: Document = {"TrainingJobSummaries": [summary(record) for record in page.records]}
    if page.next_token is not None:
        answer["NextToken"] = page.next_token
    return answer


def stop_training_job(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Ask a job to stop."""
    emulator.training_jobs.stop(scope, request["TrainingJobName"])
    return {}


def delete_training_job(emulator: Emulator, scope: Scope, request: Mapping[str, Any]) -> Document:
    """Forget a job that has ended."""
    emulator.training_jobs.delete(scope, request["TrainingJobName"])
    return {}
