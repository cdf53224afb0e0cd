"""On which rung a test runs, and what is told of one that cannot."""

from __future__ import annotations

import pytest

from emulator.endpoint import Endpoint
from tests.plugin.conftest import Project

MARKED = """
import pytest

def test_any(sagemaker_engine):
    assert sagemaker_engine

@pytest.mark.sagemaker_rung("docker")
def test_docker(sagemaker_engine):
    assert sagemaker_engine in ("docker", "auto")

@pytest.mark.sagemaker_rung("process")
def test_process(sagemaker_engine):
    assert sagemaker_engine == "process"

@pytest.mark.sagemaker_rung("process", "docker")
def test_both(sagemaker_engine):
    assert sagemaker_engine
"""


def test_a_test_on_a_wrong_rung_is_skipped_with_its_reason(bare_project: Project) -> None:
    bare_project.write("test_marked.py", MARKED)
    outcome = bare_project.run("test_marked.py", "--sagemaker-engine=docker", "-rs").was(passed=3, skipped=1)
    outcome.says("needs the process rung, and this is docker")


def test_on_several_rungs_each_test_runs_on_its_own(bare_project: Project) -> None:
    bare_project.write("test_marked.py", MARKED)
    outcome = bare_project.run("test_marked.py", "--sagemaker-engine=all", "-v")
    outcome.was(passed=6, deselected=2)
    outcome.says(
        "test_any[process]", "test_any[docker]", "test_docker[docker]", "test_process[process]", "test_both[process]"
    )
    assert "test_docker[process]" not in outcome.text


def test_the_rung_is_the_ini_files_if_the_command_line_has_none(bare_project: Project) -> None:
    bare_project.ini(sagemaker_engine="process, docker")
    bare_project.write("test_marked.py", MARKED)
    bare_project.run("test_marked.py").was(passed=6, deselected=2).says("sagemaker-emulator: rung process, docker")
    bare_project.run("test_marked.py", "--sagemaker-engine=docker").was(passed=3, skipped=1)


@pytest.mark.each_rung
def test_auto_is_settled_by_the_emulator(project: Project, served: Endpoint) -> None:
    other = next(rung for rung in ("docker", "process") if rung != served.emulator.engine.name)
    project.write(
        "test_marked.py",
        f"import pytest\n\n@pytest.mark.sagemaker_rung({other!r})\ndef test_other():\n    raise AssertionError\n",
    )
    outcome = project.run("test_marked.py", "-rs").was(skipped=1)
    outcome.says(f"needs the {other} rung, and this is {served.emulator.engine.name}")


@pytest.mark.each_rung
def test_what_an_engine_has_not_is_told(project: Project, served: Endpoint) -> None:
    project.write(
        "test_needs.py",
        "import pytest\n\n@pytest.mark.sagemaker_needs('images', 'network_isolation')\ndef test_needs():\n    pass\n",
    )
    if served.emulator.engine.capabilities.images:
        project.run("test_needs.py").was(passed=1)
    else:
        project.run("test_needs.py", "-rs").was(skipped=1).says("needs images, which the process rung does not have")


def test_what_no_engine_has_is_an_error_and_no_skip(project: Project) -> None:
    project.write(
        "test_needs.py", "import pytest\n\n@pytest.mark.sagemaker_needs('imges')\ndef test_needs():\n    pass\n"
    )
    project.run("test_needs.py").was(errors=1).says("sagemaker_needs: there is no capability 'imges'. Choose of ")


WRONG = {
    "sagemaker_rung('podman')": "there is no rung 'podman'",
    "sagemaker_rung": "sagemaker_rung takes names, as in sagemaker_rung('docker')",
    "sagemaker_needs(1)": "sagemaker_needs takes names",
}


def test_a_wrong_marker_says_what_is_wrong(bare_project: Project) -> None:
    for number, marker in enumerate(WRONG):
        test = f"import pytest\n\n@pytest.mark.{marker}\ndef test_one():\n    pass\n"
        bare_project.write(f"test_wrong_{number}.py", test)
    said = bare_project.run_each(*([f"test_wrong_{number}.py"] for number in range(len(WRONG))))
    for words, text in zip(WRONG.values(), said, strict=True):
        assert words in text, text


def test_a_rung_that_cannot_be_used_is_an_error_and_no_skip(
    bare_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    bare_project.write(
        "test_one.py", "def test_one(sagemaker_client):\n    pass\n\ndef test_two(s3_client):\n    pass\n"
    )
    outcome = bare_project.run("test_one.py", "--sagemaker-engine=docker").was(errors=2)
    outcome.says("The docker engine cannot be used")
