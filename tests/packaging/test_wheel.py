"""What is shipped: one package, whole, and nothing of this repository beside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_only_top_level_name_is_emulator(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"emulator"}


def test_every_module_is_shipped(wheel: zipfile.ZipFile) -> None:
    sources = {
        str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "emulator").rglob("*.py") if path.stat().st_size
    }
    assert sources <= set(wheel.namelist())
    assert "emulator/py.typed" in wheel.namelist()


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "sagemaker-emulator = emulator.cli:main" in wheel.read(entry_points).decode()
