"""The schema that editors use, and the parser: what one refuses the other does, as far as a schema can know."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import botocore
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from emulator.errors import UsageError
from emulator.jobfiles.document import kinds, known_keys
from emulator.jobfiles.keys import KEYS
from emulator.jobfiles.schema import job_file_schema, schema_text
from tests.job_documents import SAMPLES, changed, document_of, parse

REPOSITORY = Path(__file__).parents[2]
COMMITTED = REPOSITORY / "docs/job-file.schema.json"
SCHEMA = job_file_schema()
VALIDATOR = Draft7Validator(SCHEMA)

# What only the parser can know: it is in the files around, in another language, or in how two places go together.
BEYOND_A_SCHEMA = re.compile(
    r"there is no (file|folder)|is no regular expression|is no S3 URI|is a folder: its files|is a file and needs"
    r"|the request has no output|does not have this\. Write status|the image is named twice"
    r"|does not say which job|must have ended before|must be a number or a comparison"
    r"|must be keys and values below it, and that member|must be .*, and that member of the other job is not"
    # YAML has whole numbers and others, JSON has not; Java's classes of characters are not an editor's.
    r"|must be a whole number|must satisfy regular expression pattern"
)


def refused_by_schema(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in VALIDATOR.iter_errors(document)]


def refused_by_parser(document: Any, path: Path) -> str:
    try:
        parse(document, path)
    except UsageError as error:
        return str(error)
    return ""


def test_the_schema_is_a_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


def test_the_committed_schema_is_what_is_made() -> None:
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    if f"botocore {botocore.__version__}." in committed["$comment"]:
        assert COMMITTED.read_text(encoding="utf-8") == schema_text(), (
            "run `sagemaker-emulator schema --output docs/job-file.schema.json`"
        )
    ours = {name: part for name, part in SCHEMA.items() if name not in ("$comment", "definitions")}
    for name, part in ours.items():
        assert committed[name] == part, f"{name}: run `sagemaker-emulator schema --output docs/job-file.schema.json`"
    for name in ("training-expect", "processing-expect", "reference"):
        assert committed["definitions"][name] == SCHEMA["definitions"][name]


def test_every_key_of_the_parser_is_described() -> None:
    for kind in kinds().values():
        for above, names in known_keys(kind).items():
            for name in names:
                key = f"{above}.{name}" if above else name
                assert key in KEYS, f"{key}: say in emulator/jobfiles/keys.py what it is for"


def test_nothing_else_is_described() -> None:
    known = [known_keys(kind) for kind in kinds().values()]
    names = {f"{above}.{name}" if above else name for one in known for above, names in one.items() for name in names}
    assert KEYS.keys() == names


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_sample_jobs_satisfy_the_schema(path: Path) -> None:
    assert not refused_by_schema(document_of(path))


HEAD = {"kind": "training", "image": {"name": "a"}}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "kind": ({"kind": "transform"}, "$.kind"),
    "unknown key": ({"images": {}}, "$"),
    "two images": ({"image": {"name": "a", "build": "."}}, "$.image"),
    "unknown member": ({"request": {"Epochs": 3}}, "$.request"),
    "deep": (
        {"request": {"InputDataConfig": [{"ChannelName": "a", "DataSource": {}, "InputMode": "file"}]}},
        "$.request",
    ),
    "bound": ({"request": {"StoppingCondition": {"MaxRuntimeInSeconds": 0}}}, "$.request"),
    "pattern": ({"request": {"TrainingJobName": "a_b"}}, "$.request"),
    "expectation of another kind": ({"expect": {"outputs": {}}}, "$.expect"),
    "metric": ({"expect": {"metrics": {"auc": "high"}}}, "$.expect.metrics.auc"),
    "status": ({"expect": {"status": "Done"}}, "$.expect.status"),
}


@pytest.mark.parametrize(("change", "place"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_found_in_its_place(change: dict[str, Any], place: str) -> None:
    found = refused_by_schema(HEAD | change)
    assert [line for line in found if line.startswith(place)], found


@pytest.mark.parametrize(
    "request_",
    [
        {"RoleArn": {"Get": "Steps.a.RoleArn"}},
        {"InputDataConfig": {"Get": "Steps.a.InputDataConfig"}},
        {"StoppingCondition": {"MaxRuntimeInSeconds": {"Get": "Steps.a.StoppingCondition.MaxRuntimeInSeconds"}}},
        {"HyperParameters": {"data": {"Get": "Steps.a.ProcessingOutputConfig.Outputs['b'].S3Output.S3Uri"}}},
        {"Tags": [{"Get": "Steps.a.Tags[0]"}]},
    ],
)
def test_references_may_stand_anywhere(request_: dict[str, Any]) -> None:
    assert not refused_by_schema(HEAD | {"after": ["a"], "request": request_})


def test_a_reference_must_say_which_job() -> None:
    assert refused_by_schema(HEAD | {"request": {"RoleArn": {"Get": "a.RoleArn"}}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has what the documents below name."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "data").mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "requirements.txt").write_text("numpy\n")
    return folder


def _here(document: Any) -> Any:
    """Return a sample job with the paths of `folder`, so that it is valid there."""
    here = {**document, "image": {"build": ".", "target": "a", "args": {"A": "b"}}}
    return here | {"data": dict.fromkeys(document["data"], "data")} if "data" in document else here


DOCUMENTS = [_here(document_of(path)) for path in SAMPLES] + [
    {
        "kind": "training",
        "after": ["first"],
        "image": {"name": "a/b:c"},
        "program": {
            "command": ["python", "train.py"],
            "arguments": ["train"],
            "source": ".",
            "at": "/opt/program",
            "environment": {"A": "b", "C": ""},
            "requirements": "requirements.txt",
        },
        "request": {
            "HyperParameters": {"epochs": "3", "model": {"Get": "Steps.first.ModelArtifacts.S3ModelArtifacts"}},
            "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
            "Tags": [{"Key": "a", "Value": "b"}],
            "Environment": {"A": "b"},
        },
        "expect": {"failure": "a.*b", "exit_code": 1, "logs": ["a"], "metrics": {"auc": "> 0.5", "loss": 2}},
    }
]


@given(document=st.one_of(st.sampled_from(DOCUMENTS), changed(DOCUMENTS)))
@example(document=HEAD | {"request": {"ResourceConfig": {"InstanceCount": True}}})
@example(document=HEAD | {"request": {"HyperParameters": {"a": 1}}})
@example(document=HEAD | {"request": {"AlgorithmSpecification": {"TrainingInputMode": None}}})
@example(document={"kind": "training", "request": {"AlgorithmSpecification": {"TrainingImage": "a"}}})
@settings(max_examples=200)
def test_schema_and_parser_agree(folder: Path, document: Any) -> None:
    by_schema, by_parser = refused_by_schema(document), refused_by_parser(document, folder / "job.yaml")
    if by_schema:
        assert by_parser, f"the parser takes what the schema refuses: {by_schema}"
    elif by_parser:
        assert BEYOND_A_SCHEMA.search(by_parser), f"the schema takes what the parser refuses: {by_parser}"
