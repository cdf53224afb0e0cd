"""What a job file may say, and what is said about one that is wrong: file, line, key and a way out."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from emulator.contract.arns import S3Uri
from emulator.contract.kinds import PROCESSING
from emulator.contract.status import JobStatus
from emulator.errors import UsageError
from emulator.jobfiles.data import files_of
from emulator.jobfiles.document import ImageBuild, ImageName, JobFile
from emulator.jobfiles.expectations import Comparison

HEAD = "kind: training\nimage: {name: my/image:1}\n"
PROCESSING_HEAD = "kind: processing\nimage: {name: my/image:1}\n"
OUTPUT = "{OutputName: train, S3Output: {S3Uri: s3://b/train/, LocalPath: /opt/ml/processing/train}}"
OUTPUTS = f"request: {{ProcessingOutputConfig: {{Outputs: [{OUTPUT}]}}}}\n"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data and a Dockerfile, as job files have around them."""
    (tmp_path / "data/train").mkdir(parents=True)
    (tmp_path / "data/train/a.csv").write_text("1\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/Dockerfile").write_text("FROM scratch\n")
    return tmp_path


def load(folder: Path, text: str) -> JobFile:
    path = folder / "job.yaml"
    path.write_text(dedent(text))
    return JobFile.load(path)


def error_of(folder: Path, text: str) -> str:
    """Return the message, without the folder in front of the file's name."""
    with pytest.raises(UsageError) as raised:
        load(folder, text)
    return str(raised.value).replace(f"{folder}/", "")


def test_a_whole_job_file(folder: Path) -> None:
    job_file = load(
        folder,
        """
        kind: training
        image: {build: code, target: final, args: {BASE: "python:3.11"}}
        program: {command: [python, train.py], source: code}
        data:
          s3://iris/train/: data/train
          s3://iris/one.csv: data/train/a.csv
        request:
          HyperParameters: {epochs: "3", empty: ""}
          StoppingCondition: {MaxRuntimeInSeconds: 600}
        expect:
          status: Stopped
          model: [model.joblib]
          output: []
          metrics: {"validation:auc": ">= 0.75", loss: 2}
          logs: ["epoch=\\\\d+"]
          max_seconds: 60
        """,
    )

    assert job_file.image == ImageBuild(context=folder / "code", target="final", args={"BASE": "python:3.11"})
    assert job_file.program is not None
    assert job_file.program.command == ("python", "train.py")
    assert [entry.destination for entry in job_file.data] == [
        S3Uri(bucket="iris", key="train/"),
        S3Uri(bucket="iris", key="one.csv"),
    ]
    assert job_file.request == {
        "HyperParameters": {"epochs": "3", "empty": ""},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    assert job_file.expect.status is JobStatus.STOPPED
    assert job_file.expect.model == ("model.joblib",)
    assert job_file.expect.output == ()
    assert job_file.expect.metrics == {"validation:auc": Comparison(">=", 0.75), "loss": Comparison("==", 2)}
    assert job_file.expect.max_seconds == 60


def test_nothing_expected_means_that_the_job_completes(folder: Path) -> None:
    assert load(folder, HEAD).expect.status is JobStatus.COMPLETED


@pytest.mark.parametrize("expect", ["failure: bad", "exit_code: 3"])
def test_an_expected_failure_means_that_the_job_fails(folder: Path, expect: str) -> None:
    assert load(folder, f"{HEAD}expect: {{{expect}}}\n").expect.status is JobStatus.FAILED


def test_the_image_may_stand_in_the_request(folder: Path) -> None:
    text = "kind: training\nrequest: {AlgorithmSpecification: {TrainingImage: my/image}}\n"
    assert load(folder, text).image == ImageName(name="my/image")


def test_a_processing_job(folder: Path) -> None:
    job_file = load(
        folder,
        PROCESSING_HEAD + OUTPUTS + "after: [preprocess]\n"
        "expect: {exit_message: '^3 rows', outputs: {train: [a.csv, '*.json']}}\n",
    )
    assert job_file.kind is PROCESSING
    assert job_file.after == ("preprocess",)
    assert job_file.expect.exit_message is not None
    assert job_file.expect.outputs == {"train": ("a.csv", "*.json")}


def test_merge_keys_work_and_own_keys_win(folder: Path) -> None:
    job_file = load(
        folder,
        f"{HEAD}request:\n  Environment: &shared {{A: '1', B: '2'}}\n  HyperParameters: {{<<: *shared, B: '3'}}\n",
    )
    assert job_file.request["HyperParameters"] == {"A": "1", "B": "3"}


@pytest.mark.parametrize("path", sorted((REPOSITORY / "sample_jobs").glob("**/*.yaml")), ids=lambda path: path.name)
def test_the_sample_job_files_are_right(path: Path) -> None:
    JobFile.load(path)


WRONG = {
    # The document
    "empty": ("", "job.yaml, line 1: a job file has the keys kind, image"),
    "no YAML": (HEAD + "request: {a: [}\n", "job.yaml, line 3: this is not valid YAML: while parsing a flow node"),
    "control character": (HEAD + "request: \x01\n", "job.yaml, line 3: this is not valid YAML: there is a control"),
    "two documents": (HEAD + "---\nkind: training\n", "job.yaml, line 3: this is not valid YAML: expected a single"),
    "unknown tag": (HEAD + "request: {a: !ref b}\n", "job.yaml, line 3: this is not valid YAML: could not determine"),
    "python tag": (HEAD + "request: !!python/dict {}\n", "job.yaml, line 3: request: has the tag"),
    "contains itself": (HEAD + "request: &a {b: *a}\n", "job.yaml, line 3: request.b.b: is nested too deeply"),
    "no such date": (HEAD + "request: {a: 2024-13-01}\n", "job.yaml, line 3: request.a: 2024-13-01 is not valid"),
    "key twice": (HEAD + "image: {name: b}\n", "job.yaml, line 3: image: is here twice, first in line 2. Remove one."),
    "key is a number": (
        HEAD + "request: {1: a}\n",
        'job.yaml, line 3: request: a key must be a text. Put it in quotes: "1"',
    ),
    "unknown key": (HEAD + "reqest: {}\n", "job.yaml, line 3: reqest: there is no such key. Did you mean request?"),
    # kind
    "no kind": ("image: {name: a}\n", "job.yaml, line 1: kind: is missing. Write kind: training"),
    "later kind": ("kind: transform\n", "job.yaml, line 1: kind: transform jobs are not supported yet. Write kind: tr"),
    "unknown kind": ("kind: trainng\n", "job.yaml, line 1: kind: there is no kind 'trainng'. Write kind: training"),
    # image and program
    "no image": ("kind: training\n", "job.yaml, line 1: image: is missing. Write image: {build: .}"),
    "image is a text": (
        "kind: training\nimage: a\n",
        "job.yaml, line 2: image: must say what this is. Write {name: a}",
    ),
    "both": (
        "kind: training\nimage: {name: a, build: .}\n",
        "job.yaml, line 2: image: must have either build (a folder with a Dockerfile) or name",
    ),
    "target of a name": (
        "kind: training\nimage:\n  name: a\n  target: b\n",
        "job.yaml, line 4: image.target: goes with build, not with name. Remove it.",
    ),
    "no such folder": (
        "kind: training\nimage: {build: nope}\n",
        "job.yaml, line 2: image.build: there is no folder nope. The path is relative to the job file.",
    ),
    "no Dockerfile": (
        "kind: training\nimage: {build: data}\n",
        "job.yaml, line 2: image.build: there is no file data/Dockerfile. Write one, or name it: dockerfile: NAME",
    ),
    "other Dockerfile": (
        "kind: training\nimage:\n  build: code\n  dockerfile: Other\n",
        "job.yaml, line 4: image.dockerfile: there is no file code/Other.",
    ),
    "build argument": (
        "kind: training\nimage:\n  build: code\n  args:\n    PYTHON: 3.10\n",
        "job.yaml, line 5: image.args.PYTHON: must be a text, not 3.10 (a number in YAML). Put it in quotes: "
        'PYTHON: "3.10"',
    ),
    "image twice": (
        HEAD + "request:\n  AlgorithmSpecification:\n    TrainingImage: b\n",
        "job.yaml, line 5: request.AlgorithmSpecification.TrainingImage: the image is named twice. Remove this one",
    ),
    "program's shape": (HEAD + "program: {comand: [a]}\n", "job.yaml, line 3: program.comand: there is no such key."),
    "no command": (HEAD + "program: {source: .}\n", "job.yaml, line 3: program: must have a command. Write command: ["),
    "empty command": (HEAD + "program: {command: []}\n", "job.yaml, line 3: program.command: is empty."),
    "command is a text": (
        HEAD + "program: {command: python train.py}\n",
        "job.yaml, line 3: program.command: must be a list, such as [a, b], not the text 'python train.py'.",
    ),
    # data
    "no S3 URI": (
        HEAD + "data:\n  bucket/key: data/\n",
        "job.yaml, line 4: data.bucket/key: is no S3 URI. Write s3://bucket/prefix/: local/folder/",
    ),
    "no such data": (
        HEAD + "data:\n  s3://b/k/: nope/\n",
        "job.yaml, line 4: data.s3://b/k/: there is no file or folder nope. The path is relative to the job file.",
    ),
    "folder at a key": (
        HEAD + "data:\n  s3://b/k: data\n",
        "job.yaml, line 4: data.s3://b/k: data is a folder: its files go below a prefix. Write s3://b/k/",
    ),
    "file without a key": (
        HEAD + "data: {s3://b: data/train/a.csv}\n",
        "job.yaml, line 3: data.s3://b: data/train/a.csv is a file and needs a key. Write s3://b/a.csv",
    ),
    "data is a list": (HEAD + "data: [a]\n", "job.yaml, line 3: data: must have keys and values below it, not a list."),
    # after
    "after is a text": (
        HEAD + "after: train\n",
        "line 3: after: must be a list, such as [a, b], not the text 'train'.",
    ),
    "reference to another step": (
        HEAD + "after: [preprocess]\nrequest:\n  RoleArn: {Get: Steps.train.RoleArn}\n",
        "line 5: request.RoleArn: train must have ended before this job starts. Write after: [preprocess, train]",
    ),
    "reference to nothing": (
        HEAD + "after: [train]\nrequest: {InputDataConfig: [{ChannelName: {Get: train.RoleArn}}]}\n",
        "line 4: request.InputDataConfig[0].ChannelName: 'train.RoleArn' does not say which job's member this is. ",
    ),
    "reference that is no text": (
        HEAD + "request: {RoleArn: {Get: 3}}\n",
        "line 3: request.RoleArn.Get: must be a text, not 3",
    ),
    # processing
    "processing image twice": (
        PROCESSING_HEAD + "request: {AppSpecification: {ImageUri: b}}\n",
        "line 3: request.AppSpecification.ImageUri: the image is named twice.",
    ),
    "output without S3Uri": (
        PROCESSING_HEAD + "request:\n  ProcessingOutputConfig:\n    Outputs:\n      - S3Output: {LocalPath: /a}\n",
        "line 6: request.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri: is missing. Say where the files go: S3Uri: ",
    ),
    "expectation of another kind": (
        PROCESSING_HEAD + "expect: {model: [a]}\n",
        "line 3: expect.model: there is no such key. Known here: status, failure, exit_code, exit_message, outputs",
    ),
    "outputs of a training job": (
        HEAD + "expect: {outputs: {}}\n",
        "expect.outputs: there is no such key. Did you mean",
    ),
    "unknown output": (
        PROCESSING_HEAD + OUTPUTS + "expect: {outputs: {test: []}}\n",
        "line 4: expect.outputs.test: the request has no output of this OutputName. There are: train.",
    ),
    "no outputs": (
        PROCESSING_HEAD + "expect: {outputs: {test: []}}\n",
        "line 3: expect.outputs.test: the request has no output of this OutputName. There are: none.",
    ),
    "output's files": (
        PROCESSING_HEAD + OUTPUTS + "expect: {outputs: {train: a.csv}}\n",
        "line 4: expect.outputs.train: must be a list, such as [a, b], not the text 'a.csv'.",
    ),
    # request
    "empty request": (HEAD + "request:\n", "job.yaml, line 3: request: must have keys and values below it, not empty."),
    "number": (
        HEAD + "request:\n  HyperParameters:\n    lr: 0.10\n",
        "job.yaml, line 5: request.HyperParameters.lr: must be a text, not 0.10 (a number in YAML). Put it in quotes: "
        'lr: "0.10"',
    ),
    "boolean": (
        HEAD + "request:\n  HyperParameters:\n    amp: yes\n",
        "line 5: request.HyperParameters.amp: must be a text, not yes (true or false in YAML). Put it in quotes: "
        'amp: "yes"',
    ),
    "date": (
        HEAD + "request: {Environment: {DAY: 2024-01-02}}\n",
        "line 3: request.Environment.DAY: must be a text, not 2024-01-02 (a date or bytes in YAML). Put it in quotes",
    ),
    "null": (
        HEAD + "request:\n  HyperParameters:\n    a:\n",
        "line 5: request.HyperParameters.a: must be a text, and there is none. Write one, or remove the key.",
    ),
    "nested": (
        HEAD + "request: {HyperParameters: {a: [1]}}\n",
        "line 3: request.HyperParameters.a: must be a text, not a list.",
    ),
    # expect
    "unknown expectation": (
        HEAD + "expect:\n  max_second: 3\n",
        "job.yaml, line 4: expect.max_second: there is no such key. Did you mean max_seconds?",
    ),
    "status": (
        HEAD + "expect: {status: InProgress}\n",
        "line 3: expect.status: a job never ends as 'InProgress'. Write",
    ),
    "failure of a completed job": (
        HEAD + "expect: {status: Completed, failure: bad}\n",
        "line 3: expect.failure: a job that is Completed does not have this. Write status: Failed, or remove it.",
    ),
    "exit code of a stopped job": (
        HEAD + "expect: {status: Stopped, exit_code: 3}\n",
        "line 3: expect.exit_code: a job that is Stopped does not have this.",
    ),
    "exit code": (
        HEAD + "expect: {exit_code: 256}\n",
        "line 3: expect.exit_code: must be a whole number from 0 to 255.",
    ),
    "exit code's type": (HEAD + "expect: {exit_code: yes}\n", "line 3: expect.exit_code: must be a number, not yes"),
    "failure's type": (HEAD + "expect: {failure: [a]}\n", "line 3: expect.failure: must be a text, not a list."),
    "regular expression": (
        HEAD + "expect:\n  logs:\n    - ok\n    - 'f('\n",
        "line 6: expect.logs[1]: 'f(' is no regular expression: missing ), unterminated subpattern",
    ),
    "model": (HEAD + "expect: {model: m.pt}\n", "line 3: expect.model: must be a list, such as [a, b], not the text"),
    "comparison": (
        HEAD + "expect: {metrics: {auc: '~ 1'}}\n",
        'line 3: expect.metrics.auc: must be a number or a comparison with one. Write it as ">= 0.9"',
    ),
    "metric's type": (HEAD + "expect: {metrics: {auc: yes}}\n", "line 3: expect.metrics.auc: must be a number or a"),
    "not finite": (HEAD + "expect: {metrics: {auc: .nan}}\n", "line 3: expect.metrics.auc: must be a number or a"),
    "seconds": (HEAD + "expect: {max_seconds: 0}\n", "line 3: expect.max_seconds: must be more than 0."),
    "seconds' type": (
        HEAD + "expect: {max_seconds: 1m}\n",
        "line 3: expect.max_seconds: must be a number, not the text '1m'.",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_with_file_line_and_key(folder: Path, text: str, message: str) -> None:
    assert message in error_of(folder, text)


def test_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no job file .*nope\.yaml\. Check"):
        JobFile.load(tmp_path / "nope.yaml")


def test_a_folder_is_no_job_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a folder\. Name the job file in it, such as .*job\.yaml"):
        JobFile.load(tmp_path)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_bytes(b"kind: \xff\n")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        JobFile.load(path)


def data_of(folder: Path, uri: str, source: str) -> list[str]:
    """Return where the files of a job file's only data entry go, in order."""
    job_file = load(folder, f"{HEAD}data:\n  {uri}: {source}\n")
    (entry,) = job_file.data
    return [str(entry.uri_of(file)) for file in files_of(entry, job_file.yaml)]


def test_a_folder_goes_below_its_prefix_in_order(folder: Path) -> None:
    (folder / "data/b").mkdir()
    for name in ("data/b/2", "data/b/10", "data/a b"):
        (folder / name).write_text("x")

    assert data_of(folder, "s3://bucket/in/", "data") == [
        "s3://bucket/in/a b",
        "s3://bucket/in/b/10",
        "s3://bucket/in/b/2",
        "s3://bucket/in/train/a.csv",
    ]
    assert data_of(folder, "s3://bucket", "data/train/") == ["s3://bucket/a.csv"]


def test_a_file_goes_to_its_key_or_below_its_prefix(folder: Path) -> None:
    assert data_of(folder, "s3://bucket/other.csv", "data/train/a.csv") == ["s3://bucket/other.csv"]
    assert data_of(folder, "s3://bucket/in/", "data/train/a.csv") == ["s3://bucket/in/a.csv"]


def test_links_are_followed_unless_they_lead_back(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/b.csv").write_text("2\n")
    (folder / "data/linked").symlink_to(folder / "elsewhere")
    assert data_of(folder, "s3://b/", "data") == ["s3://b/linked/b.csv", "s3://b/train/a.csv"]

    (folder / "elsewhere/back").symlink_to(folder / "data")
    with pytest.raises(UsageError, match=r"line 4: data\.s3://b/: .*back is a link to a folder around it"):
        data_of(folder, "s3://b/", "data")


def test_data_without_files_or_with_a_broken_link(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(UsageError, match=r"line 4: data\.s3://b/: the folder .*empty has no files"):
        data_of(folder, "s3://b/", "empty")
    (folder / "empty/link").symlink_to("nowhere")
    with pytest.raises(UsageError, match=r"line 4: data\.s3://b/: .*link is neither a file nor a folder"):
        data_of(folder, "s3://b/", "empty")


def test_a_whole_request_cannot_be_a_reference(folder: Path) -> None:
    assert "job.yaml, line 3: request: cannot come from another job as a whole." in error_of(
        folder, HEAD + "request: {Get: Steps.a.TrainingJobName}\nafter: [a]\n"
    )
