"""What becomes of every member of a request for a job, and of every operation, as data.

docs/fidelity.md is these tables printed (scripts/fidelity_doc.py), and `refusals` is these tables applied:
what is published and what happens cannot differ. Nothing is silently ignored: a member without a row
(one that a newer service model brings) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .fidelity_processing import PROCESSING_JOB_MEMBERS
from .fidelity_rows import MemberTable, Treatment
from .fidelity_training import TRAINING_JOB_MEMBERS

MEMBERS: Final[Mapping[str, MemberTable]] = {
    "CreateTrainingJob": TRAINING_JOB_MEMBERS,
    "CreateProcessingJob": PROCESSING_JOB_MEMBERS,
}
"""The table of each operation whose members are treated one by one."""

_JOBS: Final = {
    "CreateTrainingJob": "Really runs the image.",
    "DescribeTrainingJob": "The request as it was sent, and what happened to the job.",
    "ListTrainingJobs": "Filters, sorts and pages as the service does.",
    "StopTrainingJob": "SIGTERM, 120 s of grace, SIGKILL; artifacts are still uploaded.",
    "DeleteTrainingJob": "Forgets a job that has ended; its name is free again.",
    "CreateProcessingJob": "Really runs the image.",
    "DescribeProcessingJob": "The request as it was sent, and what happened to the job.",
    "ListProcessingJobs": "Filters, sorts and pages as the service does.",
    "StopProcessingJob": "SIGTERM, 120 s of grace, SIGKILL; outputs are still uploaded.",
    "DeleteProcessingJob": "Forgets a job that has ended; its name is free again.",
    "AddTags": "Tags of jobs, and of experiments, trials, trial components and artifacts.",
    "ListTags": "Tags of jobs, and of experiments, trials, trial components and artifacts.",
    "DeleteTags": "Tags of jobs, and of experiments, trials, trial components and artifacts.",
}
_NOUNS: Final = {
    "Experiment": "Kept in the state directory. The name is unique without regard to case.",
    "Trial": "Kept in the state directory, below its experiment.",
    "TrialComponent": "Kept in the state directory; updates merge. Every job has one of its own.",
    "Artifact": "Lineage artifacts; the same source and type is the same artifact.",
}
_EXPERIMENTS: Final[Mapping[tuple[str, ...], str]] = {
    **{
        (*(f"{verb}{noun}" for verb in ("Create", "Describe", "Update", "Delete")), f"List{noun}s"): meaning
        for noun, meaning in _NOUNS.items()
    },
    ("AssociateTrialComponent", "DisassociateTrialComponent"): "Which trials a component is in.",
    ("AddAssociation", "ListAssociations", "DeleteAssociation"): (
        "Lineage between experiments, trial components and artifacts; actions and contexts are refused."
    ),
    ("Search",): (
        "Over TrainingJob, Experiment, ExperimentTrial and ExperimentTrialComponent, with every operator; consistent "
        "at once. Other resources are refused."
    ),
}
_KEPT: Final = "Records kept by moto; nothing runs. Members and filters that moto does not know are lost."
_RECORDS: Final[Mapping[tuple[str, ...], str]] = {
    ("CreateModel", "DescribeModel", "ListModels", "DeleteModel"): _KEPT,
    ("CreateEndpointConfig", "DescribeEndpointConfig", "ListEndpointConfigs", "DeleteEndpointConfig"): _KEPT,
    ("CreateModelPackageGroup", "DescribeModelPackageGroup", "ListModelPackageGroups"): _KEPT,
    ("CreateModelPackage", "DescribeModelPackage", "ListModelPackages", "UpdateModelPackage"): (
        f"{_KEPT} Every package is shown as Completed, though nothing validated or scanned it."
    ),
}

OPERATIONS: Final[Mapping[str, tuple[Treatment, str]]] = {
    **{name: (Treatment.HONOURED, meaning) for name, meaning in _JOBS.items()},
    **{name: (Treatment.HONOURED, meaning) for names, meaning in _EXPERIMENTS.items() for name in names},
    **{name: (Treatment.RECORDED, meaning) for names, meaning in _RECORDS.items() for name in names},
}
"""Every operation that is answered; any other is refused."""


def operation_treatment(operation: str) -> Treatment:
    """Return what the emulator does with an operation of the service."""
    return OPERATIONS[operation][0] if operation in OPERATIONS else Treatment.REFUSED


def operation_refusal(operation: str) -> str:
    """Return the text of the error that answers an operation which is not emulated."""
    return (
        f"{operation} is not emulated: sagemaker-emulator would have nothing true to answer. "
        "Its docs/fidelity.md lists the operations that are; call this one on the real service."
    )


def refusals(operation: str, request: Mapping[str, object]) -> list[str]:
    """Return one sentence for each member of a valid request that cannot be emulated; see MEMBERS."""
    return MEMBERS[operation].refusals(request)
