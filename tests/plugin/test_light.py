"""What the plugin costs everyone who has us installed: next to nothing."""

from __future__ import annotations

import subprocess
import sys

from tests.plugin.conftest import SECONDS, Project

_LOADED = "import sys, pytest; before = set(sys.modules); import {module}; print(*sorted(set(sys.modules) - before))"
_PARTS = {"", ".pytest_plugin", ".testing", ".testing.rungs", ".testing.session", ".testing.settings"}


def test_loading_the_plugin_loads_nothing_but_itself() -> None:
    program = _LOADED.format(module="emulator.pytest_plugin")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert set(done.stdout.split()) == {f"emulator{part}" for part in _PARTS}


def test_a_run_without_our_fixtures_loads_and_says_nothing(bare_project: Project) -> None:
    (bare_project.path / "training/job.yaml").unlink()
    bare_project.write(
        "test_plain.py",
        "import sys\n\n\ndef test_plain():\n"
        "    ours = [name for name in sys.modules if name.startswith('emulator.')]\n"
        "    heavy = {'boto3', 'botocore', 'docker', 'moto', 'flask', 'yaml', 'requests', 'click'} & set(sys.modules)\n"
        "    assert not heavy\n"
        f"    assert set(ours) == { ({'emulator' + part for part in _PARTS if part})!r}\n",
    )
    outcome = bare_project.run().was(passed=1)
    assert "sagemaker-emulator:" not in outcome.text
