"""A CreateProcessingJob request read as values: processing.md 2 to 7."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.arns import S3Uri
from emulator.contract.job import InputData
from emulator.contract.kinds import PROCESSING
from emulator.contract.processing_job import ProcessingInput, ProcessingOutput, outermost
from tests.builders import (
    ROLE,
    SCOPE,
    cluster,
    outputs,
    processing_input,
    processing_job,
    processing_output,
)


def test_a_small_request() -> None:
    job = processing_job(ProcessingJobName="Prep-1")
    assert (job.name, job.arn, job.scope, job.role_arn) == ("Prep-1", PROCESSING.arn(SCOPE, "prep-1"), SCOPE, ROLE)
    assert (job.image, job.environment, job.inputs, job.outputs) == ("image", {}, (), ())
    assert (job.network_isolation, job.experiment_config) == (False, None)
    assert job.kind.log_group == "/aws/sagemaker/ProcessingJobs"


def test_what_is_read_of_a_request() -> None:
    job = processing_job(
        Environment={"A": "b"},
        NetworkConfig={"EnableNetworkIsolation": True},
        ExperimentConfig={"RunName": "e-run"},
    )
    assert (job.environment, job.network_isolation, job.experiment_config) == ({"A": "b"}, True, {"RunName": "e-run"})


def test_a_job_runs_for_a_day_unless_the_request_says_otherwise() -> None:
    assert processing_job().max_runtime_seconds == 86400
    assert processing_job(StoppingCondition={"MaxRuntimeInSeconds": 5}).max_runtime_seconds == 5


def test_log_streams_have_the_jobs_name_the_host_and_the_time() -> None:
    job = processing_job(ProcessingResources={"ClusterConfig": cluster(InstanceCount=2)})
    assert [job.log_stream(host, 1779135304.5) for host in job.hosts] == [
        "Prep-1/algo-1-1779135304",
        "Prep-1/algo-2-1779135304",
    ]


# Command: processing.md 4


@pytest.mark.parametrize(
    ("entrypoint", "arguments", "command"),
    [
        (None, None, (None, ())),
        (["python3", "p.py"], None, (("python3", "p.py"), ())),
        (None, ["--a", "$HOME"], (None, ("--a", "$HOME"))),
        (["python3"], ["--a", "1"], (("python3",), ("--a", "1"))),
    ],
)
def test_the_command_of_a_container(entrypoint: list[str] | None, arguments: list[str] | None, command: object) -> None:
    application: dict[str, Any] = {"ImageUri": "image"}
    application |= {"ContainerEntrypoint": entrypoint} if entrypoint else {}
    application |= {"ContainerArguments": arguments} if arguments else {}
    assert processing_job(AppSpecification=application).command == command


# Hosts: processing.md 2.1


@pytest.mark.parametrize(
    ("config", "instance_type", "count"),
    [
        (cluster(InstanceType="ml.c5.xlarge", InstanceCount=3), "ml.c5.xlarge", 3),
        (cluster(InstanceCount=None), "ml.m5.large", 1),
        (cluster(InstanceType=None, InstanceCount=2, InstancePreferences=[{"InstanceType": "a"}]), "a", 2),
        (
            cluster(
                InstanceType=None,
                InstanceCount=None,
                InstancePreferences=[
                    {"InstanceType": "a", "InstanceCount": 4},
                    {"InstanceType": "b", "InstanceCount": 2},
                ],
            ),
            "a",
            4,
        ),
        (cluster(InstanceType=None, InstanceCount=None, InstancePreferences=[{"InstanceType": "a"}]), "a", 1),
    ],
)
def test_the_hosts_of_a_cluster(config: dict[str, Any], instance_type: str, count: int) -> None:
    found = processing_job(ProcessingResources={"ClusterConfig": config}).hosts
    assert [host.name for host in found] == [f"algo-{number}" for number in range(1, count + 1)]
    assert {host.instance_type for host in found} == {instance_type}


# Inputs and outputs: processing.md 6 and 7


def test_an_input_has_the_defaults_of_the_service() -> None:
    (found,) = processing_job(ProcessingInputs=[processing_input("data", "s3://b/p/")]).inputs
    assert found == ProcessingInput(
        name="data",
        source=S3Uri(bucket="b", key="p/"),
        local_path=PurePosixPath("/opt/ml/processing/data"),
        s3_data_type="S3Prefix",
        distribution="FullyReplicated",
    )
    assert found.is_downloaded


def test_an_input_as_it_was_asked_for() -> None:
    sent = processing_input(
        local_path="/opt/ml/processing/input/code/", S3DataType="ManifestFile", S3DataDistributionType="ShardedByS3Key"
    )
    found = ProcessingInput.parse(sent)
    assert str(found.local_path) == "/opt/ml/processing/input/code"
    assert (found.s3_data_type, found.distribution) == ("ManifestFile", "ShardedByS3Key")


@pytest.mark.parametrize(
    ("sent", "source"),
    [
        ({"InputName": "a", "AppManaged": True}, None),
        (processing_input(managed=True, LocalPath=None), S3Uri(bucket="bucket", key="in")),
    ],
)
def test_an_input_that_the_program_manages(sent: dict[str, Any], source: S3Uri | None) -> None:
    found = ProcessingInput.parse(sent)
    assert not found.is_downloaded
    assert (found.source, found.local_path) == (source, None)


def test_the_platform_downloads_what_the_program_does_not_manage() -> None:
    job = processing_job(
        ProcessingInputs=[processing_input("a", S3DataType="ManifestFile"), processing_input("b", managed=True)],
        ProcessingResources={"ClusterConfig": cluster(InstanceCount=2)},
    )
    assert job.input_data == (
        InputData(
            name="a",
            source=S3Uri(bucket="bucket", key="in"),
            s3_data_type="ManifestFile",
            distribution="FullyReplicated",
            path=PurePosixPath("/opt/ml/processing/a"),
            receivers=job.hosts,
        ),
    )


@pytest.mark.parametrize(
    ("sent", "uploaded", "continuous"),
    [
        (processing_output(), True, False),
        (processing_output(S3UploadMode="Continuous"), True, True),
        (processing_output(managed=True, S3UploadMode="Continuous"), False, False),
        ({"OutputName": "o", "AppManaged": True}, False, False),
    ],
)
def test_when_an_output_is_uploaded(sent: dict[str, Any], uploaded: bool, continuous: bool) -> None:
    found = ProcessingOutput.parse(sent)
    assert (found.is_uploaded, found.is_continuous) == (uploaded, continuous)


# What the container finds


def paths_of(job_paths: object) -> list[str]:
    return [str(path) for path in job_paths]  # type: ignore[attr-defined]


def test_directories_and_mounts_of_a_job_without_data() -> None:
    job = processing_job()
    assert paths_of(job.mount_roots) == ["/opt/ml/config", "/opt/ml/output"]
    (host,) = job.hosts
    assert job.directory_modes(host) == {
        PurePosixPath("/opt/ml/config"): 0o755,
        PurePosixPath("/opt/ml/output"): 0o777,
    }


def test_every_local_path_is_a_writable_directory_and_lies_in_one_mount() -> None:
    job = processing_job(
        ProcessingInputs=[
            processing_input("code", local_path="/opt/ml/processing/input/code/"),
            processing_input("input"),
            processing_input("managed", managed=True),
            processing_input("nowhere", managed=True, LocalPath=None),
        ],
        ProcessingOutputConfig=outputs(
            processing_output("out", local_path="/opt/ml/processing/input/out"), processing_output("output")
        ),
    )
    assert paths_of(job.mount_roots) == [
        "/opt/ml/config",
        "/opt/ml/output",
        "/opt/ml/processing/input",
        "/opt/ml/processing/managed",
        "/opt/ml/processing/output",
    ]
    writable = [str(path) for path, mode in job.directory_modes(job.hosts[0]).items() if mode == 0o777]
    assert writable == [
        "/opt/ml/output",
        "/opt/ml/processing/input",
        "/opt/ml/processing/input/code",
        "/opt/ml/processing/input/out",
        "/opt/ml/processing/managed",
        "/opt/ml/processing/output",
    ]


def test_a_name_that_begins_alike_is_a_mount_of_its_own() -> None:
    assert paths_of(outermost([PurePosixPath("/a/b"), PurePosixPath("/a/bc"), PurePosixPath("/a/b/c")])) == [
        "/a/b",
        "/a/bc",
    ]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(lambda names: PurePosixPath("/", *names))))
def test_no_mount_hides_another_and_each_directory_lies_in_one(directories: list[PurePosixPath]) -> None:
    roots = outermost(directories)
    assert set(roots) <= set(directories)
    for directory in directories:
        assert len([root for root in roots if directory.is_relative_to(root)]) == 1
