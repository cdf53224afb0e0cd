"""Job files as tests."""

from __future__ import annotations

import re

import pytest

from tests.plugin.conftest import Project, junit

FIRST = """
kind: processing
image: {build: ../training}
program: {command: [python3, train.py], source: ../training}
data:
  s3://chain/raw/a.csv: ../data/train.csv
request:
  AppSpecification: {ContainerEntrypoint: [python3, /opt/ml/code/clean.py]}
  ProcessingInputs:
    - InputName: raw
      S3Input:
        S3Uri: s3://chain/raw/
        LocalPath: /opt/ml/processing/input/raw
        S3DataType: S3Prefix
        S3InputMode: File
  ProcessingOutputConfig:
    Outputs:
      - OutputName: clean
        S3Output: {S3Uri: "s3://chain/clean/", LocalPath: /opt/ml/processing/output/clean, S3UploadMode: EndOfJob}
expect:
  outputs: {clean: [a.csv]}
  objects: {s3://chain/clean/: ["*.csv"], s3://chain/elsewhere/: []}
  exit_message: "0 line dropped"
"""

SECOND = """
kind: training
after: [z_clean]
image: {build: ../training}
program: {command: [python3, train.py], source: ../training}
request:
  InputDataConfig:
    - ChannelName: train
      DataSource:
        S3DataSource:
          S3DataType: S3Prefix
          S3Uri: {Get: "Steps.z_clean.ProcessingOutputConfig.Outputs['clean'].S3Output.S3Uri"}
  AlgorithmSpecification: {MetricDefinitions: [{Name: rows, Regex: "rows=([0-9]+)"}]}
expect:
  model: [model.json]
  metrics: {rows: "== 3"}
  logs: ["^trained$"]
  max_seconds: 240
"""


@pytest.mark.each_rung
def test_a_job_file_is_a_test_of_its_folders_name(project: Project) -> None:
    outcome = project.run("-v", "--junitxml=report.xml", "-ojunit_logging=all").was(passed=1)
    outcome.says("training/job.yaml::training[auto] PASSED")
    case = junit(project.path / "report.xml").find(".//testcase")
    assert case is not None
    properties = {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}
    assert properties["sagemaker_status"] == "Completed"
    assert properties["sagemaker_job"].startswith("training-")
    assert properties["sagemaker_metric_rows"] == "3.0"
    assert "algo-1 | rows=3" in "".join(case.itertext())


def test_what_does_not_hold_is_listed_with_the_job(project: Project) -> None:
    text = (project.path / "training/job.yaml").read_text()
    project.write("training/job.yaml", text.replace('">= 3"', '"> 3"').replace("[model.json]", "[model.joblib]"))
    outcome = project.run("--junitxml=report.xml", "-ojunit_logging=all").was(failed=1)
    outcome.says(
        "  - model: expected model.joblib in model.tar.gz, found model.json.",
        "  - metrics: expected rows > 3, found 3.",
        "is Completed.",
        "algo-1 | trained",
    )
    assert "Traceback" not in outcome.text
    failure = junit(project.path / "report.xml").find(".//failure")
    assert failure is not None
    assert "expected rows > 3" in str(failure.text)


@pytest.mark.each_rung
def test_files_of_a_folder_run_behind_those_they_wait_for(project: Project) -> None:
    project.ini(sagemaker_job_files="jobs/*.yaml")
    project.write("jobs/z_clean.yaml", FIRST)
    project.write("jobs/a_train.yaml", SECOND)
    outcome = project.run("-v").was(passed=2)
    outcome.matches(r"(?s)z_clean\.yaml::z_clean\[auto\] PASSED.*a_train\.yaml::a_train\[auto\] PASSED")
    together = project.run("-v", "-n2", "--dist=loadgroup", "jobs").was(passed=2)
    workers = re.findall(r"\[(gw\d)\] \[ *\d+%\] PASSED jobs/", together.text)
    assert workers in (["gw0"] * 2, ["gw1"] * 2), "one worker has all of a folder"
    # Alone, it has what it waits for run first.
    project.run("jobs/a_train.yaml", "-rP").was(passed=1).says("z_clean: created ", "a_train: created ")


def test_behind_one_that_fails_the_others_are_skipped(project: Project) -> None:
    project.ini(sagemaker_job_files="jobs/*.yaml")
    project.write("jobs/z_clean.yaml", FIRST.replace("0 line", "9 lines"))
    project.write("jobs/a_train.yaml", SECOND)
    project.run("-rs").was(failed=1, skipped=1).says("z_clean failed", "exit_message: expected one that matches")
    alone = project.run("jobs/a_train.yaml").was(failed=1)
    alone.says("skipped: z_clean failed")


def test_objects_that_are_missing_are_named(project: Project) -> None:
    project.ini(sagemaker_job_files="jobs/*.yaml")
    wrong = FIRST.replace('["*.csv"]', "[b.csv]").replace("s3://chain/elsewhere/: []", "s3://chain/clean: []")
    project.write("jobs/z_clean.yaml", wrong)
    project.run().was(failed=1).says(
        "  - objects.s3://chain/clean/: expected b.csv, found a.csv.",
        "  - objects.s3://chain/clean: expected no file, found a.csv.",
    )


MISTAKES = [
    ('{rows: ">= 3"}', "{rows: many}", "line 14: expect.metrics.rows: must be a number or a comparison with one"),
    ("kind: training", "kind: trainin", "line 1: kind: there is no kind 'trainin'"),
    ("HyperParameters", "HyperParamters", "request.HyperParamters: CreateTrainingJobRequest has no such member."),
    ("../data/", "../nowhere/", "line 5: data.s3://example/train/: there is no file or folder"),
    ("model: [model.json]", "objects: {here: []}", "line 13: expect.objects.here: is no S3 URI"),
    ("kind: training", "kind: training\nafter: [nobody]", "there is no job file called nobody in this run"),
    ("request:", "request: {", "this is not valid YAML"),
]


def test_a_mistake_is_an_error_of_collection_with_its_line(bare_project: Project) -> None:
    text = (bare_project.path / "training/job.yaml").read_text().replace("build: .", "build: ../training")
    for number, (before, after, _) in enumerate(MISTAKES):
        assert before in text
        bare_project.write(f"mistake{number}/job.yaml", text.replace(before, after))
    outcome = bare_project.run("--collect-only").was(errors=len(MISTAKES))
    for number, (_, _, words) in enumerate(MISTAKES):
        outcome.matches(rf"mistake{number}/job\.yaml, (line \d+: .*)?{re.escape(words)}")
    assert "Traceback" not in outcome.text


def test_other_yaml_files_are_left_alone(bare_project: Project) -> None:
    bare_project.write("k8s/job.yaml", "apiVersion: batch/v1\nkind: Job\nimage: mine\n")
    bare_project.write("ci/job.yaml", "stages: [test]\nimage: python\n")
    bare_project.write("ci/other.yaml", (bare_project.path / "training/job.yaml").read_text())
    bare_project.write("training/nightly.job.yaml", (bare_project.path / "training/job.yaml").read_text())
    outcome = bare_project.run("--collect-only", "-q")
    outcome.says("training/job.yaml::training[auto]", "training/nightly.job.yaml::nightly[auto]", "2 tests collected")


def test_files_of_a_pattern_of_ones_own_are_meant(bare_project: Project) -> None:
    bare_project.ini(sagemaker_job_files="jobs/*.yml")
    bare_project.write("jobs/one.yml", "stages: [test]\n")
    bare_project.run("--collect-only").was(errors=1).says("jobs/one.yml, line 1", "there is no such key")


@pytest.mark.docker
def test_one_job_file_on_each_rung(bare_project: Project) -> None:
    outcome = bare_project.run("-v", "--sagemaker-engine=all").was(passed=2)
    outcome.says("training/job.yaml::training[process] PASSED", "training/job.yaml::training[docker] PASSED")


def test_a_file_without_a_program_is_for_docker_alone_and_one_without_an_image_for_the_process_rung(
    bare_project: Project,
) -> None:
    text = (bare_project.path / "training/job.yaml").read_text()
    program = next(line for line in text.splitlines(keepends=True) if line.startswith("program:"))
    bare_project.write("training/image.job.yaml", text.replace(program, ""))
    bare_project.write("training/program.job.yaml", text.replace("image: {build: .}\n", ""))
    outcome = bare_project.run("--collect-only", "-q", "--sagemaker-engine=all")
    outcome.says("image.job.yaml::image[docker]", "program.job.yaml::program[process]", "4/6 tests collected")
    alone = bare_project.run("training/image.job.yaml", "--sagemaker-engine=process", "-rs").was(skipped=1)
    alone.says("needs the docker rung, and this is process")


def test_the_job_file_fixture_checks_what_the_file_expects(project: Project) -> None:
    text = (project.path / "training/job.yaml").read_text().replace("build: .", "build: ../training")
    text = text.replace("train.py]", "train.py], source: ../training")
    project.write("jobs/bad.yaml", text.replace('">= 3"', '"> 3"'))
    project.write(
        "test_file.py",
        "import pytest\n\ndef test_bad(job_file):\n"
        "    with pytest.raises(AssertionError, match='expected rows > 3, found 3'):\n"
        "        job_file('jobs/bad.yaml')\n\n"
        "def test_missing(job_file):\n"
        "    with pytest.raises(Exception, match='There is no job file'):\n"
        "        job_file('jobs/none.yaml')\n",
    )
    project.run("test_file.py").was(passed=2)
