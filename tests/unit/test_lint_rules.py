"""Every rule, from facts: what it finds, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from emulator.errors import UsageError
from emulator.lint.facts import Config, Facts, Files, Kind, Packages, Place, Program, Request, Run
from emulator.lint.rule import Severity
from emulator.lint.rules import RULES, checked_ids, findings_of

ROOT = Path(__file__).parents[2]

TRAIN = Program(name="train", path="/usr/local/bin/train", is_executable=True, is_binary=True)
SCRIPT = replace(TRAIN, is_binary=False, text="#!/bin/sh\nexec python3 /train.py\n", interpreter="/bin/sh")
PYTHON = replace(TRAIN, is_binary=False, text="#!/usr/bin/python3\n", interpreter="/usr/bin/python3")
TOOLS = frozenset({"bash", "python3"})
CLEAN = Facts(
    kind=Kind.TRAINING,
    config=Config(entrypoint=(), command=("python3",), user="", working_directory="/"),
    reference="team/image:1",
    architecture="amd64",
    size=10**9,
    files=Files(program=TRAIN, users=frozenset({"root"}), tools=TOOLS),
    packages=Packages(versions={"pip": "24.0", "boto3": "1.34.1", "botocore": "1.34.1"}),
    run=Run(exit_code=0, has_results=True),
)


def image(kind: Kind = Kind.TRAINING, **config: Any) -> Facts:
    """Facts of a clean image, but for its configuration."""
    return replace(CLEAN, kind=kind, config=replace(CLEAN.config, **config))


def files(facts: Facts = CLEAN, **changes: Any) -> Facts:
    assert facts.files is not None
    return replace(facts, files=replace(facts.files, **changes))


def variables(**values: str) -> Facts:
    return image(environment=values)


def toolkit(facts: Facts = CLEAN, **changes: Any) -> Facts:
    """Facts of an image whose `train` is the training toolkit's."""
    environment = {"PYTHONUNBUFFERED": "1", **facts.config.environment}
    facts = replace(facts, config=replace(facts.config, environment=environment))
    return replace(
        files(facts, program=PYTHON, **changes), packages=Packages(versions={"sagemaker-training": "5", "pip": "1"})
    )


def run(exit_code: int | None = 1, output: str = "", facts: Facts = CLEAN, **changes: Any) -> Facts:
    return replace(facts, run=Run(exit_code=exit_code, output=output, **changes))


PROGRAM = image(entrypoint=("python3", "-u", "/train.py"), command=())
ARM = replace(CLEAN, architecture="arm64")

FOUND: list[tuple[str, Facts]] = [
    ("program-missing", files(program=Program(name="train", path=None))),
    ("program-missing", files(image(entrypoint=("/run.sh",), command=()), program=Program(name="/run.sh", path=None))),
    ("program-not-executable", files(program=replace(TRAIN, is_executable=False))),
    ("program-crlf", files(program=replace(SCRIPT, text="#!/bin/sh\r\nexec true\r\n", has_interpreter=False))),
    ("program-interpreter-missing", files(program=replace(SCRIPT, has_interpreter=False))),
    ("program-without-shebang", files(program=replace(SCRIPT, text="exec python3 /train.py\n", interpreter=None))),
    ("shell-form-entrypoint", image(entrypoint=("/bin/sh", "-c", "python3 /train.py"), command=())),
    ("shell-form-entrypoint", image(Kind.PROCESSING, entrypoint=("/bin/bash", "-c", "run"), command=())),
    (
        "entrypoint-reads-argument-as-file",
        files(image(entrypoint=("python3", "-u"), command=("/train.py",)), argument_is_a_file=False),
    ),
    ("entrypoint-refuses-argument", run(2, "error: unrecognized arguments: train", PROGRAM)),
    ("entrypoint-refuses-argument", run(2, "Error: Got unexpected extra argument (train)", PROGRAM)),
    ("entrypoint-refuses-argument", run(2, "Error: No such command 'train'.", PROGRAM)),
    ("module-missing", run(1, "Traceback ...\nModuleNotFoundError: No module named 'sklearn'\n")),
    ("permission-denied", run(1, "PermissionError: [Errno 13] Permission denied: '/srv/x'")),
    ("sigterm-ignored", run(None, ended_on_sigterm=False, catches_sigterm=False)),
    ("sigterm-ignored", run(None, ended_on_sigterm=False)),
    ("shell-script-without-exec", files(program=replace(SCRIPT, text="#!/bin/bash\n# exec is better\npython3 a\n"))),
    ("tini-entrypoint", image(entrypoint=("/usr/bin/tini", "--"), command=())),
    ("hidden-files", files(below_mounts=("/opt/ml/input/data/a",))),
    ("hidden-files", replace(CLEAN, files=None, copied=("/opt/ml/model/weights",))),
    ("hidden-files", replace(CLEAN, kind=Kind.PROCESSING, files=None, copied=("/opt/ml/processing/input",))),
    ("volume-under-opt-ml", image(volumes=("/opt/ml/model",))),
    ("toolkit-program-missing", toolkit(variables(SAGEMAKER_PROGRAM="train.py"), has_toolkit_program=False)),
    ("toolkit-program-unset", replace(toolkit(), request=Request())),
    ("toolkit-program-from-request", toolkit()),
    ("architecture", ARM),
    ("large-image", replace(CLEAN, size=11 * 10**9)),
    ("user-unknown", image(user="trainer:users")),
    ("user-not-root", image(user="1000")),
    ("old-boto3", replace(CLEAN, packages=Packages(versions={"pip": "1", "botocore": "1.30.9", "boto3": "1.27.96"}))),
    ("credentials-in-image", variables(AWS_SECRET_ACCESS_KEY="x")),
    ("credentials-in-image", files(credentials="/root/.aws/credentials")),
    ("platform-variable", variables(TRAINING_JOB_ARN="arn")),
    ("endpoint-in-image", variables(AWS_ENDPOINT_URL_S3="http://localhost")),
    ("model-elsewhere", run(0, written=("/models/a",))),
    ("output-buffered", files(program=PYTHON)),
    ("healthcheck-ignored", image(has_healthcheck=True)),
    ("stop-signal-ignored", image(stop_signal="SIGINT")),
    ("command-replaced", image(entrypoint=("/run.sh",), command=("--epochs", "3"))),
    ("serving-port", image(Kind.SERVING, ports=("5000/tcp",))),
    ("model-trainer-needs", files(tools=frozenset({"python3"}))),
    ("latest-tag", replace(CLEAN, reference="registry:5000/team/image")),
    ("latest-tag", replace(CLEAN, base_tags=(("python:latest", 1),))),
    ("build-fails", replace(CLEAN, build_failure=("it has no FROM instruction", None))),
    ("unknown-ignore", replace(CLEAN, unknown_ignores=(("nothing", 3),))),
]

CLEAN_FACTS: list[Facts] = [
    CLEAN,
    PROGRAM,
    files(program=SCRIPT),
    files(program=replace(SCRIPT, text="#!/bin/sh\ntrap 'kill $!' TERM\npython3 a & wait\n")),
    files(variables(PYTHONUNBUFFERED="1"), program=PYTHON),
    image(entrypoint=("sh", "-c"), command=()),  # the argument is the command
    image(entrypoint=("/run.sh",), command=("train",)),
    files(image(entrypoint=("bash",), command=()), argument_is_a_file=True),
    files(image(Kind.PROCESSING, entrypoint=("python3", "-u"), command=("/a.py",)), argument_is_a_file=None),
    toolkit(variables(SAGEMAKER_PROGRAM="train.py"), has_toolkit_program=True),
    toolkit(variables(SAGEMAKER_TRAINING_MODULE="a.b:main")),
    replace(toolkit(), request=Request(environment={"SAGEMAKER_PROGRAM": "a.py"})),
    replace(toolkit(), request=Request(hyperparameters=frozenset({"sagemaker_program"}))),
    replace(
        toolkit(variables(SAGEMAKER_PROGRAM="train.py"), has_toolkit_program=False),
        request=Request(hyperparameters=frozenset({"sagemaker_submit_directory"})),
    ),
    replace(ARM, kind=Kind.SERVING),  # there are ARM instances for endpoints
    image(user="root"),
    image(user="0:0"),
    image(stop_signal="SIGTERM", ports=("22/tcp",), volumes=("/data",)),
    image(Kind.SERVING, ports=("5000/tcp", "8080/tcp")),
    variables(AWS_REGION="eu-central-1", AWS_ACCESS_KEY_ID=""),
    replace(CLEAN, kind=Kind.PROCESSING, files=None, copied=("/opt/ml/processing/code",)),
    replace(
        CLEAN,
        files=None,
        copied=("/opt/ml/model/a",),
        request=Request(entrypoint=("a",), mounts=(PurePosixPath("/opt/ml/config"),)),
    ),
    replace(CLEAN, reference="a@sha256:0f", base_tags=(("python:3.11", 1),)),
    replace(CLEAN, packages=None, run=None),
    replace(CLEAN, files=None, packages=None, run=None, size=None, architecture=None, copied=("/opt/ml/code/a",)),
    run(1, "FileNotFoundError: /opt/ml/input/data/train"),
    run(0, "ModuleNotFoundError: No module named 'optional'", has_results=True),
    run(None, ended_on_sigterm=True),
    run(None, ended_on_sigterm=False, catches_sigterm=True),  # it may be saving something: it has 120 s
    run(0, has_results=True, written=("/models/a",)),
    run(2, "unrecognized arguments: --train-fast", PROGRAM),
    replace(image(entrypoint=("/bin/sh", "-c", "run"), command=()), request=Request(entrypoint=("python3", "-u", "a"))),
]


@pytest.mark.parametrize(("rule", "facts"), FOUND, ids=[rule for rule, _ in FOUND])
def test_a_rule_finds_what_it_is_for_and_no_other_does(rule: str, facts: Facts) -> None:
    assert [finding.rule.id for finding in findings_of(facts)] == [rule]


@pytest.mark.parametrize("facts", CLEAN_FACTS, ids=range(len(CLEAN_FACTS)))
def test_what_is_right_is_left_alone(facts: Facts) -> None:
    assert findings_of(facts) == ()


def test_every_rule_is_tested_here_and_says_why_and_what_to_do() -> None:
    assert {rule for rule, _ in FOUND} == {rule.id for rule in RULES}
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert all(text and text[-1] not in " ," for text in (rule.what, rule.why, rule.fix)), rule.id
        assert set(rule.unless) <= {other.id for other in RULES}, rule.id


def test_the_worst_comes_first() -> None:
    facts = image(user="1000", has_healthcheck=True, environment={"AWS_ACCESS_KEY_ID": "x"})

    assert [finding.rule.severity for finding in findings_of(facts)] == [
        Severity.ERROR,
        Severity.WARNING,
        Severity.NOTE,
    ]


def test_a_finding_that_another_one_explains_is_left_out() -> None:
    both = run(None, ended_on_sigterm=False, facts=image(entrypoint=("/bin/sh", "-c", "run"), command=()))

    assert [finding.rule.id for finding in findings_of(both)] == ["shell-form-entrypoint"]


def test_a_value_of_credentials_is_never_shown() -> None:
    facts = variables(AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI")

    assert "wJalr" not in findings_of(facts)[0].message


def test_a_finding_has_the_line_of_the_last_such_instruction() -> None:
    places = (
        Place(instruction="ENV", word="AWS_PROFILE", line=3),
        Place(instruction="ENV", word="OTHER", line=4),
        Place(instruction="USER", word="", line=5),
        Place(instruction="USER", word="", line=9),
    )
    facts = replace(image(user="1000", environment={"AWS_PROFILE": "me"}), places=places)

    assert [(one.rule.id, one.line) for one in findings_of(facts)] == [
        ("credentials-in-image", 3),
        ("user-not-root", 9),
    ]


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        (image(entrypoint=("a",)), ("a", "train")),
        (image(), ("train",)),
        (image(Kind.SERVING), ("serve",)),
        (image(Kind.PROCESSING, entrypoint=("a",), command=("b",)), ("a", "b")),
        (image(entrypoint=None), None),
        (replace(image(entrypoint=("a",)), request=Request(arguments=("c",))), ("a", "c")),
        (replace(image(entrypoint=("a",)), request=Request(entrypoint=("d",))), ("d",)),
        (replace(image(entrypoint=None), request=Request(entrypoint=("d",), arguments=("e",))), ("d", "e")),
    ],
)
def test_the_command_is_the_services(facts: Facts, command: tuple[str, ...] | None) -> None:
    assert facts.command == command


@pytest.mark.parametrize(("text", "version"), [("1.28.0", (1, 28, 0)), ("2.0rc1", (2,)), ("x", ())])
def test_versions(text: str, version: tuple[int, ...]) -> None:
    assert Packages(versions={"a": text}).version("a") == version


def test_a_misspelt_rule_is_refused_with_the_one_that_was_meant() -> None:
    assert checked_ids(["architecture"]) == {"architecture"}
    with pytest.raises(UsageError, match="Did you mean hidden-files"):
        checked_ids(["hiden-file"])


def test_the_page_is_up_to_date() -> None:
    script = ROOT / "scripts" / "lint_doc.py"

    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
