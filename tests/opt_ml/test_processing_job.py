"""Processing jobs in the test's own process."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from emulator.errors import UsageError
from emulator.opt_ml.opt_ml import OptMl

PROCESSING = Path("/opt/ml/processing")


def clean() -> None:
    """Write the rows of each input file that are not empty to an output of its own."""
    for path in (PROCESSING / "input/raw").iterdir():
        rows = [row for row in path.read_text().splitlines() if row]
        (PROCESSING / "output/clean" / path.name).write_text("\n".join(rows))
    (PROCESSING / "output/report/sub").mkdir()
    config = json.loads(Path("/opt/ml/config/processingjobconfig.json").read_text())
    seen = {"argv": sys.argv[1:], "environment": sorted(os.environ), "job": config["ProcessingJobName"]}
    (PROCESSING / "output/report/sub/seen.json").write_text(json.dumps(seen))
    Path("/opt/ml/output/message").write_text("all clean")


def test_inputs_become_outputs(opt_ml: OptMl) -> None:
    job = opt_ml.processing_job(
        inputs={"raw": {"a.csv": "1\n\n2\n"}}, outputs=["clean", "report"], arguments=["--strict"], name="prep"
    )
    result = job.run(clean)
    assert result.status == "Completed"
    assert result.exit_message == "all clean"
    assert result.outputs["clean"].read_text("a.csv") == "1\n2"
    seen = result.outputs["report"].load("sub/seen.json")
    assert (seen["argv"], seen["job"]) == (["--strict"], "prep")
    assert not [name for name in seen["environment"] if name.startswith(("SM_", "TRAINING_"))]
    assert result.describe()["ExitMessage"] == "all clean"


@pytest.mark.parametrize(
    ("failing", "ended", "parts"),
    [
        ("algo-2", {"algo-1": 0, "algo-2": 2}, {"algo-1": "a c", "algo-2": "b"}),
        ("algo-1", {"algo-1": 2, "algo-2": 143}, {"algo-1": "a c"}),
    ],
)
def test_each_host_has_its_part_and_none_follows_one_that_fails(
    opt_ml: OptMl, failing: str, ended: dict[str, int], parts: dict[str, str]
) -> None:
    def work() -> None:
        host = json.loads(Path("/opt/ml/config/resourceconfig.json").read_text())["current_host"]
        found = sorted(path.name for path in (PROCESSING / "data").iterdir())
        (PROCESSING / "output/found" / host).write_text(" ".join(found))
        if host == failing:
            Path("/opt/ml/output/message").write_text("it is bad")
            sys.exit(2)

    data = opt_ml.processing_input(dict.fromkeys("abc", "1"), "/opt/ml/processing/data", distribution="ShardedByS3Key")
    result = opt_ml.processing_job(inputs={"data": data}, outputs=["found"], hosts=2, expect="Failed").run(work)
    found = result.outputs["found"]
    assert {name: found.read_text(name) for name in found} == parts
    assert result.exit_codes == ended
    assert result.failure_reason == "AlgorithmError: it is bad, exit code: 2"


def test_folders_of_its_own(opt_ml: OptMl) -> None:
    def work() -> None:
        (PROCESSING / "there/file").write_text("1")

    result = opt_ml.processing_job(outputs={"mine": "/opt/ml/processing/there"}).run(work)
    assert result.outputs["mine"].names == ("file",)
    with pytest.raises(UsageError, match="must begin with /opt/ml/processing/ and a name"):
        opt_ml.processing_job(outputs={"mine": "/elsewhere"})


def test_a_manifest_is_read(opt_ml: OptMl) -> None:
    opt_ml.put("s3://data/", {"x/1.txt": "1", "x/2.txt": "2", "m/list": '[{"prefix": "s3://data/x/"}, "2.txt"]'})
    s3_input = {"S3Uri": "s3://data/m/list", "S3DataType": "ManifestFile", "S3InputMode": "File"}
    given = {"S3Input": {**s3_input, "LocalPath": "/opt/ml/processing/listed"}}

    def work() -> None:
        assert [path.name for path in (PROCESSING / "listed").iterdir()] == ["2.txt"]

    opt_ml.processing_job(inputs={"listed": given}).run(work)


def test_on_the_disk_there_is_no_way_to_find_it_but_the_directory(opt_ml: OptMl) -> None:
    def work() -> None:
        assert Path("processing/input/raw/a").read_text() == "1"
        Path("processing/output/copied/b").write_text("2")

    result = opt_ml.processing_job(inputs={"raw": {"a": "1"}}, outputs=["copied"]).run(work, on_disk=True)
    assert result.outputs["copied"].read_text("b") == "2"
