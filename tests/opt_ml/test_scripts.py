"""Scripts, run as the training toolkit runs them: as `__main__`, beside their modules."""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from emulator.errors import UsageError
from emulator.opt_ml.opt_ml import OptMl

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a source folder and returns the path of its train.py."""

    def files(train: str, **others: str) -> Path:
        for name, text in {"train": train, **others}.items():
            (tmp_path / f"{name}.py").write_text(dedent(text))
        (tmp_path / "settings.json").write_text('{"scale": 10}')
        return tmp_path / "train.py"

    return files


def test_a_script_finds_itself_as_in_its_container(opt_ml: OptMl, write: Write) -> None:
    script = write(
        """
        import argparse, json, os, sys
        from pathlib import Path
        import features

        parser = argparse.ArgumentParser()
        parser.add_argument("--epochs", type=int)
        parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
        if __name__ == "__main__":
            args = parser.parse_args()
            seen = {
                "epochs": args.epochs, "rows": features.rows(args.train), "file": __file__, "argv": sys.argv,
                "cwd": os.getcwd(), "settings": json.loads((Path(__file__).parent / "settings.json").read_text()),
                "beside": sorted(set(os.listdir()) - {"__pycache__"}),
            }
            with open(os.path.join(os.environ["SM_MODEL_DIR"], "seen.json"), "w") as file:
                json.dump(seen, file)
        """,
        features="""
        import os, pathlib
        CONFIG = pathlib.Path("/opt/ml/input/config/hyperparameters.json").read_text()  # at import, too

        def rows(folder):
            return sum(len(open(os.path.join(folder, name)).readlines()) for name in os.listdir(folder))
        """,
    )
    job = opt_ml.training_job(channels={"train": {"a.csv": "1\n2\n"}}, hyperparameters={"epochs": 3})
    seen = job.run_script(script).model.load("seen.json")
    assert seen == {
        "epochs": 3,
        "rows": 2,
        "file": "/opt/ml/code/train.py",
        "argv": ["train.py", "--epochs", "3"],
        "cwd": "/opt/ml/code",
        "settings": {"scale": 10},
        "beside": ["features.py", "settings.json", "train.py"],
    }
    assert "features" not in sys.modules
    assert str(script.parent) not in sys.path
    assert sorted(path.name for path in script.parent.glob("*.json")) == ["settings.json"]


def test_each_run_is_a_new_process(opt_ml: OptMl, write: Write) -> None:
    script = write(
        "import counter; counter.count += 1; assert counter.count == 1; open('left', 'w').close()", counter="count = 0"
    )
    job = opt_ml.training_job()
    job.run_script(script)
    job.run_script(script)
    assert not (script.parent / "left").exists()


def test_what_a_script_pickles_is_of_main(opt_ml: OptMl, write: Write) -> None:
    script = write(
        """
        import pickle
        class Model: pass
        pickle.dump(Model(), open("/opt/ml/model/model.pkl", "wb"))
        """
    )
    content = opt_ml.training_job().run_script(script).model.read_bytes("model.pkl")
    assert b"__main__" in content
    with pytest.raises(AttributeError):
        pickle.loads(content)


def test_the_toolkit_tells_of_a_failure(opt_ml: OptMl, write: Write) -> None:
    script = write("import sys; print('no data'); sys.exit(7)")
    result = opt_ml.training_job(hyperparameters={"epochs": 3}, expect="Failed").run_script(script)
    assert result.exit_code == 1, "the toolkit's own, whatever the script's was"
    assert result.failure_reason == (
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 7\nErrorMessage ""\n'
        f'Command "{sys.executable} -- train.py --epochs 3", exit code: 1'
    )
    plain = opt_ml.training_job(toolkit=False, expect="Failed").run_script(script)
    assert plain.failure_reason == "AlgorithmError: , exit code: 7"


def test_a_failure_file_of_the_script_stays(opt_ml: OptMl, write: Write) -> None:
    script = write(
        """
        open("/opt/ml/output/failure", "w").write("row 41 is broken")
        raise ValueError("row 41 is broken")
        """
    )
    result = opt_ml.training_job(expect="Failed").run_script(script)
    assert result.failure_reason == "AlgorithmError: row 41 is broken, exit code: 1"
    assert f'File "{script}", line 3' in result.logs.text, "the name that debuggers and coverage know"


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_library_is_loaded_from_the_real_disk_and_sees_the_fake(opt_ml: OptMl, write: Write, on_disk: bool) -> None:
    library = "wsgiref.headers", "this", "sndhdr"  # nobody has imported them before
    for name in library[:1]:
        sys.modules.pop(name, None)
    script = write(
        """
        import os, wsgiref.headers, netrc, importlib
        shelve = importlib.import_module("shelve")
        home = os.environ["SM_MODEL_DIR"]
        with open(home + "/n", "w") as file:
            file.write("machine m login l password p")
        os.chmod(home + "/n", 0o600)
        with open(home + "/found", "w") as file:
            file.write(netrc.netrc(home + "/n").authenticators("m")[0])
        """
    )
    sys.modules.pop("netrc", None)
    job = opt_ml.training_job()
    for _ in range(2):
        assert job.run_script(script, on_disk=on_disk).model.read_text("found") == "l"
    assert sys.modules["netrc"].__dict__["os"] is sys.modules["os"], "patched for the run only"


def test_a_script_on_the_disk(opt_ml: OptMl, write: Write) -> None:
    script = write(
        """
        import os, json, subprocess
        from pathlib import Path
        assert json.loads((Path(__file__).parent / "settings.json").read_text()) == {"scale": 10}
        subprocess.run(["touch", os.environ["SM_MODEL_DIR"] + "/by-another-process"], check=True)
        """
    )
    assert "by-another-process" in opt_ml.training_job().run_script(script, on_disk=True).model


def test_a_script_that_is_not_there(opt_ml: OptMl, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no script .*/missing\.py"):
        opt_ml.training_job().run_script(tmp_path / "missing.py")


def test_a_processing_script_gets_its_arguments(opt_ml: OptMl, write: Write) -> None:
    script = write(
        """
        import json, sys
        json.dump(sys.argv, open("/opt/ml/processing/output/out/argv.json", "w"))
        """
    )
    job = opt_ml.processing_job(outputs=["out"], entrypoint=["python3", "train.py"], arguments=["--rows", "2"])
    assert json.loads(job.run_script(script).outputs["out"].read_text("argv.json")) == ["train.py", "--rows", "2"]
