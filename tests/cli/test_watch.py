"""`run --watch`: runs again on a change, in a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cli.commands import eventually, job_file
from tests.cli.terminals import exit_code, typed_into
from tests.docker_engine import containers_of

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

DOCKERFILE = "FROM sagemaker-emulator/python:3.11\nCOPY train /usr/local/bin/train\n"


def test_a_change_runs_it_again_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE)
    program = context / "train"
    program.write_text("#!/bin/sh\ncat /opt/ml/input/data/train/a\necho first\n")
    program.chmod(0o755)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a").write_text("data-1\n")
    path = tmp_path / "job.yaml"
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://watched/in/"}},
    }
    document = {
        "kind": "training",
        "image": {"build": "context"},
        "data": {"s3://watched/in/": "data/"},
        "request": {"TrainingJobName": "watched", "InputDataConfig": [channel]},
    }
    path.write_text(yaml.safe_dump(document))
    with typed_into("run", "--watch", "--plain", path) as terminal:
        terminal.expect("algo-1 data-1")
        terminal.expect("algo-1 first")
        terminal.expect("waiting for changes")
        program.write_text("#!/bin/sh\ncat /opt/ml/input/data/train/a\necho second; exit 1\n")
        terminal.expect("train changed: running again")
        terminal.expect("algo-1 second")
        terminal.expect("result +Failed")
        terminal.expect("waiting for changes")
        (tmp_path / "data/a").write_text("data-2 is longer\n")
        terminal.expect("algo-1 data-2 is longer")
        terminal.expect("waiting for changes")
        path.write_text("kind: nonsense\n")
        terminal.expect("there is no kind 'nonsense'")
        terminal.expect("waiting for changes")
        path.write_text(yaml.safe_dump(document))
        terminal.expect("algo-1 second")
        terminal.expect("waiting for changes")
        terminal.sendintr()
        terminal.expect("watch +ended")
        assert exit_code(terminal) == 0


def test_a_run_that_is_out_of_date_is_ended_at_once(tmp_path: Path) -> None:
    name = "watched-long"
    endless = "echo endless-runs; trap '' TERM; while :; do sleep 0.1; done"
    path = job_file(tmp_path, endless, TrainingJobName=name)
    with typed_into("run", "--watch", "--plain", path) as terminal:
        terminal.expect("algo-1 endless-runs")
        (first,) = containers_of(name)
        job_file(tmp_path, endless.replace("endless-runs", "the-next-one"), TrainingJobName=name)
        terminal.expect("algo-1 the-next-one")
        assert first not in containers_of(name)
        terminal.sendintr()
        terminal.expect("watch +ended")
        assert exit_code(terminal) == 0
    assert eventually(lambda: containers_of(name) == [])
