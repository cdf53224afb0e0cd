"""The processors of SageMaker SDK V2 and V3, unmodified, and the script of the user this project was made for.

They wait for each job by their own polling, so all scripts run at once.
"""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from tests.clients.programs import HERE, Finished, Programs, built
from tests.jobs import Clients

pytestmark = [
    pytest.mark.clients,
    pytest.mark.docker,
    pytest.mark.xdist_group("clients-sdk"),
    pytest.mark.timeout(900),
]

SEED, V2, V3 = "processor_run.py", "v2_processors.py", "v3_processors.py"
DOUBLED = {"algo-1-3.txt": "6", "algo-2-5.txt": "10"}
NO_NUMBER = "AlgorithmError: 4.txt: invalid literal for int() with base 10: 'four', exit code: 3"


@pytest.fixture(scope="module")
def scripts(programs: Programs, toolkit_image: str) -> dict[str, Future[Finished]]:
    """Every script, started; a test awaits the one that it is about."""
    own = built("process", HERE / "images/process")
    return {
        V2: programs.script("sdk-v2", V2, PROCESS_IMAGE=toolkit_image),
        V3: programs.script("sdk-v3", V3, PROCESS_IMAGE=toolkit_image, OWN_IMAGE=own),
        SEED: programs.script("sdk-v2", SEED, PROCESS_IMAGE=own),
    }


def test_the_user_s_own_script(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    finished = scripts[SEED].result().succeeded()
    assert finished.lines[-1] == "Completed"
    for line in ("stage: experiment", "files: day=1/part-0.csv"):
        assert finished.stdout.count(f"{line}\n") == 1, finished
    made = aws.s3.get_object(Bucket="sagemaker-us-east-1-123456789012", Key="features/2023-04-07.csv")["Body"].read()
    assert made == b"1,2,2023-04-07"


@pytest.mark.parametrize("script", [V2, V3])
def test_source_code_with_requirements_on_two_hosts(scripts: dict[str, Future[Finished]], script: str) -> None:
    finished = scripts[script].result().succeeded()
    framework = finished.result["framework"]
    assert (framework["status"], framework["files"]) == ("Completed", DOUBLED)
    assert [finished.stdout.count(f"doubles {name} --by 2\n") for name in ("3.txt", "5.txt")] == [1, 1], finished


def test_v2_gives_a_program_of_one_file_its_input(scripts: dict[str, Future[Finished]]) -> None:
    script = scripts[V2].result().succeeded().result["script"]
    assert (script["status"], script["files"]) == ("Completed", {"3.txt": "1.5", "5.txt": "2.5"})
    assert script["inputs"] == ["/opt/ml/processing/input/data", "/opt/ml/processing/input/code"]


def test_v3_runs_an_image_of_one_s_own_and_shows_its_log(scripts: dict[str, Future[Finished]]) -> None:
    finished = scripts[V3].result().succeeded()
    own = finished.result["own"]
    assert (own["status"], own["files"]) == ("Completed", {"2023-04-07.csv": "1,2,2023-04-07"})
    assert finished.stdout.count("stage: experiment\n") == 1, finished


@pytest.mark.parametrize("script", [V2, V3])
def test_a_failing_program_raises_with_its_own_reason_and_keeps_what_it_made(
    scripts: dict[str, Future[Finished]], aws: Clients, script: str
) -> None:
    failure = scripts[script].result().succeeded().result["failure"]
    assert NO_NUMBER in failure["error"]
    assert (failure["status"], failure["files"]) == ("Failed", {"3.txt": "1.5"})
    described = aws.sagemaker.describe_processing_job(ProcessingJobName=failure["job"])
    assert described["ExitMessage"] == "4.txt: invalid literal for int() with base 10: 'four'"
