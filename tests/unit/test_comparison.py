"""What differs between two jobs."""

from __future__ import annotations

from typing import Any

from emulator.contract.kinds import TRAINING
from emulator.contract.record import describe
from emulator.jobfiles.comparison import Job, differences
from tests.builders import job_record


def job(name: str, *, view: dict[str, Any] | None = None, **changes: Any) -> Job:
    return Job(kind=TRAINING, description=describe(job_record(name, **changes)), view=view)


def found(left: Job, right: Job) -> list[tuple[str, str, str, str]]:
    return [(one.part, one.where, one.left, one.right) for one in differences(left, right)]


def view(**changes: Any) -> dict[str, Any]:
    host = {"command": ["train"], "environment": {"A": "1"}, "hostname": "ip-1", "tree": {}, **changes}
    return {"image": "sha256:1", "hosts": {"algo-1": host}}


def test_names_and_what_is_made_of_them_are_alike() -> None:
    left = job("One", Environment={"ME": "One"}, view=view(environment={"HOSTNAME": "a", "JOB": "One"}))
    right = job("Other", Environment={"ME": "Other"}, view=view(environment={"HOSTNAME": "b", "JOB": "Other"}))
    assert found(left, right) == []


def test_places_are_named_as_deep_as_they_can_be() -> None:
    left = job("a", HyperParameters={"epochs": "3"}, view=view(command=["train"]))
    right = job("b", HyperParameters={"epochs": "4", "rate": "1"}, view=view(command=["train", "-v"]))
    assert found(left, right) == [
        ("request", "HyperParameters.epochs", "3", "4"),
        ("request", "HyperParameters.rate", "(nothing)", "1"),
        ("container", "hosts.algo-1.command", "['train']", "['train', '-v']"),
    ]


def test_files_are_named_by_their_paths() -> None:
    one = {"type": "file", "mode": "0644", "size": 1}
    left, right = (view(tree={"/opt/ml/a": {**one, "size": size}}) for size in (1, 2))
    assert found(job("a", view=left), job("b", view=right)) == [
        ("container", "hosts.algo-1.tree /opt/ml/a.size", "1", "2")
    ]


def test_a_job_whose_containers_never_started() -> None:
    places = [one[:2] for one in found(job("a"), job("b", view=view()))]
    assert places == [("container", "image"), ("container", "hosts")]


def test_a_name_that_is_a_word_of_the_request_makes_no_difference() -> None:
    assert found(job("train", view=view()), job("b", view=view())) == []
