"""A request read as values: hosts, command, addresses."""

from __future__ import annotations

import pytest

from emulator.contract.arns import S3Uri
from emulator.contract.job import Host, StreamName, hosts
from emulator.contract.kinds import TRAINING
from tests.builders import ROLE, SCOPE, algorithm, channel_request, instance_group, training_job

CLUSTER = "homogeneousCluster"


def test_a_small_request() -> None:
    job = training_job(TrainingJobName="Job-1")
    assert (job.name, job.arn, job.scope, job.role_arn) == ("Job-1", TRAINING.arn(SCOPE, "job-1"), SCOPE, ROLE)
    assert (job.image, job.entrypoint, job.arguments) == ("image", None, None)
    assert (job.hyperparameters, job.environment, job.channels, job.metric_definitions) == ({}, {}, (), ())
    assert (job.network_isolation, job.debug_hook) == (False, None)
    assert job.output == S3Uri(bucket="bucket", key="out")


def test_a_job_runs_for_a_day_unless_the_request_says_otherwise() -> None:
    assert training_job(StoppingCondition={}).max_runtime_seconds == 86400
    assert training_job(StoppingCondition={"MaxRuntimeInSeconds": 5}).max_runtime_seconds == 5


def test_channels_take_the_jobs_input_mode() -> None:
    channels = [channel_request("a"), channel_request("b", InputMode="File")]
    job = training_job(AlgorithmSpecification=algorithm(TrainingInputMode="FastFile"), InputDataConfig=channels)
    assert [(one.name, one.input_mode) for one in job.channels] == [("a", "FastFile"), ("b", "File")]


# Hosts


def test_hosts_are_numbered_from_1() -> None:
    found = hosts({"InstanceType": "ml.m5.large", "InstanceCount": 3})
    assert [host.name for host in found] == ["algo-1", "algo-2", "algo-3"]
    assert [host.number for host in found] == [1, 2, 3]
    assert {(host.instance_type, host.group) for host in found} == {("ml.m5.large", CLUSTER)}


def test_numbers_run_on_across_instance_groups() -> None:
    groups = [instance_group("cpu", "ml.c5.xlarge", 2), instance_group("gpu", "ml.p3.2xlarge", 1)]
    assert hosts({"InstanceGroups": groups}) == (
        Host(name="algo-1", instance_type="ml.c5.xlarge", group="cpu"),
        Host(name="algo-2", instance_type="ml.c5.xlarge", group="cpu"),
        Host(name="algo-3", instance_type="ml.p3.2xlarge", group="gpu"),
    )


# Command: training.md 2.1


@pytest.mark.parametrize(
    ("entrypoint", "arguments", "set_entrypoint", "command"),
    [
        (None, None, None, ("train",)),
        (["python", "-u", "t.py"], None, ("python", "-u", "t.py"), ()),
        (None, ["a", "b"], None, ("a", "b")),
        (["/bin/bash"], ["-c", "x && y"], ("/bin/bash",), ("-c", "x && y")),
        (None, ["train"], None, ("train",)),
    ],
)
def test_the_command_of_a_container(
    entrypoint: list[str] | None,
    arguments: list[str] | None,
    set_entrypoint: tuple[str, ...] | None,
    command: tuple[str, ...],
) -> None:
    specification = algorithm(ContainerEntrypoint=entrypoint, ContainerArguments=arguments)
    job = training_job(AlgorithmSpecification=specification)
    assert job.command == (set_entrypoint, command)


# Input data


def test_a_channel_is_data_for_the_hosts_of_its_groups() -> None:
    groups = [instance_group("cpu", "ml.c5.xlarge", 1), instance_group("gpu", "ml.p3.2xlarge", 1)]
    source = {"InstanceGroupNames": ["gpu"], "S3DataDistributionType": "ShardedByS3Key"}
    job = training_job(ResourceConfig={"InstanceGroups": groups}, InputDataConfig=[channel_request("a", source=source)])
    (found,) = job.input_data
    assert (found.name, found.distribution, str(found.path)) == ("a", "ShardedByS3Key", "/opt/ml/input/data/a")
    assert found.receivers == job.hosts[1:]
    assert [found.path in job.directory_modes(host) for host in job.hosts] == [False, True]


def test_the_directories_of_a_training_job() -> None:
    job = training_job(InputDataConfig=[channel_request("a")])
    assert {str(path) for path in job.directory_modes(job.hosts[0])} >= {"/opt/ml/model", "/opt/ml/input/data/a"}
    assert [str(path) for path in job.mount_roots] == ["/opt/ml/input", "/opt/ml/model", "/opt/ml/output"]


# Addresses


@pytest.mark.parametrize("path", ["s3://b/p", "s3://b/p/"])
def test_artifacts_lie_below_the_output_path_and_the_jobs_name_in_its_case(path: str) -> None:
    job = training_job(TrainingJobName="Job-A", OutputDataConfig={"S3OutputPath": path})
    assert str(job.model_artifacts) == "s3://b/p/Job-A/output/model.tar.gz"
    assert str(job.output_artifacts) == "s3://b/p/Job-A/output/output.tar.gz"


def test_artifacts_in_the_root_of_a_bucket() -> None:
    job = training_job(TrainingJobName="J", OutputDataConfig={"S3OutputPath": "s3://b"})
    assert str(job.model_artifacts) == "s3://b/J/output/model.tar.gz"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("A-job-1/algo-12-1692170805", StreamName(job="A-job-1", host="algo-12", started_at=1692170805)),
        ("job/algo-1", None),
        ("job/other-1-2", None),
        ("algo-1-1692170805", None),
        ("job/algo-1-²", None),
        (f"job/algo-1-{'9' * 5000}", None),
    ],
)
def test_the_name_of_a_log_stream_is_read(text: str, parsed: StreamName | None) -> None:
    assert StreamName.parse(text) == parsed
    assert parsed is None or str(parsed) == text


def test_log_streams_of_all_hosts_have_one_number() -> None:
    job = training_job(TrainingJobName="Job-A", ResourceConfig={"InstanceType": "t", "InstanceCount": 2})
    assert [job.log_stream(host, 1692170805.9) for host in job.hosts] == [
        "Job-A/algo-1-1692170805",
        "Job-A/algo-2-1692170805",
    ]
