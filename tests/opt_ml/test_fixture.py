"""The fixture in a project of its own, and the examples of its page."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import dedent

import pytest

PAGE = Path(__file__).parents[2] / "docs/rungs/opt_ml.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_run(pytester: pytest.Pytester, number: int) -> None:
    pytester.makepyfile(EXAMPLES[number])
    passed = EXAMPLES[number].count("def test_")
    pytester.runpytest_inprocess("-p", "emulator.pytest_plugin", "-p", "no:cacheprovider").assert_outcomes(
        passed=passed
    )


def test_a_failure_explains_itself_in_the_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def train():
            print("epoch=1")
            raise ValueError("no label")

        def test_train(opt_ml):
            opt_ml.training_job().run(train)
    """)
    found = pytester.runpytest_inprocess("-p", "emulator.pytest_plugin", "-p", "no:cacheprovider")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(
        [
            "*ValueError: no label",
            "*JobEndError: The training job test-train-1 is Failed, expected Completed.",
            "*FailureReason: AlgorithmError: , exit code: 1",
            "*epoch=1",
        ]
    )
    assert "emulator/opt_ml/engine.py" not in found.stdout.str(), "our own frames are not of interest"


def test_a_script_is_found_from_the_root_folder(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(**{"training/train": "open('/opt/ml/model/m', 'w').close()"})
    pytester.makepyfile("""
        def test_train(opt_ml):
            assert "m" in opt_ml.training_job().run_script("training/train.py").model
    """)
    pytester.runpytest_inprocess("-p", "emulator.pytest_plugin", "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_data_is_given_as_to_a_training_job(pytester: pytest.Pytester) -> None:
    """Paths are relative to pytest's root folder, wherever it is started; bytes are one file, folders all of theirs."""
    pytester.mkdir("elsewhere")
    pytester.mkdir("data").joinpath("a.csv").write_text("1,2")
    pytester.makeini("[pytest]")
    pytester.makepyfile("""
        import os
        from pathlib import Path

        def test_train(opt_ml, monkeypatch):
            monkeypatch.chdir("elsewhere")
            channels = {"folder": Path("data"), "bytes": b"3", "map": {"x": Path("data"), "y.csv": Path("data/a.csv")}}
            def train():
                top = Path("/opt/ml/input/data")
                found = {str(one.relative_to(top)): one.read_text() for one in top.rglob("*") if one.is_file()}
                assert {name for name in found if "manifest" not in name} == {
                    "folder/a.csv", "bytes/data", "map/x/a.csv", "map/y.csv"
                }
            opt_ml.training_job(channels=channels).run(train)

        def test_mistakes(opt_ml):
            opt_ml.training_job(channels=[Path("data")])
    """)
    outcome = pytester.runpytest_inprocess("-p", "emulator.pytest_plugin", "-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=1, failed=1)
    outcome.stdout.fnmatch_lines(["E*UsageError: channels=[[]PosixPath('data')[]]: give it by name, as in channels=*"])
    assert "emulator/opt_ml/" not in outcome.stdout.str(), "our own frames are not of interest"


def test_the_fixture_of_pyfakefs_goes_before(pytester: pytest.Pytester) -> None:
    """Both fake the whole process, so they do not go together; one test after the other they do."""
    pytester.makepyfile("""
        import os, pathlib, pytest
        from emulator.errors import UsageError

        def work():
            pathlib.Path("/opt/ml/model/m").write_text("1")

        def test_before(fs):
            fs.create_file("/x")
            assert os.path.exists("/x")

        def test_job(opt_ml):
            assert "m" in opt_ml.training_job().run(work).model
            assert not os.path.exists("/x")

        def test_after(fs):
            assert not os.path.exists("/opt/ml")

        def test_both(opt_ml, fs):
            with pytest.raises(UsageError, match="fakes this whole test already"):
                opt_ml.training_job().run(work)
    """)
    found = pytester.runpytest_subprocess("-p", "emulator.pytest_plugin", "-p", "no:cacheprovider")
    found.assert_outcomes(passed=4)


def test_without_pyfakefs_it_says_what_to_install(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    hide = """
        import sys

        class Hidden:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "pyfakefs":
                    raise ImportError("No module named 'pyfakefs'")

        sys.meta_path.insert(0, Hidden())
    """
    pytester.makepyfile(conftest=dedent(hide))
    pytester.makepyfile("""
        import os, pathlib

        def test_faked(opt_ml):
            opt_ml.training_job().run(print)

        def test_on_the_disk(opt_ml):
            def work():
                pathlib.Path(os.environ["SM_MODEL_DIR"], "m").write_text("1")
            assert "m" in opt_ml.training_job().run(work, on_disk=True).model
    """)
    options = ["-p", "emulator.pytest_plugin", "-p", "no:cacheprovider"]
    found = pytester.runpytest_subprocess(*options)
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["*pip install 'sagemaker-emulator[[]pytest[]]'*"])


def test_nothing_is_imported_before_a_test_asks(pytester: pytest.Pytester) -> None:
    program = "import sys, emulator.pytest_plugin; print([n for n in sys.modules if 'opt_ml.' in n or 'pyfakefs' in n])"
    assert pytester.run(sys.executable, "-c", program).outlines == ["[]"]
