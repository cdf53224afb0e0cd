"""What the pytest plugin costs a project that does not use it, and a project's first job on each rung."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from emulator.jobfiles.document import ImageBuild
from emulator.jobfiles.images import image_tag

from .measuring import Row, medians
from .running import ROOT, CannotRunError
from .setting import Setting

_ROUNDS: Final = 9
_JOB_ROUNDS: Final = 3
_MOST_SECONDS: Final = 0.05
_LONGEST_SECONDS: Final = 300
_TESTS: Final = "import pytest\n\n\n@pytest.mark.parametrize('number', range(500))\ndef test_one(number):\n    pass\n"
_JOB: Final = (
    "from pathlib import Path\n\n\ndef test_it(training_job):\n"
    "    training_job(Path('training'), program='train.py', channels={'train': Path('data')})\n"
)
_BARE: Final = "import subprocess\n\n\ndef test_bare():\n    subprocess.run(COMMAND, check=True)\n"
_OFF: Final = ("-p", "no:sagemaker_emulator", "-p", "no:emulator.pytest_plugin")


def measure(setting: Setting) -> Iterator[Row]:
    """Measure both."""
    foreign = setting.folder()
    (foreign / "test_foreign.py").write_text(_TESTS)
    collect = ("--collect-only", "-q")
    ours, without = medians(_ROUNDS, lambda: _seconds(foreign, *collect), lambda: _seconds(foreign, *collect, *_OFF))
    name = "pytest --collect-only in a foreign project: what the plugin adds"
    yield Row(name=name, ours=ours - without, baseline=without, baseline_name="all without it", most=_MOST_SECONDS)
    project = setting.folder()
    shutil.copytree(ROOT / "fixtures/project", project, dirs_exist_ok=True)
    (project / "test_training.py").write_text(_JOB)
    tag = image_tag(ImageBuild(context=project / "training"))
    bare = {"process": ["python3", "-c", ""], "docker": ["docker", "run", "--rm", "--entrypoint=true", tag]}
    for rung, command in bare.items():
        yield _job(project, rung, command)


def _job(project: Path, rung: str, command: list[str]) -> Row:
    """Measure a test of one job on a rung, beside one that runs something bare: both with the start of pytest."""
    name = f"pytest with one job, {rung} rung, its emulator started and ended"
    (project / "test_bare.py").write_text(_BARE.replace("COMMAND", repr(command)))
    try:
        _seconds(project, "test_training.py", f"--sagemaker-engine={rung}")  # builds the image
        ours, baseline = medians(
            _JOB_ROUNDS,
            lambda: _seconds(project, "test_training.py", f"--sagemaker-engine={rung}"),
            lambda: _seconds(project, "test_bare.py", *_OFF),
        )
    except CannotRunError as error:
        return Row(name=name, not_measured=str(error))
    return Row(name=name, ours=ours, baseline=baseline, baseline_name=f"pytest with {' '.join(command)[:20]}...")


def _seconds(folder: Path, *arguments: str) -> float:
    """Return how long a run of pytest takes."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    started = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=_LONGEST_SECONDS,
        check=False,
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise CannotRunError(f"pytest ended with {done.returncode}: {done.stdout[-1000:]}")
    return seconds
