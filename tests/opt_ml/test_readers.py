"""The table of readers in docs/rungs/opt_ml.md is what real pandas, pyarrow, numpy and scikit-learn do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs/rungs/opt_ml.md"
PYTHON = REPOSITORY / ".venvs/opt-ml/bin/python"
PROGRAM = Path(__file__).parent / "programs/readers.py"
BEGIN, END = "<!-- readers: tests/opt_ml/test_readers.py compares -->\n", "<!-- end of readers -->"
HEAD = "| reader or writer | faked | `on_disk=True` |\n|---|---|---|\n"


@pytest.mark.clients
def test_the_table_is_true(tmp_path: Path) -> None:
    """With UPDATE_GOLDEN set the table is written first: read the difference before committing."""
    if not PYTHON.exists():
        pytest.fail(f"There is no {PYTHON}. Make it: scripts/client-environments opt-ml", pytrace=False)
    answer = tmp_path / "answer.json"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [PYTHON, PROGRAM, answer],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[bool]] = json.loads(answer.read_text())
    assert all(on_disk for _, on_disk in found.values()), done.stderr
    rows = "".join(f"| {name} | {_word(faked)} | {_word(real)} |\n" for name, (faked, real) in found.items())
    text = DOCUMENT.read_text()
    if os.environ.get("UPDATE_GOLDEN"):
        text = re.sub(f"{BEGIN}.*{END}", lambda _: BEGIN + HEAD + rows + END, text, flags=re.DOTALL)
        DOCUMENT.write_text(text)
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)] == HEAD + rows


@pytest.mark.clients
def test_the_iris_sample_is_unit_tested(tmp_path: Path) -> None:
    sample = REPOSITORY / "sample_jobs/iris_training/tests/test_on_opt_ml.py"
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "pytest",
        "-q",
        "-p",
        "emulator.pytest_plugin",
        "-p",
        "no:cacheprovider",
        sample,
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command += ["-c", os.devnull, "--rootdir", sample.parents[1], "--confcutdir", sample.parent]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=240, check=False, cwd=tmp_path
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def _word(works: bool) -> str:
    return "yes" if works else "no"
