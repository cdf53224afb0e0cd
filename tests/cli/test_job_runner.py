"""The runner of job files as a library: its events, and its safety limit."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.endpoint import Endpoint
from emulator.jobfiles import job_file_run
from emulator.jobfiles.clients import Clients as JobFileClients
from emulator.jobfiles.connecting import make_clients
from emulator.jobfiles.events import (
    BytesMoved,
    DataStored,
    Event,
    JobCreated,
    LogLine,
    StatusEntered,
    StatusLeft,
    StopAsked,
)
from emulator.jobfiles.runner import run_job_file
from tests.cli.commands import job_file
from tests.jobs import Clients, Job

pytestmark = pytest.mark.docker


def clients_of(endpoint: Endpoint) -> JobFileClients:
    return make_clients(endpoint.url, region="us-east-1", account="123456789012")


class ReadLate:
    """CloudWatch Logs, read when a job has ended: what a busy machine does."""

    def __init__(self, clients: Clients, job_name: str) -> None:
        self._logs = clients.logs
        self._job = Job(clients, job_name, "")

    def __getattr__(self, name: str) -> Any:
        if name == "get_paginator":
            self._job.ended()
        return getattr(self._logs, name)


def test_a_job_that_goes_on_too_long_is_stopped(
    tmp_path: Path, endpoint: Endpoint, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_file_run, "_AROUND_SECONDS", -3599)
    events: list[Event] = []
    path = job_file(tmp_path, "echo still here; while :; do sleep 0.05; done")

    def hear(event: Event) -> None:
        events.append(event)
        if isinstance(event, JobCreated):  # its time begins after that
            Job(clients, event.name, "").wrote("still here")

    report = run_job_file(path, clients_of(endpoint), hear)

    assert not report.passed
    assert report.status == "Stopped"
    assert report.unmet[0] == "The job was stopped: not at its end after 1 s."
    assert [event.why for event in events if isinstance(event, StopAsked)] == ["not at its end after 1 s"]
    assert report.log_lines == ("still here",)


def test_large_and_small_data_is_stored_and_its_progress_told(tmp_path: Path, endpoint: Endpoint) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/large").write_bytes(b"x" * 20 * 1024**2)
    (tmp_path / "data/small").write_bytes(b"y")
    path = job_file(
        tmp_path,
        "cd /opt/ml/input/data/all; wc -c < large; cat small; echo; echo done",
        InputDataConfig=[
            {
                "ChannelName": "all",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://large-data/in/"}},
            }
        ],
    )
    path.write_text(f"{path.read_text()}data: {{s3://large-data/in/: data}}\n")
    events: list[Event] = []

    report = run_job_file(path, clients_of(endpoint), events.append)

    assert report.passed, report.unmet
    assert report.log_lines == (str(20 * 1024**2), "y", "done")
    stored = [event for event in events if isinstance(event, DataStored)]
    assert stored == [DataStored(destination="s3://large-data/in/", files=2, size=20 * 1024**2 + 1)]
    moved = [event.done for event in events if isinstance(event, BytesMoved) and event.what.startswith("Storing")]
    assert moved == sorted(moved)
    assert moved[-1] == 20 * 1024**2 + 1


def test_events_come_in_the_order_of_what_happened(tmp_path: Path, endpoint: Endpoint) -> None:
    events: list[Event] = []
    path = job_file(tmp_path, "for i in $(seq 1 2000); do echo line $i; done")

    report = run_job_file(path, clients_of(endpoint), events.append)

    assert report.log_lines == tuple(f"line {number}" for number in range(1, 2001))
    told = [event for event in events if isinstance(event, StatusEntered | StatusLeft | LogLine)]
    entered = [event.status for event in told if isinstance(event, StatusEntered)]
    assert list(dict.fromkeys(entered)) == [*(stage.status for stage in report.stages), "Completed"]
    before_the_lines = told[next(number for number, event in enumerate(told) if isinstance(event, LogLine)) - 1]
    assert isinstance(before_the_lines, StatusEntered)
    assert before_the_lines.status == "Training"


def test_a_line_is_told_after_the_status_that_it_belongs_to_however_late_the_log_is_read(
    tmp_path: Path, endpoint: Endpoint, clients: Clients
) -> None:
    name = f"read-late-{uuid.uuid4().hex[:8]}"
    events: list[Event] = []
    path = job_file(tmp_path, "echo here", TrainingJobName=name)

    late: Any = ReadLate(clients, name)
    run_job_file(path, replace(clients_of(endpoint), logs=late), events.append)

    told = [
        event.status if isinstance(event, StatusEntered) else event.message
        for event in events
        if isinstance(event, StatusEntered | LogLine)
    ]
    assert list(dict.fromkeys(told))[-4:] == ["Training", "here", "Uploading", "Completed"]
