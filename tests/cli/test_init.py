"""`init`: a first job file for what is there, which `run` and editors take as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from emulator.jobfiles.schema import job_file_schema
from tests.cli.commands import lines, sagemaker_emulator
from tests.gate.repositories import Repository
from tests.job_documents import document_of, parse

TOOLKIT = "FROM python:3.11 AS packages\nFROM packages\nCOPY train.py /opt/ml/code/\nENV SAGEMAKER_PROGRAM=train.py\n"
TRAIN = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("-r", "--learning-rate", default=0.1)
parser.add_argument("--verbose", action="store_true", default=False)
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
"""
VALIDATOR = Draft7Validator(job_file_schema())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with data and a training program."""
    folder = tmp_path / "My Project"
    for name in ("train", "validation", "empty"):
        (folder / "data" / name).mkdir(parents=True)
    for name in ("train", "validation"):
        (folder / "data" / name / "a.csv").write_text("1\n")
    (folder / "train.py").write_text(TRAIN)
    (folder / "requirements.txt").write_text("numpy\n")
    return folder


def written(*arguments: object) -> tuple[Any, str]:
    """Run `init`, and return the document that it wrote, which must be right, and what it said."""
    done = sagemaker_emulator("init", *arguments)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.partition("Wrote ")[2].partition(": a ")[0])
    document = document_of(path)
    assert not [error.message for error in VALIDATOR.iter_errors(document)]
    parse(document, path)
    assert done.stdout.endswith(f"Next: sagemaker-emulator run {path}\n")
    return document, done.stdout


def test_a_folder_with_a_toolkit_image(folder: Path) -> None:
    (folder / "Dockerfile").write_text(TOOLKIT)
    document, said = written(folder)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://my-project/train/"}}
    assert document["kind"] == "training"
    assert document["image"] == {"build": "."}
    assert document["program"]["command"] == ["python3", "train.py"]
    assert document["program"]["source"] == "."
    assert document["data"] == {
        "s3://my-project/train/": "data/train/",
        "s3://my-project/validation/": "data/validation/",
    }
    assert document["request"]["InputDataConfig"][0] == {"ChannelName": "train", "DataSource": source}
    assert document["request"]["HyperParameters"] == {"epochs": "3", "learning-rate": "0.1"}
    assert "ContainerEntrypoint" not in document["request"]["AlgorithmSpecification"]
    assert f"Wrote {folder}/job.yaml: a training job (data: train, validation; program: train.py)" in said
    assert "put job.yaml and job-file.schema.json into .dockerignore" in said


def test_editors_find_the_schema(folder: Path) -> None:
    (folder / "Dockerfile").write_text(TOOLKIT)
    repository = Repository(folder.parent)
    written(folder)
    first = (folder / "job.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../job-file.schema.json"
    schema = repository.folder / "job-file.schema.json"
    assert json.loads(schema.read_text()) == job_file_schema()
    schema.write_text("{}")
    _, said = written(folder, "--output", folder / "other.yaml", "--schema", "https://example.org/s.json")
    assert "# yaml-language-server: $schema=https://example.org/s.json" in (folder / "other.yaml").read_text()
    assert "schema.json, with" not in said
    assert schema.read_text() == "{}"


def test_nothing_is_overwritten_without_force(folder: Path) -> None:
    (folder / "Dockerfile").write_text(TOOLKIT)
    (folder / "job.yaml").write_text("mine\n")
    done = sagemaker_emulator("init", folder)
    assert done.returncode == 2
    assert f"{folder}/job.yaml is there already. --force overwrites it" in done.stderr
    assert (folder / "job.yaml").read_text() == "mine\n"
    written(folder, "--force")


def test_a_dockerfile_of_another_name_with_a_stage_for_the_kind(folder: Path) -> None:
    dockerfile = folder / "jobs.Dockerfile"
    dockerfile.write_text("FROM a AS base\nFROM base AS processing\nCOPY etl.py /x/\nFROM base AS training\n")
    (folder / "preprocess.py").write_text("")
    document, _ = written(dockerfile, "--kind", "processing")
    assert document["image"] == {"build": ".", "dockerfile": "jobs.Dockerfile", "target": "processing"}
    assert [one["InputName"] for one in document["request"]["ProcessingInputs"]] == ["train", "validation"]
    document, _ = written(dockerfile, "--kind", "training", "--force")
    assert document["image"] == {"build": ".", "dockerfile": "jobs.Dockerfile"}


def test_a_processing_image_is_told_by_its_entrypoint(folder: Path) -> None:
    (folder / "Dockerfile").write_text('FROM a\nENTRYPOINT ["python3", "/opt/program/preprocess.py"]\n')
    document, _ = written(folder)
    assert document["kind"] == "processing"
    assert "AppSpecification" not in document["request"]


def test_a_command_alone_would_be_replaced(folder: Path) -> None:
    (folder / "Dockerfile").write_text('FROM a\nCMD ["python3", "/srv/fit.py"]\n')
    document, said = written(folder)
    assert document["request"]["AlgorithmSpecification"]["ContainerEntrypoint"] == ["python3", "/srv/fit.py"]
    assert "SageMaker puts `train` in the place of the image's CMD" in said


def test_a_program_that_is_copied_without_an_entrypoint(folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "train.py").rename(folder / "src/train.py")
    (folder / "Dockerfile").write_text("FROM a\nCOPY src /opt/src\n")
    document, _ = written(folder)
    assert document["request"]["AlgorithmSpecification"]["ContainerEntrypoint"] == ["python3", "/opt/src/train.py"]
    assert document["program"]["source"] == "src"


def test_files_in_data_are_one_channel(folder: Path) -> None:
    (folder / "Dockerfile").write_text(TOOLKIT)
    for path in sorted((folder / "data").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (folder / "data/a.csv").write_text("1\n")
    document, _ = written(folder)
    assert document["data"] == {"s3://my-project/training/": "data/"}


def test_a_folder_with_a_program_only(folder: Path) -> None:
    document, said = written(folder)
    assert "image" not in document
    assert document["program"] == {
        "command": ["python3", "train.py"],
        "source": ".",
        "requirements": "requirements.txt",
    }
    assert "Note: There is no Dockerfile: the job runs as a program, on the process engine only." in said


@pytest.mark.docker
def test_an_image(tmp_path: Path, image: Callable[[str], str]) -> None:
    output = tmp_path / "job.yaml"
    document, _ = written(image("probe"), "--output", output)
    assert document["image"] == {"name": image("probe")}
    done = sagemaker_emulator("init", "no/such:image", "--output", tmp_path / "b.yaml")
    assert done.returncode == 2
    assert "the engine has no image of this name. Pull it first: docker pull no/such:image" in done.stderr


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("./nowhere", "There is no file or folder ./nowhere."),
        (".", "there is neither a Dockerfile nor a program called train.py or process.py."),
        ("a.yaml", "a.yaml is no Dockerfile."),
    ],
)
def test_what_there_is_nothing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, message: str) -> None:
    (tmp_path / "a.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    done = sagemaker_emulator("init", target)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.docker
def test_run_takes_what_init_wrote(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "data/numbers").mkdir(parents=True)
    (folder / "data/numbers/a.txt").write_text("1\n2\n")
    (folder / "train.py").write_text(
        "from pathlib import Path\n"
        "numbers = Path('/opt/ml/input/data/numbers/a.txt').read_text().split()\n"
        "print('sum', sum(map(int, numbers)))\n"
        "Path('/opt/ml/model/sum.txt').write_text('3')\n"
    )
    (folder / "Dockerfile").write_text("FROM sagemaker-emulator/python:3.11\nCOPY train.py /srv/train.py\n")
    document, _ = written(folder)
    assert document["request"]["AlgorithmSpecification"]["ContainerEntrypoint"] == ["python3", "/srv/train.py"]
    done = sagemaker_emulator("run", "--engine", "docker", folder / "job.yaml", seconds=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "algo-1 sum 3" in lines(done.stdout, "log")
