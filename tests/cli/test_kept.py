"""`run --keep`, `kept`, `shell JOB` and `clean --kept`: what stays after a run, and how it goes."""

from __future__ import annotations

import uuid
from contextlib import closing
from pathlib import Path

import pytest

from emulator.engines.docker.connection import connect
from emulator.engines.docker.removal import remove_abandoned
from tests.cli.commands import eventually, job_file, processing_job_file, sagemaker_emulator
from tests.cli.terminals import exit_code, typed_into
from tests.docker_engine import containers_of, docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

FAILS = "echo left > /tmp/left; echo half > /opt/ml/model/half; cd /srv; exit 3"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state home of this test's own, so that nothing of this machine's user is seen or touched."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state-home"))
    return tmp_path / "state-home"


def test_what_is_kept_is_listed_entered_and_removed(tmp_path: Path, home: Path) -> None:
    name = f"kept-{uuid.uuid4().hex[:8]}"
    path = job_file(tmp_path, FAILS, TrainingJobName=name, HyperParameters={"epochs": "3"})
    done = sagemaker_emulator("run", "--keep", path)
    assert done.returncode == 1
    assert f"kept      {name} in " in done.stderr
    kept_root = home / "sagemaker-emulator-kept"
    (state,) = kept_root.iterdir()
    assert (state / "state.sqlite").is_file()
    # One container, nothing else.
    (container,) = containers_of(name)
    owner = docker("inspect", "-f", '{{index .Config.Labels "sagemaker-emulator.owner"}}', container).strip()
    networks = ["network", "ls", "-q", "--filter", f"label=sagemaker-emulator.owner={owner}"]
    assert eventually(lambda: docker(*networks) == "")

    # Of all states, so what others keep in the same engine at this moment is among them.
    listed = sagemaker_emulator("kept").stdout.splitlines()
    assert [line.split()[:3] for line in listed if str(state) in line] == [[name, "Failed", "docker"]]

    shell = ["shell", name, "--"]
    looked = sagemaker_emulator(
        *shell, "sh", "-c", "cat /tmp/left /opt/ml/model/half /opt/ml/input/config/hyperparameters.json; exit 7"
    )
    assert looked.returncode == 7, looked.stderr
    assert looked.stdout == 'left\nhalf\n{"epochs":"3"}'
    assert f"TRAINING_JOB_NAME={name}" in sagemaker_emulator(*shell, "env").stdout
    missing = sagemaker_emulator("shell", name, "--host", "algo-2", "--", "true")
    assert missing.returncode == 1
    assert "Nothing is kept of algo-2. Kept are algo-1." in missing.stderr

    with typed_into("shell", name) as terminal:
        terminal.expect(f"This is where algo-1 of {name} has ended")
        terminal.sendline("echo again-$(cat /tmp/left)-$(id -u)")
        terminal.expect("again-left-0")
        with closing(connect()) as api:  # what every emulator does first leaves the shell alone
            remove_abandoned(api)
        assert sagemaker_emulator(*shell, "cat", "/tmp/left").stdout == "left\n", "the container, not the first shell"
        terminal.sendline("echo still-$(cat /tmp/left)")
        terminal.expect("still-left")
        terminal.sendline("exit 5")
        assert exit_code(terminal) == 5
    assert docker("images", "-q", "--filter", f"label=sagemaker-emulator.shell={state}/kept/1-{name}") == ""

    clean = ["clean", "--kept", "--state-dir", state]
    assert "1 kept jobs would be removed" in sagemaker_emulator(*clean).stdout
    assert containers_of(name) == [container]
    assert "Removed 1 kept jobs" in sagemaker_emulator(*clean, "--yes").stdout
    assert containers_of(name) == []
    assert list(kept_root.iterdir()) == []
    assert str(state) not in sagemaker_emulator("kept").stdout
    assert "Nothing is kept" in sagemaker_emulator("kept", "--state-dir", home / "none").stdout


def test_other_emulators_leave_it_alone_and_its_own_state_serves_it(tmp_path: Path, home: Path) -> None:
    name = f"kept-of-two-{uuid.uuid4().hex[:8]}"
    path = processing_job_file(
        tmp_path,
        "hostname > /tmp/me; echo here",
        ProcessingJobName=name,
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
    )
    state = tmp_path / "state"
    assert sagemaker_emulator("run", "--keep", "--state-dir", state, path).returncode == 0
    before = sorted(containers_of(name))
    assert len(before) == 2
    # An emulator with the same state directory, then one with another, each with its own clean-up.
    other = job_file(tmp_path, "true", name="other")
    assert sagemaker_emulator("run", "--state-dir", state, other).returncode == 0
    assert sagemaker_emulator("run", other).returncode == 0
    assert sorted(containers_of(name)) == before
    second = sagemaker_emulator("shell", "--state-dir", state, "--host", "algo-2", name, "--", "cat", "/tmp/me")
    assert second.stdout.startswith("ip-10-0-")
    assert "1 kept jobs would be removed" in sagemaker_emulator("clean", "--kept", "--state-dir", state).stdout
    # Found by its containers, though its state directory is none of the usual ones.
    assert eventually(lambda: name in sagemaker_emulator("kept").stdout)
    sagemaker_emulator("clean", "--kept", "--yes", "--state-dir", state)
    assert containers_of(name) == []
    assert (state / "state.sqlite").is_file()
    assert list((state / "kept").iterdir()) == []


def test_a_run_that_keeps_nothing_leaves_nothing(tmp_path: Path, home: Path) -> None:
    path = job_file(tmp_path, "true", RoleArn="no role")
    assert sagemaker_emulator("run", "--keep", path).returncode == 2
    assert not list(home.glob("sagemaker-emulator-kept/*"))
    refused = sagemaker_emulator("run", "--keep", "--port", 1, path)
    assert refused.returncode == 2
    assert "--keep is for the emulator that `run` starts by itself" in refused.stderr


def test_a_job_that_is_not_kept(home: Path) -> None:
    done = sagemaker_emulator("shell", "no-such-job")
    assert done.returncode == 2
    assert "No job 'no-such-job' is kept" in done.stderr
