"""Experiments as their clients see them: SDK V2's and V3's `Run`, the older smexperiments package, DataFrames."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from concurrent.futures import Future
from typing import Any

import pytest

from tests.clients.programs import HERE, REPOSITORY, Finished, Programs, client
from tests.jobs import Clients

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-sdk"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def sdk_image() -> str:
    """An image with SDK V2 in it, of the packages of the client environment; the environment's own stamp names it."""
    client("sdk-v2", "python")
    environment = REPOSITORY / ".venvs/sdk-v2"
    dockerfile = HERE / "images/experiments/Dockerfile"
    made_of = (environment / ".made-of").read_bytes() + dockerfile.read_bytes()
    tag = f"sagemaker-emulator-test/experiments:{hashlib.sha256(made_of).hexdigest()[:16]}"
    known = subprocess.run(["docker", "image", "inspect", tag], capture_output=True, timeout=60, check=False)
    if known.returncode:
        command = ["docker", "build", "--quiet", "--tag", tag, "-"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as build:
            assert build.stdin is not None
            assert build.stdout is not None
            with build.stdin, tarfile.open(fileobj=build.stdin, mode="w|", format=tarfile.GNU_FORMAT) as context:
                context.add(dockerfile, "Dockerfile")
                context.add(environment / "lib/python3.11/site-packages", "packages", filter=_for_a_program)
            said = build.stdout.read().decode()
        assert build.returncode == 0, said
    return tag


def _for_a_program(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what only the machine of the person who starts the program needs."""
    return None if member.name.split("/")[1:2] in (["sklearn"], ["scipy"], ["scipy.libs"], ["pip"]) else member


@pytest.fixture(scope="module")
def scripts(programs: Programs, own_image: str, sdk_image: str) -> dict[str, Future[Finished]]:
    """Start every script of this module at once."""
    return {
        "v2": programs.script("sdk-v2", "v2_experiments.py", TRAIN_IMAGE=sdk_image),
        "seed": programs.script("sdk-v2", "experiment_run.py", TRAIN_IMAGE=own_image),
        "processing": programs.script("sdk-v2", "v2_experiment_processing.py", TRAIN_IMAGE=sdk_image),
        "v3": programs.script("sdk-v3", "v3_experiments.py"),
        "smexperiments": programs.script("smexperiments", "smexperiments_tracker.py", TRAIN_IMAGE=own_image),
    }


@pytest.fixture(scope="module")
def tracked(scripts: dict[str, Future[Finished]]) -> dict[str, Any]:
    """What v2_experiments.py has seen."""
    return scripts["v2"].result().succeeded().result


def row(tracked: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the row of the DataFrame of one trial component, without what it does not have."""
    (found,) = (one for one in tracked["rows"] if one["TrialComponentName"] == name)
    return {column: value for column, value in found.items() if value is not None}


# SDK V2: the columns of training.md 9.7


def test_the_row_of_a_run(tracked: dict[str, Any]) -> None:
    run = row(tracked, "ads-ranking-deep-1")

    assert (run["features"], run["layers"], run["dropout"], run["later"]) == ("v1", 3.0, 0.25, 1.0)
    assert run["inside"] == "container"
    assert [run[f"auc - {name}"] for name in ("Min", "Max", "Last", "Count")] == [0.5, 0.74, 0.74, 25]
    assert run["auc - Avg"] == pytest.approx(0.62)
    assert run["auc - StdDev"] == pytest.approx(0.0721110, abs=1e-6)
    assert (run["accuracy - Last"], run["accuracy - StdDev"]) == (0.875, 0)
    assert (run["inner:loss - Count"], run["inner:loss - Last"]) == (4, 0.25)
    assert run["dataset - Value"] == f"s3://{tracked['bucket']}/data/"
    assert run["dataset - MediaType"] == "text/csv"
    assert run["notes - Value"].endswith("/trial-component-artifacts/ads-ranking-deep-1/notes.txt")
    assert run["Trials"] == ["Default-Run-Group-ads-ranking"]
    assert run["Experiments"] == ["ads-ranking"]


def test_the_run_has_what_its_job_has(tracked: dict[str, Any], aws: Clients) -> None:
    described = aws.sagemaker.describe_trial_component(TrialComponentName="ads-ranking-deep-1")
    arn = aws.sagemaker.describe_training_job(TrainingJobName=tracked["job"])["TrainingJobArn"]
    run = row(tracked, "ads-ranking-deep-1")

    assert described["Sources"] == [{"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}]
    assert "Source" not in described
    assert described["Status"]["PrimaryStatus"] == "Completed"
    assert (run["optimizer"], run["epochs"]) == ("adam", 4.0)
    assert run["train:loss - Count"] == 4


def test_the_row_of_the_job_inside_of_the_run(tracked: dict[str, Any]) -> None:
    job = row(tracked, f"{tracked['job']}-aws-training-job")

    assert job["SourceArn"] == f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{tracked['job']}"
    assert (job["epochs"], job["optimizer"]) == (4.0, "adam")
    assert (job["SageMaker.InstanceCount"], job["SageMaker.InstanceType"]) == (1.0, "ml.m5.large")
    assert job["SageMaker.ImageUri"].startswith("sagemaker-emulator-test/experiments:")
    assert [job[f"train:loss - {name}"] for name in ("Min", "Max", "Last", "Count")] == [0.25, 1.0, 0.25, 4]
    assert job["code - Value"] == f"s3://{tracked['bucket']}/code/"
    assert job["SageMaker.ModelArtifact - Value"].endswith(f"/{tracked['job']}/output/model.tar.gz")
    assert job["Trials"] == ["Default-Run-Group-ads-ranking"]
    assert "inner:loss - Count" not in job


def test_the_order_of_the_columns(tracked: dict[str, Any]) -> None:
    """Of a table whose first row has all there is; what a later row adds, pandas puts behind."""
    artifacts = ("code", "dataset", "SageMaker.DebugHookOutput", "SageMaker.ModelArtifact", "notes")

    assert tracked["best"]["columns"] == [
        "TrialComponentName",
        "DisplayName",
        "layers",
        *(f"auc - {name}" for name in ("Min", "Max", "Avg", "StdDev", "Last", "Count")),
        *(f"{name} - {what}" for name in artifacts for what in ("MediaType", "Value")),
        "Trials",
        "Experiments",
    ]


def test_a_run_that_raised(tracked: dict[str, Any], aws: Clients) -> None:
    status = aws.sagemaker.describe_trial_component(TrialComponentName="ads-ranking-wide")["Status"]

    assert status["PrimaryStatus"] == "Failed"
    assert "row 7 has no label" in status["Message"]
    assert sorted(tracked["runs"]) == ["deep-1", "wide"]


def test_a_search_sorted_by_a_metric(tracked: dict[str, Any]) -> None:
    (best,) = [one for one in tracked["best"]["rows"] if one["auc - Max"] is not None][:1]

    assert best["TrialComponentName"] == "ads-ranking-deep-1"
    assert (best["auc - Max"], best["layers"]) == (0.74, 3.0)
    assert "accuracy - Max" not in tracked["best"]["columns"]


def test_the_charts_are_artifacts_of_the_run(tracked: dict[str, Any], aws: Clients) -> None:
    arn = aws.sagemaker.describe_trial_component(TrialComponentName="ads-ranking-deep-1")["TrialComponentArn"]
    found = aws.sagemaker.list_associations(SourceArn=arn, AssociationType="Produced")["AssociationSummaries"]

    charts = {one["DestinationType"]: one["DestinationArn"] for one in found}
    assert set(charts) == {"ConfusionMatrix", "ROCCurve", "PrecisionRecallCurve"}
    source = aws.sagemaker.describe_artifact(ArtifactArn=charts["ConfusionMatrix"])["Source"]["SourceUri"]
    bucket, _, key = source.removeprefix("s3://").partition("/")
    chart = json.loads(aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert (chart["type"], chart["confusionMatrix"]) == ("ConfusionMatrix", [[2, 0], [1, 1]])


def test_the_job_s_metrics_as_a_table(tracked: dict[str, Any]) -> None:
    assert [(one["metric_name"], one["timestamp"]) for one in tracked["job_metrics"]] == [("train:loss", 0.0)]


def test_a_processing_program_finds_its_run(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    job = scripts["processing"].result().succeeded().result["job"]

    run = aws.sagemaker.describe_trial_component(TrialComponentName="prepared-one")
    assert run["Parameters"]["rows"] == {"NumberValue": 4.0}
    assert run["Sources"][0]["SourceType"] == "SageMakerProcessingJob"
    component = aws.sagemaker.describe_trial_component(TrialComponentName=f"{job}-aws-processing-job")
    assert component["Status"] == {
        "PrimaryStatus": "Completed",
        "Message": "Status: Completed, exit message: null, failure reason: null",
    }
    assert "code" in component["InputArtifacts"]


# The script of the user that this project was made for


def test_the_seed_prints_its_table(scripts: dict[str, Future[Finished]]) -> None:
    printed = scripts["seed"].result().succeeded().stdout

    for text in ("ctr-baseline", "-aws-training-job", "loss - StdDev", "SageMaker.ModelArtifact - Value", "features"):
        assert text in printed


# SDK V3


def test_the_run_of_the_third_sdk(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    assert scripts["v3"].result().succeeded().result == {"runs": ["one"]}

    described = aws.sagemaker.describe_trial_component(TrialComponentName="third-one")
    assert described["Parameters"] == {"layers": {"NumberValue": 3.0}, "optimizer": {"StringValue": "adam"}}
    assert {one["MetricName"]: one["Last"] for one in described["Metrics"]} == {"auc": 0.75, "loss": 0.3}


# smexperiments


def test_the_tracker_of_smexperiments(scripts: dict[str, Future[Finished]], aws: Clients) -> None:
    result = scripts["smexperiments"].result().succeeded().result

    assert result["trials"] == ["old-trial"]
    assert sorted(result["components"]) == sorted([result["tracker"], f"{result['job']}-aws-training-job"])
    assert result["searched"] == [result["job"]]
    described = aws.sagemaker.describe_trial_component(TrialComponentName=result["tracker"])
    assert described["Parameters"] == {"lr": {"NumberValue": 0.5}, "optimizer": {"StringValue": "adam"}}
    assert described["InputArtifacts"]["data"]["Value"] == "s3://bucket/data"
    job = aws.sagemaker.describe_trial_component(TrialComponentName=f"{result['job']}-aws-training-job")
    assert job["DisplayName"] == "Training"
    assert job["Status"]["PrimaryStatus"] == "Completed"
    assert result["deleted"] == "ResourceNotFound"
