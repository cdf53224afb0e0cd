"""The request of a job as a program, a command and a job file: each says the same request again, whatever is in it."""

from __future__ import annotations

import ast
import json
import shlex
import subprocess
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.contract.arns import Scope
from emulator.contract.plan import Program
from emulator.contract.record import JobRecord
from emulator.jobfiles.document import ImageName, JobFile
from emulator.web import copy_as
from tests.builders import algorithm, channel_request, job_record, processing_record

PLACE = copy_as.Place(url="http://127.0.0.1:4750", scope=Scope())
HOSTILE = {
    "quotes": """it's "quoted" ''' \"\"\" \\' \\\\""",
    "shell": "$(touch x) `touch x` ${HOME} !! ; & | > x #",
    "lines": "first\nsecond\r\n\tthird\n\n",
    "yaml": "- a: {b: [c]} # d\n--- &x *y !!python/object",
    "empty": "",
    "number": "1e3",
    "true": "yes",
    "unicode": "Grüße 雪 😀 \u2028 \x85 \ufeff \x00 \x1b[31m",
    "blanks": "  leading and trailing  ",
    "json": '{"a": "\\u0000"}',
    "<<": "merge",
    "1": "a key that is a number",
    "é: [": "a key that is no plain text",
}
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
MAPS = st.dictionaries(TEXTS.filter(lambda key: key != "Get"), TEXTS, max_size=4)


def request_without_name(record: JobRecord) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in record.tags.items()]
    request = {name: value for name, value in record.request.items() if name != record.kind.name_member}
    return {**request, "Tags": tags} if tags else request


def request_of_script(text: str) -> dict[str, Any]:
    """Return what a program's text assigns to `request`."""
    assignment = next(
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "request"
    )
    request: dict[str, Any] = ast.literal_eval(assignment.value)
    return request


def request_of_command(text: str) -> dict[str, Any]:
    words = shlex.split(text)
    request: dict[str, Any] = json.loads(words[words.index("--cli-input-json") + 1])
    return request


def parsed_job_file(text: str) -> JobFile:
    with TemporaryDirectory() as folder:
        path = Path(folder, "job.yaml")
        path.write_text(text, encoding="utf-8")
        return JobFile.load(path)


def request_of_job_file(text: str) -> dict[str, Any]:
    parsed = parsed_job_file(text)
    assert isinstance(parsed.image, ImageName)
    structure, member = parsed.kind.image_members
    request = dict(parsed.request)
    return {**request, structure: {**request.get(structure, {}), member: parsed.image.name}}


def assert_same(record: JobRecord) -> None:
    wanted = request_without_name(record)
    assert request_of_script(copy_as.boto3_script(record, PLACE)) == wanted
    assert request_of_command(copy_as.cli_command(record, PLACE)) == wanted
    job_file = copy_as.job_file(record)
    assert job_file is not None
    assert request_of_job_file(job_file) == wanted


@settings(max_examples=100)
@given(hyperparameters=MAPS, environment=MAPS, tags=MAPS)
def test_whatever_is_in_a_training_request_comes_out_again(
    hyperparameters: dict[str, str], environment: dict[str, str], tags: dict[str, str]
) -> None:
    assert_same(job_record("Job-1", tags=tags, HyperParameters=hyperparameters, Environment=environment))


@settings(max_examples=60)
@given(environment=MAPS, arguments=st.lists(TEXTS, min_size=1, max_size=4))
def test_whatever_is_in_a_processing_request_comes_out_again(environment: dict[str, str], arguments: list[str]) -> None:
    application = {"ImageUri": "image:1", "ContainerArguments": arguments}
    assert_same(processing_record("Prep-1", Environment=environment, AppSpecification=application))


def test_hostile_values_stay_values() -> None:
    specification = algorithm(MetricDefinitions=[{"Name": "auc", "Regex": "auc=([0-9.]+) 'x' $(y)"}])
    assert_same(
        job_record(
            "Job-1",
            tags=HOSTILE,
            HyperParameters=HOSTILE,
            Environment=HOSTILE,
            AlgorithmSpecification=specification,
            InputDataConfig=[channel_request("train", "s3://bucket/with space/'quote'/$(x)/")],
        )
    )


def test_a_shell_gives_the_command_its_words_and_runs_nothing_of_the_request(tmp_path: Path) -> None:
    record = job_record("a" * 63, HyperParameters=HOSTILE, Environment=HOSTILE)
    command = copy_as.cli_command(record, PLACE)
    script = f'aws() {{ printf \'%s\\0\' "$AWS_ACCESS_KEY_ID" "$@"; }}\n{command}'
    done = subprocess.run(["bash", "-c", script], capture_output=True, cwd=tmp_path, timeout=60, check=True)
    account, *words = done.stdout.decode().split("\0")[:-1]
    assert (account, words[:2]) == ("123456789012", ["sagemaker", "create-training-job"])
    options = dict(zip(words[2::2], words[3::2], strict=True))
    assert json.loads(options["--cli-input-json"]) == request_without_name(record)
    assert options["--endpoint-url"] == "http://127.0.0.1:4750"
    assert len(options["--training-job-name"]) <= 63
    assert list(tmp_path.iterdir()) == []


def test_a_time_in_the_name_is_replaced_by_the_next_one() -> None:
    text = copy_as.boto3_script(job_record("Job-1-20260101-101112"), PLACE)
    assert "name = 'Job-1' + time" in text


def test_a_program_stands_in_the_job_file(tmp_path: Path) -> None:
    program = Program(
        command=("python3", "/opt/probe/probe.py"),
        arguments=("train", "it's"),
        source=tmp_path,
        at=PurePosixPath("/opt/probe"),
        environment={"A": "b\nc"},
        path=(tmp_path,),
    )
    text = copy_as.job_file(job_record("Job-1"), program)
    assert text is not None
    assert text.startswith("# program: add requirements")
    section = parsed_job_file(text).program
    assert section is not None
    assert (section.command, section.arguments, section.source) == (program.command, program.arguments, tmp_path)
    assert (section.at, section.environment) == (program.at, program.environment)


def test_what_would_be_a_reference_in_a_job_file_makes_none() -> None:
    reference = {"Get": "Steps.train.RoleArn"}
    for record in (job_record(HyperParameters=reference), job_record(Environment=reference)):
        assert copy_as.job_file(record) is None
