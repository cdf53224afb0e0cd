"""Makes the experiment and the trial that a request's ExperimentConfig names, as buckets are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from .clients import Clients, code_and_message

_THERE: Final = "already exists"


def make_experiment(clients: Clients, request: Mapping[str, Any]) -> None:
    """Make what is not there of the experiment and the trial that a request puts its job into.

    What it cannot be known how to make, such as a trial without an experiment, is left for the service to miss.
    """
    config = request.get("ExperimentConfig", {})
    if "ExperimentName" not in config:
        return
    experiment = {"ExperimentName": config["ExperimentName"]}
    _make(lambda: clients.sagemaker.create_experiment(**experiment))
    if "TrialName" in config:
        _make(lambda: clients.sagemaker.create_trial(TrialName=config["TrialName"], **experiment))


def _make(create: Callable[[], object]) -> None:
    try:
        create()
    except ClientError as error:
        if _THERE not in code_and_message(error)[1]:  # it has no code of its own
            raise
