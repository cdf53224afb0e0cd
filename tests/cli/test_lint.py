"""`lint` on real images: every broken one of fixtures/ is found, the samples pass, nothing is left behind."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.jobfiles.images import image_tag
from emulator.lint.lint import Options, Report, lint
from emulator.lint.target import BuildOptions, target_of

from .commands import (
    REPOSITORY,
    SECONDS,
    environment,
    eventually,
    in_a_terminal,
    sagemaker_emulator,
    started,
    without_colors,
)

BROKEN = REPOSITORY / "fixtures/images/broken"
BASE = "sagemaker-emulator/python:3.11"
NO_ENGINE = "unix:///nowhere/docker.sock"

# What each deliberately broken image is found to be, and in which line of its Dockerfile. All of it: nothing else.
FOUND: dict[str, list[tuple[str, int | None]]] = {
    "argument-refused": [("entrypoint-refuses-argument", 5)],
    "cannot-be-built": [("build-fails", None), ("unknown-ignore", 2)],
    "closed-to-its-user": [("permission-denied", 6)],
    "credentials": [("credentials-in-image", 4)],
    "deaf": [("sigterm-ignored", None)],
    "fixed-endpoint": [("endpoint-in-image", 4)],
    "hidden-input": [("hidden-files", 4)],
    "ineffective": [("command-replaced", 5), ("healthcheck-ignored", 7), ("stop-signal-ignored", 6)],
    "missing-program": [("toolkit-program-missing", 6)],
    "model-elsewhere": [("model-elsewhere", None)],
    "module-missing": [("module-missing", None)],
    "no-interpreter": [("program-interpreter-missing", 3)],
    "no-shebang": [("program-without-shebang", 3)],
    "no-train": [("program-missing", None)],
    "not-executable": [("program-not-executable", 3)],
    "old-boto3": [("old-boto3", None)],
    "ordinary-user": [("user-not-root", 4)],
    "platform-variable": [("platform-variable", 4)],
    "script-in-cmd": [("entrypoint-reads-argument-as-file", 5)],
    "shell-form": [("shell-form-entrypoint", 4)],
    "tini": [("tini-entrypoint", 5)],
    "unknown-user": [("user-unknown", 4)],
    "volume": [("volume-under-opt-ml", 4)],
    "windows-line-endings": [("program-crlf", None)],
    "wrapper-without-exec": [("shell-script-without-exec", 3)],
    "wrong-port": [("serving-port", 4)],
}
# Its base image is in a registry, so it is only read.
ONLY_READ = {"another-processor": [("architecture", 2)]}

SAMPLES = [
    "iris_training/Dockerfile",
    "iris_training/job.yaml",
    *(f"ctr_pipeline/jobs/{name}.yaml" for name in ("preprocess", "train", "evaluate", "predict", "dirty_day")),
]


# Programs that end by themselves have all the time that a busy machine takes to start them.
ENDS_BY_ITSELF = {"run_seconds": 120.0}


def linted(path: Path, **options: Any) -> Report:
    """Lint in this process."""
    return lint(target_of(str(path), BuildOptions()), Options(**options), lambda _: None)


def found(report: Report) -> list[tuple[str, int | None]]:
    return [(finding.rule.id, finding.line) for finding in report.findings]


def written(folder: Path, *lines: str, **files: str) -> Path:
    """Write a Dockerfile on the base image, and programs beside it."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def deaf(tmp_path: Path) -> Path:
    """The deaf image of this test alone, so that its containers can be told from those of other tests; it is built."""
    folder = tmp_path / "deaf"
    shutil.copytree(BROKEN / "deaf", folder)
    with (folder / "Dockerfile").open("a") as file:
        file.write(f"ENV OF={uuid.uuid4()}\n")
    linted(folder, run=False)
    return folder


def containers_of(folder: Path) -> set[str]:
    """Return the containers that lints of a folder's image have now."""
    build = target_of(str(folder), BuildOptions()).build
    assert build is not None
    filters = ("--filter", "label=sagemaker-emulator.lint", "--filter", f"ancestor={image_tag(build)}")
    command = ["docker", "ps", "--all", "--quiet", *filters]
    return set(subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True).stdout.split())


def test_every_broken_image_is_in_the_table() -> None:
    assert {path.name for path in BROKEN.iterdir()} == {*FOUND, *ONLY_READ}


@pytest.mark.docker
@pytest.mark.parametrize("name", FOUND)
def test_a_broken_image_is_found_to_be_what_it_is(name: str) -> None:
    patience = {} if name == "deaf" else ENDS_BY_ITSELF
    assert found(linted(BROKEN / name, **patience)) == FOUND[name]


@pytest.mark.parametrize("name", ONLY_READ)
def test_a_broken_dockerfile_is_found_to_be_what_it_is(name: str) -> None:
    assert found(linted(BROKEN / name, static=True)) == ONLY_READ[name]


@pytest.mark.docker
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_samples_pass(sample: str) -> None:
    done = sagemaker_emulator("lint", "--json", REPOSITORY / "sample_jobs" / sample, seconds=280)
    report = json.loads(done.stdout)

    assert done.returncode == 0, done.stdout
    # What has no handler for SIGTERM is told, if it runs on when it has no data: a host that waits for the others.
    assert {one["rule"] for one in report["findings"]} <= {"output-buffered", "sigterm-ignored"}
    assert report["checked"] == ["Dockerfile", "image", "files", "packages", "run"]


@pytest.mark.docker
def test_nothing_in_the_image_is_needed_to_look_into_it(tmp_path: Path) -> None:
    folder = written(tmp_path / "bare", "FROM scratch", "COPY train /bin/train", train="#!/bin/sh\nexec true\n")

    report = linted(folder)

    assert found(report) == [("program-interpreter-missing", 2), ("model-trainer-needs", None)]
    assert "packages" not in report.checked


@pytest.mark.docker
def test_a_job_files_request_says_what_is_run(tmp_path: Path) -> None:
    def report(**members: Any) -> Report:
        document = {"kind": "training", "image": {"name": BASE}, "request": members}
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(document))
        return linted(tmp_path / "job.yaml", ignore=frozenset({"output-buffered"}), **ENDS_BY_ITSELF)

    def started(*entrypoint: str) -> dict[str, Any]:
        return {"AlgorithmSpecification": {"ContainerEntrypoint": list(entrypoint)}}

    assert found(report()) == [("program-missing", None)]
    assert found(report(**started("python3", "-c", "print(1)"))) == []
    assert found(report(**started("/no/such/program"))) == [("program-missing", None)]
    assert found(report(**started("/opt/ml/input/data/code/run.sh"))) == []  # it comes with the data
    missing = report(
        **started("python3", "-c", "import os; __import__(os.environ['MODULE'])"), Environment={"MODULE": "x"}
    )
    assert found(missing) == [("module-missing", None)]


@pytest.mark.docker
def test_the_program_finds_the_platforms_tree(tmp_path: Path) -> None:
    program = """#!/bin/sh
set -e
test "$(cat /opt/ml/input/config/hyperparameters.json)" = '{}'
grep -q algo-1 /opt/ml/input/config/resourceconfig.json
test -n "$TRAINING_JOB_NAME" && grep -q algo-1 /etc/hosts
test -z "$(ls /opt/ml/model)" && test -z "$(ls /opt/ml/output/data)"
echo 1 > /opt/ml/model/a
exec python3 -c 'import a_module_that_only_a_whole_tree_leads_to'
"""
    folder = written(tmp_path / "tree", f"FROM {BASE}", "COPY train /usr/local/bin/", train=program)

    assert found(linted(folder, **ENDS_BY_ITSELF)) == [("module-missing", None)]


@pytest.mark.docker
def test_a_program_that_handles_sigterm_is_right(tmp_path: Path) -> None:
    program = (
        "#!/usr/bin/env python3\nimport signal\nsignal.signal(signal.SIGTERM, lambda *_: exit(0))\nsignal.pause()\n"
    )
    folder = written(
        tmp_path / "handles",
        f"FROM {BASE}",
        "ENV PYTHONUNBUFFERED=1",
        "COPY train /usr/local/bin/",
        train=program,
    )

    assert found(linted(folder)) == []


@pytest.mark.docker
def test_what_it_says_to_a_pipe_a_terminal_and_a_program(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "user", f"FROM {BASE}", "COPY train /bin/", "USER 1000", train="#!/bin/sh\nexec echo trained\n"
    )

    plain = sagemaker_emulator("lint", folder)
    strict = sagemaker_emulator("lint", "--strict", "--json", folder)
    shown, code = in_a_terminal("lint", folder)

    first, why, fix, checked, last = plain.stdout.splitlines()
    assert first == f"{folder}/Dockerfile:3: warning: USER is 1000. [user-not-root]"
    assert why.startswith("    why: ")
    assert fix.startswith("    fix: ")
    assert checked.startswith("checked as training image, since it has a program `train`: Dockerfile, image,")
    assert last.startswith("1 warning in ")
    assert (plain.returncode, strict.returncode, code) == (0, 1, 0)
    (finding,) = json.loads(strict.stdout)["findings"]
    assert (finding["rule"], finding["severity"], finding["line"]) == ("user-not-root", "warning", 3)
    assert "warning user-not-root" in without_colors(shown)


@pytest.mark.docker
def test_rules_are_left_out_by_an_option_or_a_comment(tmp_path: Path) -> None:
    lines = (f"FROM {BASE}", "COPY train /bin/", "USER 1000")
    folder = written(tmp_path / "a", *lines, train="#!/bin/sh\nexec echo trained\n")
    commented = written(
        tmp_path / "b", "# sagemaker-lint: ignore=user-not-root", *lines, train="#!/bin/sh\nexec true\n"
    )

    by_option = sagemaker_emulator("lint", "--strict", "--ignore", "user-not-root", folder)
    by_comment = sagemaker_emulator("lint", "--strict", commented)

    for done in (by_option, by_comment):
        assert (done.returncode, "ignored: user-not-root" in done.stdout) == (0, True), done.stdout


def test_without_an_engine_a_dockerfile_is_read_and_the_report_says_so() -> None:
    done = sagemaker_emulator("lint", BROKEN / "shell-form", DOCKER_HOST=NO_ENGINE)
    image = sagemaker_emulator("lint", BASE, DOCKER_HOST=NO_ENGINE)

    assert done.returncode == 1
    assert "[shell-form-entrypoint]" in done.stdout
    assert "not all was checked: no Docker Engine answers" in done.stdout
    assert (image.returncode, image.stdout) == (3, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ignore", "nothing", "."], "There is no rule 'nothing'"),
        (["./nowhere"], "There is no file nowhere"),
        (["nowhere.yaml"], "There is no file nowhere.yaml"),
        ([str(REPOSITORY / "docs")], "There is no Dockerfile in"),
        (["--static", "some/image"], "--static reads a Dockerfile"),
        (["--target", "x", "some/image"], "are for a Dockerfile"),
        (["--build-arg", "x", "."], "Write NAME=VALUE"),
        (["--kind", "training", str(REPOSITORY / "sample_jobs/ctr_pipeline/jobs/predict.yaml")], "leave --kind"),
    ],
)
def test_wrong_usage_is_said(arguments: Sequence[str], message: str) -> None:
    done = sagemaker_emulator("lint", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.docker
def test_an_image_that_is_not_there_is_said() -> None:
    done = sagemaker_emulator("lint", "no-such/image:1")

    assert done.returncode == 2
    assert "The engine has no image no-such/image:1" in done.stderr


@pytest.mark.docker
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_interrupted(deaf: Path, how: signal.Signals) -> None:
    with started("lint", "--run-seconds", SECONDS, deaf) as process:
        assert eventually(lambda: bool(containers_of(deaf)))
        process.send_signal(how)
        assert process.wait(SECONDS) == 1

    assert containers_of(deaf) == set()


@pytest.mark.docker
def test_what_a_killed_lint_leaves_the_next_emulator_removes(deaf: Path) -> None:
    with started("lint", "--run-seconds", SECONDS, deaf) as process:
        # One to look into, one whose Python tells its packages, one that runs; then it makes no more.
        assert eventually(lambda: len(containers_of(deaf)) == 3)
        process.kill()
        process.wait(SECONDS)
    script = (
        "from emulator.engines.docker.connection import connect\n"
        "from emulator.engines.docker.removal import remove_abandoned\n"
        "remove_abandoned(connect())\n"
    )
    subprocess.run([sys.executable, "-c", script], env=environment(), timeout=SECONDS, check=True)

    assert containers_of(deaf) == set()
