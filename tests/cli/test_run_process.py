"""`run` and `up` with the process engine: job files with programs, and what is said of those without."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests.cli.commands import sagemaker_emulator
from tests.up import up


def job_file(folder: Path, text: str, name: str = "job.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.py").write_text(
        "import os, sys\n"
        "print(sys.argv[1:], os.getcwd(), os.environ.get('WORD'))\n"
        "open('/opt/ml/model/m', 'w').write('x')\n"
    )
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


PROGRAM = """
    kind: training
    program: {command: [python, train.py], environment: {WORD: hello}}
    expect: {model: [m], logs: ["hello"]}
"""


def test_a_job_file_without_an_image(tmp_path: Path) -> None:
    done = sagemaker_emulator("run", "--engine", "process", job_file(tmp_path / "own", PROGRAM))
    assert done.returncode == 0, done.stderr + done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "program   python train.py"
    assert "log       algo-1 [] /opt/ml/code hello" in lines
    assert lines[-1].startswith("passed")


def test_on_an_emulator_that_runs_and_beside_each_other(tmp_path: Path) -> None:
    """Two job files share an image and have a program each; requests of clients find those of a file."""
    folder = tmp_path / "own"
    (folder / "context").mkdir(parents=True)
    (folder / "context/Dockerfile").write_text("FROM scratch\n")
    for name in ("one", "two"):
        job_file(
            folder,
            f"""
            kind: processing
            image: {{build: context}}
            program: {{command: [python, train.py], arguments: [{name}], environment: {{WORD: {name}}}, at: /srv/code}}
            request: {{}}
            expect: {{status: Failed, logs: ["\\\\['{name}'\\\\] /srv/code {name}"]}}
            """,
            f"{name}.yaml",
        )
    listed = job_file(
        tmp_path / "listed", "my/image:1: {command: [sh, -c, 'echo listed'], source: .}\n", "programs.yaml"
    )
    with up(tmp_path / "state", "--engine", "process", "--programs", str(listed)) as emulator:
        done = sagemaker_emulator("run", "--port", emulator.port, "--json", folder)
        assert done.returncode == 0, done.stderr + done.stdout
        assert len({one["image"] for one in json.loads(done.stdout)}) == 2
        job = emulator.jobs(lambda name: name).create(image="my/image:1").ended()
        assert job.log() == ["listed"]


def test_experiment_and_trial_of_a_request_are_made_once(tmp_path: Path) -> None:
    config = "{ExperimentName: ads, TrialName: ads-daily}"
    for name in ("one", "two"):
        job_file(
            tmp_path / "own", f"{textwrap.dedent(PROGRAM)}request: {{ExperimentConfig: {config}}}\n", f"{name}.yaml"
        )
    other = job_file(
        tmp_path / "other",
        f"{textwrap.dedent(PROGRAM)}request: {{ExperimentConfig: {{ExperimentName: news, TrialName: ads-daily}}}}\n",
    )
    with up(tmp_path / "state", "--engine", "process") as emulator:
        for _ in range(2):
            done = sagemaker_emulator("run", "--port", emulator.port, tmp_path / "own")
            assert done.returncode == 0, done.stderr + done.stdout
        listed = sagemaker_emulator("experiments", "ls", "--port", emulator.port)
        assert [line.split()[:3] for line in listed.stdout.splitlines()[1:]] == [["ads", "1", "4"]]
        refused = sagemaker_emulator("run", "--port", emulator.port, other)
        assert refused.returncode != 0
        assert "the trial 'ads-daily' belongs to the experiment 'ads', not to 'news'" in refused.stderr + refused.stdout


@pytest.mark.parametrize(
    ("text", "engine", "said"),
    [
        (
            "kind: training\nimage: {name: my/image}\n",
            "process",
            "job.yaml, line 1: program: is missing, and the process engine runs no images. Write what stands in the "
            "image's place, such as program: {command: [python, train.py], source: .}, or use --engine docker",
        ),
        pytest.param(
            "kind: training\nprogram: {command: [a]}\n",
            "docker",
            "job.yaml, line 1: image: is missing, and this engine runs images.",
            marks=pytest.mark.docker,
        ),
        (
            "kind: training\nprogram: {command: [a], at: code}\n",
            "process",
            "job.yaml, line 2: program.at: must be an absolute path",
        ),
        (
            "kind: training\nprogram: {command: [a], requirements: none.txt}\n",
            "process",
            "job.yaml, line 2: program.requirements: there is no file",
        ),
        (
            "kind: training\nprogram: {command: [a], at: /proc}\n",
            "process",
            "program.at: must be an absolute path of its own",
        ),
        (
            "kind: training\nprogram: {command: [a], source: train.py}\n",
            "process",
            "train.py is a file. Name its folder: ",
        ),
        (
            "kind: training\nprogram: {command: [a]}\ndata: {s3://x/: .}\n",
            "process",
            "job.yaml, line 3: data.s3://x/: The bucket x cannot be made: ",
        ),
    ],
    ids=["no program", "no image", "relative", "no requirements", "a place that is taken", "a file", "no bucket"],
)
def test_what_is_missing_is_said(tmp_path: Path, text: str, engine: str, said: str) -> None:
    done = sagemaker_emulator("run", "--engine", engine, job_file(tmp_path, text))
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = "kind: training\nprogram: {command: [nosuch]}\n"
    done = sagemaker_emulator("run", "--engine", "process", job_file(tmp_path, text))
    assert done.returncode == 1, done.stderr
    assert "cannot be executed: nosuch: No such file" in done.stdout + done.stderr


def test_wheels_belong_to_the_installation_and_not_to_the_program(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/large.whl").touch()
    (tmp_path / "none.txt").touch()
    text = """
        kind: training
        program: {command: [sh, -c, 'ls'], requirements: none.txt}
        expect: {logs: [none.txt]}
    """
    done = sagemaker_emulator("run", "--engine", "process", job_file(tmp_path, text))
    assert done.returncode == 0, done.stderr + done.stdout
    assert "algo-1 wheels" not in done.stdout


def test_two_programs_for_one_image_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        job_file(tmp_path, f"kind: training\nimage: {{name: same}}\nprogram: {{command: [{name}]}}\n", f"{name}.yaml")
    done = sagemaker_emulator("run", "--engine", "process", tmp_path)
    assert done.returncode == 2
    assert "b.yaml, line 2: image: another job file has another program for the image same." in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {comand: [x]}\n", "programs.yaml, line 1: a.comand: there is no such key. Did you mean command?"),
        ("- a\n", "must have keys and values below it"),
    ],
)
def test_a_wrong_file_of_programs_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "programs.yaml"
    path.write_text(text)
    done = sagemaker_emulator("up", "--engine", "process", "--programs", path, "--state-dir", tmp_path / "state")
    assert done.returncode == 2
    assert said in done.stderr
