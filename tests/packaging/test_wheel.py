"""What is shipped: one package, whole, and nothing of this repository beside it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import REPOSITORY


@pytest.fixture(scope="module")
def wheel(wheel_file: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(wheel_file)


def test_the_only_top_level_names_are_emulator_and_its_plugins(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"emulator", "pytest_sagemaker_emulator.py"}


def test_every_module_is_shipped(wheel: zipfile.ZipFile) -> None:
    sources = {
        str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "emulator").rglob("*.py") if path.stat().st_size
    }
    sources.remove("emulator/_pytest_entry.py")  # it is shipped beside the package, under another name
    assert sources <= set(wheel.namelist())
    assert "emulator/py.typed" in wheel.namelist()


def test_the_dashboards_pages_and_libraries_are_shipped(wheel: zipfile.ZipFile) -> None:
    pages = {
        str(path.relative_to(REPOSITORY))
        for folder in ("templates", "static")
        for path in (REPOSITORY / "emulator/web" / folder).rglob("*")
        if path.is_file()
    }
    assert pages <= set(wheel.namelist())
    vendor = REPOSITORY / "emulator/web/static/vendor"
    licences = {path.name for path in vendor.iterdir() if "LICENSE" in path.name or "NOTICE" in path.name}
    assert {f"{name}.LICENSE" for name in ("htmx", "idiomorph", "echarts")} <= licences
    told = {Path(name).name for name in wheel.namelist() if ".dist-info/licenses/" in name}
    assert told == {"LICENSE", *licences}


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(entry_points).decode()
    assert "sagemaker-emulator = emulator.cli:main" in text
    assert "[pytest11]\nsagemaker_emulator = pytest_sagemaker_emulator" in text
