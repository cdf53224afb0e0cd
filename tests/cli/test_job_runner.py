"""The runner of job files as a library: its events, and its safety limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.endpoint import Endpoint
from emulator.jobfiles import job_file_run
from emulator.jobfiles.connecting import make_clients
from emulator.jobfiles.events import BytesMoved, DataStored, Event, LogLine, StatusEntered, StatusLeft, StopAsked
from emulator.jobfiles.runner import run_job_file
from tests.cli.commands import job_file

pytestmark = pytest.mark.docker


def test_a_job_that_goes_on_too_long_is_stopped(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_file_run, "_AROUND_SECONDS", -3599)
    events: list[Event] = []
    path = job_file(tmp_path, "echo still here; while :; do sleep 0.05; done")

    report = run_job_file(path, make_clients(endpoint.url, region="us-east-1", account="000000000077"), events.append)

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

    report = run_job_file(path, make_clients(endpoint.url, region="us-east-1", account="000000000077"), events.append)

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

    report = run_job_file(path, make_clients(endpoint.url, region="us-east-1", account="000000000077"), events.append)

    assert report.log_lines == tuple(f"line {number}" for number in range(1, 2001))
    told = [event for event in events if isinstance(event, StatusEntered | StatusLeft | LogLine)]
    entered = [event.status for event in told if isinstance(event, StatusEntered)]
    assert list(dict.fromkeys(entered)) == [*(stage.status for stage in report.stages), "Completed"]
    before_the_lines = told[next(number for number, event in enumerate(told) if isinstance(event, LogLine)) - 1]
    assert isinstance(before_the_lines, StatusEntered)
    assert before_the_lines.status == "Training"
