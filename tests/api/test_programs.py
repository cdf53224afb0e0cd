"""PUT /_emulator/programs: what is registered runs, and who may register."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.config import Settings
from emulator.endpoint import Endpoint
from emulator.errors import UsageError
from tests.images import PROGRAMS
from tests.jobs import Clients, TrainingJobs

MEANT = {"X-Sagemaker-Emulator": "1"}


@pytest.fixture(scope="module")
def programmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    settings = Settings(port=0, engine="process", state_dir=tmp_path_factory.mktemp("programs"))
    with Endpoint(settings) as running:
        yield running


def put(programmed: Endpoint, document: object, **headers: str) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", programmed.port, timeout=60)
    body = document if isinstance(document, str) else json.dumps(document)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("PUT", "/_emulator/programs", body, named)
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_what_is_registered_runs_and_another_takes_its_place(programmed: Endpoint, tmp_path: Path) -> None:
    (tmp_path / "say").write_text("#!/bin/sh\necho $WORD $(pwd) $(ls)\n")
    (tmp_path / "say").chmod(0o755)
    program = {"command": ["./say"], "source": str(tmp_path), "at": "/opt/words", "environment": {"WORD": "hello"}}
    clients = Clients(programmed.url)
    clients.s3.create_bucket(Bucket="programs")
    jobs = TrainingJobs(clients, "programs", lambda name: name)
    assert put(programmed, {"image": "word", "program": program}, **MEANT) == (200, {"status": "ok"})
    assert jobs.create(image="word").ended().log() == ["hello /opt/words say"]
    program["environment"] = {"WORD": "goodbye"}
    assert put(programmed, {"image": "word", "program": program}, **MEANT)[0] == 200
    assert jobs.create(image="word", Environment={}).ended().log() == ["goodbye /opt/words say"]
    assert jobs.create(image="word", Environment={"WORD": "the request's"}).ended().log()[0].startswith("the request's")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content_Type": "application/json"},
        {**MEANT, "Host": "evil.example"},
        {**MEANT, "Host": "169.254.170.2:80"},
        {**MEANT, "Host": "localhost.evil.example:4750"},
    ],
    ids=["nothing", "a form", "rebound name", "gateway", "subdomain"],
)
def test_a_page_in_a_browser_and_a_container_cannot_register(programmed: Endpoint, headers: dict[str, str]) -> None:
    status, answer = put(programmed, {"image": "x", "program": {"command": ["true"]}}, **headers)
    assert status == 403
    said = str(answer)
    assert "from this machine only" in said or "does not answer to the name" in said
    with pytest.raises(Exception, match="Cannot find the image x"):
        programmed.emulator.engine.require_image("x")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "no JSON"),
        ([], "Send "),
        ({"program": {"command": ["a"]}}, "Send "),
        ({"image": "x"}, "must be a mapping"),
        ({"image": "x", "program": {"command": ["a"], "source": "/no/such/folder"}}, "is no folder of this machine"),
        ({"image": "", "program": {"command": ["a"]}}, "the name is empty"),
    ],
)
def test_what_is_no_program_is_refused_with_what_is_wrong(programmed: Endpoint, document: object, said: str) -> None:
    status, answer = put(programmed, document, **MEANT)
    assert status == 400
    assert said in answer["error"]


def test_a_reset_keeps_programs(programmed: Endpoint) -> None:
    programmed.emulator.programs.register("kept", PROGRAMS["behaviour"])
    programmed.emulator.reset()
    assert programmed.emulator.engine.require_image("kept") == "kept"


@pytest.mark.docker
def test_an_engine_with_images_takes_no_programs(tmp_path: Path) -> None:
    with Endpoint(Settings(port=0, engine="docker", state_dir=tmp_path)) as docker:
        status, answer = put(docker, {"image": "x", "program": {"command": ["a"]}}, **MEANT)
        assert status == 400
        assert "runs images, not programs" in answer["error"]
        with pytest.raises(UsageError, match="--engine process"):
            docker.emulator.programs.register("x", PROGRAMS["behaviour"])
