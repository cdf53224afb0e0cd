"""Environments of requirements files: made once, told while they are made, clear when they cannot be."""

from __future__ import annotations

import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulator.errors import UsageError
from emulator.jobfiles.environments import cache_dir, environment_key, environment_of
from emulator.jobfiles.events import Event, InstallOutput

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A file that requires a package which lies in a wheel beside it."""
    (tmp_path / "wheels").mkdir()
    name = "tiny_example-1.0"
    with zipfile.ZipFile(tmp_path / f"wheels/{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_example.py", "WORD = 'hello'\n")
        wheel.writestr(f"{name}.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-example\nVersion: 1.0\n")
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    (tmp_path / "more.txt").write_text("tiny-example==1.0\n")
    (tmp_path / "requirements.txt").write_text("-r more.txt\n")
    return tmp_path / "requirements.txt"


def test_what_cannot_be_installed_says_why_and_is_tried_again_and_made_once_also_by_two_at_once(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    cache, told = tmp_path / "cache", list[Event]()
    (wheel,) = tmp_path.glob("wheels/*.whl")
    hidden = wheel.rename(tmp_path / wheel.name)
    with pytest.raises(UsageError) as error:
        environment_of(requirements, lambda _: None, cache)
    assert str(error.value).startswith(f"What {requirements} requires cannot be installed:\n")
    assert "tiny-example" in str(error.value)
    assert str(error.value).endswith(f"or put wheels of what it requires into the folder {tmp_path / 'wheels'}.")
    hidden.rename(wheel)
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda _: environment_of(requirements, told.append, cache), range(2)))
    assert {folder for folder, _ in both} == {both[0][0]}
    assert [seconds is None for _, seconds in both].count(True) == 1
    assert any(isinstance(one, InstallOutput) and "tiny" in one.line for one in told)
    python = both[0][0] / "python"
    said = subprocess.run([python, "-c", "import tiny_example as t; print(t.WORD)"], capture_output=True, check=True)
    assert said.stdout == b"hello\n"
    told.clear()
    assert environment_of(requirements, told.append, cache) == (both[0][0], None)
    assert told == []


def test_a_changed_file_makes_another_environment(requirements: Path, tmp_path: Path) -> None:
    before = environment_key(requirements)
    assert environment_key(requirements) == before
    (tmp_path / "more.txt").write_text("tiny-example>=1\n")
    assert environment_key(requirements) != before


def test_environments_lie_below_the_user_s_cache() -> None:
    assert cache_dir({"XDG_CACHE_HOME": "/c"}) == Path("/c/sagemaker-emulator/environments")
    assert cache_dir({"HOME": "/home/me"}) == Path("/home/me/.cache/sagemaker-emulator/environments")
