"""`sagemaker_session`, and the SDKs inside of tests: pytest in the environment of each SDK, with the plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.clients.programs import REPOSITORY, Server
from tests.plugin.test_documents import EXAMPLES

pytestmark = [
    pytest.mark.clients,
    pytest.mark.docker,
    pytest.mark.xdist_group("clients-sdk"),  # whose emulator it uses
    pytest.mark.timeout(900),
]

SECONDS: Final = 600
_OURS: Final = Path(pytest.__file__).parents[1]

FIT = {
    "sdk-v2": """
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput


def test_fit(sagemaker_session, s3_client, sagemaker_client):
    bucket = sagemaker_session.default_bucket()
    s3_client.put_object(Bucket=bucket, Key="train/a.csv", Body=b"1,x\\n")
    estimator = Estimator(IMAGE, role="arn:aws:iam::123456789012:role/Any", instance_count=1,
                          instance_type="ml.m5.large", environment={"PROGRAM": "ls /opt/ml/input/data/train"})
    estimator.fit({"train": TrainingInput(f"s3://{bucket}/train/")}, logs=False)
    described = sagemaker_client.describe_training_job(TrainingJobName=estimator.latest_training_job.name)
    assert described["TrainingJobStatus"] == "Completed"
""",
    "sdk-v3": """
from sagemaker.core.resources import TrainingJob


def test_describe(sagemaker_session, training_job):
    result = training_job(IMAGE, environment={"PROGRAM": "true"})
    assert TrainingJob.get(result.name).training_job_status == "Completed"
""",
}


def pytest_with(client: str, folder: Path, *arguments: str) -> str:
    """Run pytest with a client's packages, and with ours behind them."""
    python = folder / ".venv/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True, timeout=120)
        (site,) = (folder / ".venv/lib").glob("python3*/site-packages")
        (theirs,) = (REPOSITORY / ".venvs" / client / "lib").glob("python3*/site-packages")
        (site / "clients.pth").write_text(f"{theirs}\n{_OURS}\n{REPOSITORY}\n")
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "PYTEST", "PYTHONPATH"))}
    done = subprocess.run(
        [python, "-m", "pytest", "-p", "emulator.pytest_plugin", *arguments],
        cwd=folder,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("client", ["sdk-v2", "sdk-v3"])
def test_the_session_of_the_installed_sdk(
    server: Server, tmp_path: Path, client: str, image: Callable[[str], str]
) -> None:
    (tmp_path / "test_session.py").write_text(EXAMPLES["sagemaker_session"])
    (tmp_path / "test_sdk.py").write_text(FIT[client].replace("IMAGE", repr(image("behaviour"))))
    said = pytest_with(client, tmp_path, f"--sagemaker-endpoint={server.url}")
    assert "2 passed" in said, said


def test_without_an_sdk_the_session_says_what_to_install(server: Server, tmp_path: Path) -> None:
    (tmp_path / "test_session.py").write_text(EXAMPLES["sagemaker_session"])
    command = [sys.executable, "-m", "pytest", "-p", "emulator.pytest_plugin", f"--sagemaker-endpoint={server.url}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert "pip install 'sagemaker<3'" in done.stdout, done.stdout
    assert "1 error" in done.stdout
