"""`gate` as a CI calls it: real git, real pytest, real containers."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from emulator.gate.results import OPTION, Results
from tests.cli.commands import REPOSITORY, environment, eventually, started
from tests.docker_engine import containers_of
from tests.gate.repositories import Repository

pytestmark = pytest.mark.timeout(600)

SECONDS = 300


def gate(repository: Repository, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the gate in a repository, without what a CI that runs this test has set."""
    return subprocess.run(
        [sys.executable, "-m", "emulator", "gate", *map(str, arguments)],
        cwd=repository.folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=environment(**{"GITHUB_STEP_SUMMARY": "", "PYTEST_ADDOPTS": ""} | variables),
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A project whose first job makes a model with a metric, and whose second fails."""
    here = Repository(tmp_path / "project")
    metric = {"Name": "auc", "Regex": "auc=([0-9.]+)"}
    here.job(
        "good/job.yaml",
        "echo auc=0.875; echo x > /opt/ml/model/m.txt",
        request={"AlgorithmSpecification": {"TrainingInputMode": "File", "MetricDefinitions": [metric]}},
        expect={"model": ["m.txt"], "metrics": {"auc": "> 0.5"}},
    )
    here.job("bad/fit.yaml", "echo last words; printf 'row 3 | is\nbroken' > /opt/ml/output/failure; exit 3")
    here.job("bad/behind.yaml", after=["fit"])
    here.commit()
    return here


@pytest.mark.docker
def test_a_gate_that_does_not_hold(repository: Repository, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Of another step\n")
    junit = tmp_path / "junit.xml"
    done = gate(
        repository,
        *(".", "-j", 2, "--engine", "docker", "--lint"),
        *("--junit-xml", junit, "--bundles", tmp_path / "bundles"),
        GITHUB_STEP_SUMMARY=str(summary),
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "run       good/job.yaml: all jobs run" in done.stdout
    assert "gate: not all holds" in done.stdout
    text = summary.read_text()
    assert text.startswith("# Of another step\n## SageMaker jobs: not everything holds\n\n3 of 3 job files ran, in ")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert rows.keys() >= {"good/job.yaml", "bad/fit.yaml", "bad/behind.yaml"}
    assert "| docker | ✅ passed | Completed |" in rows["good/job.yaml"]
    assert "| auc: 0.875 |  |" in rows["good/job.yaml"]
    assert "| docker | ❌ failed | Failed |" in rows["bad/fit.yaml"]
    assert "row 3 \\| is broken, exit code: 3" in rows["bad/fit.yaml"]
    assert "| docker | ⏭️ not run |" in rows["bad/behind.yaml"]
    assert "<details><summary><code>bad/fit.yaml</code> on docker</summary>" in text
    assert "    last words\n" in text
    (bundle,) = (tmp_path / "bundles").rglob("*.tar.gz")
    assert f"Kept for a look: `{bundle}`" in text
    (suite,) = ET.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")


@pytest.mark.docker
def test_only_what_has_changed(repository: Repository) -> None:
    repository.change("good/job.yaml")
    done = gate(repository, ".", "--changed-since", "main", "--engine", "docker", "--summary", "summary.md")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "run       good/job.yaml: its job file has changed" in done.stdout
    assert "left out  bad/fit.yaml: nothing of it has changed since main" in done.stdout
    text = (repository.folder / "summary.md").read_text()
    assert "## SageMaker jobs: everything holds\n\n1 of 3 job files ran" in text
    assert "- `bad/behind.yaml`: nothing of it has changed since main" in text


def test_the_process_rung(repository: Repository, tmp_path: Path) -> None:
    repository.write(
        "program/train.py", "import pathlib\npathlib.Path('/opt/ml/model/m.txt').write_text('m')\nprint('hello')\n"
    )
    program = {"command": [sys.executable, "train.py"], "source": "../program"}
    path = repository.write(
        "process/job.yaml",
        yaml.safe_dump({"kind": "training", "program": program, "expect": {"model": ["m.txt"], "logs": ["hello"]}}),
    )
    repository.commit()
    repository.write("program/train.py", (repository.folder / "program/train.py").read_text() + "print('more')\n")
    summary = tmp_path / "s.md"
    done = gate(repository, "process", "--changed-since", "HEAD", "--engine", "process", "--lint", "--summary", summary)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "run       process/job.yaml: its program has changed: program/train.py" in done.stdout
    assert "| `process/job.yaml` | process | ✅ passed | Completed |" in summary.read_text()
    assert path.is_file()


def test_an_image_that_breaks_the_contract_fails(repository: Repository, tmp_path: Path) -> None:
    repository.write("broken/train.py", "print('hello')\n")
    repository.write("broken/Dockerfile", "FROM a\nCOPY train.py /opt/ml/input/train.py\n")
    document = {
        "kind": "training",
        "image": {"build": "."},
        "program": {"command": [sys.executable, "train.py"]},
    }
    repository.write("broken/job.yaml", yaml.safe_dump(document))
    done = gate(repository, "broken", "--engine", "process", "--lint", "--summary", tmp_path / "s.md")
    assert done.returncode == 1, done.stdout + done.stderr
    text = (tmp_path / "s.md").read_text()
    assert "| `broken/job.yaml` | process | ✅ passed |" in text
    assert "| error | hidden-files | The image has /opt/ml/input/train.py" in text


def test_a_change_that_concerns_no_job_passes_at_once(repository: Repository, tmp_path: Path) -> None:
    repository.write("README.md")
    junit = tmp_path / "junit.xml"
    done = gate(repository, ".", "--changed-since", "HEAD", "--junit-xml", junit, "--summary", tmp_path / "s.md")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of 3 job files run" in done.stdout
    assert "0 of 3 job files ran" in (tmp_path / "s.md").read_text()
    assert ET.parse(junit).getroot().tag == "testsuites"


def test_which_jobs_would_run(repository: Repository) -> None:
    repository.change("bad/fit.yaml")
    done = gate(repository, "bad", "--changed-since", "HEAD", "--list")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "run       bad/fit.yaml: its job file has changed",
        "run       bad/behind.yaml: it is after fit",
        "2 of 2 job files run",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "There is no file or folder nowhere."),
        ([".", "--changed-since", "no/such"], "--changed-since no/such: git cannot compare with it"),
        ([".", "-j", "many"], "-j many is no number of workers."),
        (
            [".", "--summary", "nowhere/s.md", "--changed-since", "HEAD"],
            "The summary cannot be written to nowhere/s.md",
        ),
    ],
)
def test_wrong_usage(repository: Repository, arguments: list[str], message: str) -> None:
    done = gate(repository, *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_wrong_job_file_is_said_before_anything_runs(repository: Repository) -> None:
    repository.job("good/wrong.yaml", expect={"modle": []})
    done = gate(repository, ".")
    assert done.returncode == 2
    assert "good/wrong.yaml, line " in done.stderr
    assert "expect.modle: there is no such key. Did you mean model?" in done.stderr


def test_a_wrong_request_is_said_too(repository: Repository, tmp_path: Path) -> None:
    repository.job("good/wrong.yaml", request={"StoppingCondition": {"MaxRuntimeInSeconds": 0}})
    done = gate(repository, "good/wrong.yaml", "--engine", "auto", "--summary", tmp_path / "s.md")
    assert done.returncode == 2, done.stdout + done.stderr
    said = "request.StoppingCondition.MaxRuntimeInSeconds: 0 must have value greater than or equal to 1."
    assert said in done.stdout
    assert said in (tmp_path / "s.md").read_text()


def test_no_engine(repository: Repository) -> None:
    done = gate(repository, ".", "--engine", "docker", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert done.returncode == 3
    assert "no Docker Engine answers at" in done.stderr


def test_a_rung_that_turns_out_not_to_be_there(repository: Repository, tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    hooks = ["-p", "emulator.pytest_plugin", "-p", "emulator.gate.pytest_hooks", f"{OPTION}={results}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "good/job.yaml", *hooks, "--sagemaker-engine=docker"],
        cwd=repository.folder,
        env=environment(DOCKER_HOST="unix:///nowhere/docker.sock", PYTEST_ADDOPTS=""),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (job,) = Results.read(results).jobs
    assert job.has_no_engine
    assert job.unmet[0].startswith("The docker engine cannot be used")


@pytest.mark.parametrize(
    ("hidden", "arguments", "message"),
    [
        (("pytest", "_pytest"), [], "pip install 'sagemaker-emulator[pytest]'"),
        (("xdist",), ["-j", "2"], "pip install pytest-xdist, or leave -j out."),
    ],
)
def test_what_is_not_installed_is_named(
    repository: Repository, tmp_path: Path, hidden: tuple[str, ...], arguments: list[str], message: str
) -> None:
    packages = Path(pytest.__file__).parents[1]
    others = tmp_path / "packages"
    others.mkdir()
    for path in packages.iterdir():
        if path.stem not in hidden and not path.name.startswith("pytest-") and path.suffix != ".pth":
            (others / path.name).symlink_to(path)
    program = f"import sys; sys.path += [{str(REPOSITORY)!r}, {str(others)!r}]; from emulator.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, "gate", str(repository.folder), *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert message in done.stderr


@pytest.mark.docker
def test_a_ci_that_cancels_leaves_nothing_behind(repository: Repository) -> None:
    name = f"gate-{uuid.uuid4().hex[:8]}"
    path = repository.job("long/job.yaml", "trap 'exit 0' TERM; sleep 300 & wait", request={"TrainingJobName": name})
    with started("gate", path, "--engine", "docker", GITHUB_STEP_SUMMARY="") as process:
        assert eventually(lambda: bool(containers_of(name)), SECONDS)
        process.terminate()
        assert process.stdout is not None
        output = process.stdout.read()
        assert process.wait(SECONDS) in (2, 130), output
    assert eventually(lambda: not containers_of(name))
