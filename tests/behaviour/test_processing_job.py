"""Processing jobs through boto3 alone: processing.md, on every engine."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.jobs.ports import Capabilities
from tests.jobs import ProcessingJob, ProcessingJobs, new_name
from tests.programs import ME, TALK, until

OUT = "/opt/ml/processing/out"


def test_inputs_become_outputs(processing: ProcessingJobs) -> None:
    rows = processing.input("rows", {"/a.csv": b"1", "/deep/b.csv": b"22", "/empty/": b""})
    job = processing.running(
        "cd /opt/ml/processing; find input | sort; cp -r input/rows/. out/; mkdir out/nothing; ln -s a.csv out/link; "
        "echo kept > out/new",
        ProcessingInputs=[rows],
        ProcessingOutputConfig=processing.outputs("out"),
    ).ended()
    assert job.status == "Completed", (job.failure_reason, job.log())
    below = "input/rows"
    found = [below, f"{below}/a.csv", f"{below}/deep", f"{below}/deep/b.csv", f"{below}/empty"]
    assert job.log() == ["input", *found]
    assert job.objects("out/") == {"a.csv": b"1", "deep/b.csv": b"22", "new": b"kept\n"}


def test_describe_tells_what_was_asked_and_what_happened(processing: ProcessingJobs) -> None:
    program, name = f"{until()}; printf done > /opt/ml/output/message", new_name()
    request = processing.request(
        ProcessingJobName=name,
        AppSpecification={"ContainerEntrypoint": ["sh", "-c", program]},
        Environment={"A": "b", **processing.signs(program, name)},
        Tags=[{"Key": "k", "Value": "v"}],
    )
    processing.clients.sagemaker.create_processing_job(**request)
    job = ProcessingJob(processing.clients, name, processing.bucket)
    created = job.describe()
    assert created["ProcessingJobStatus"] == "InProgress"
    assert "Tags" not in created
    processing.running("true").ended()  # some other
    described = job.go().ended().describe()
    for member, value in request.items():
        if member != "Tags":
            assert described[member] == value, member
    assert described["ProcessingJobStatus"] == "Completed"
    assert described["ExitMessage"] == "done"
    assert "FailureReason" not in described
    times = [described[one] for one in ("CreationTime", "ProcessingStartTime", "ProcessingEndTime")]
    assert times == sorted(times)
    assert described["LastModifiedTime"] == described["ProcessingEndTime"]


@pytest.mark.parametrize(
    ("application", "seen"),
    [
        ({}, ["default"]),
        ({"ContainerEntrypoint": ["sh", "-c", "echo own $0", "x y"]}, ["own x y"]),
        ({"ContainerArguments": ["-c", "echo only arguments"]}, ["only arguments"]),
        ({"ContainerEntrypoint": ["echo"], "ContainerArguments": ["both", "$HOME *"]}, ["both $HOME *"]),
    ],
)
def test_each_of_entrypoint_and_arguments_overrides_on_its_own(
    processing: ProcessingJobs, application: dict[str, Any], seen: list[str]
) -> None:
    job = processing.create(image="command", AppSpecification=application).ended()
    assert (job.status, job.log()) == ("Completed", seen)


def test_a_failure_says_the_exit_code_keeps_the_message_and_uploads(processing: ProcessingJobs) -> None:
    job = processing.running(
        f"echo half > {OUT}/half; printf 'row 7 is bad' > /opt/ml/output/message; exit 7",
        ProcessingOutputConfig=processing.outputs("out"),
    ).ended()
    assert job.status == "Failed"
    assert job.failure_reason == "AlgorithmError: row 7 is bad, exit code: 7"
    assert job.describe()["ExitMessage"] == "row 7 is bad"
    assert job.objects("out/") == {"half": b"half\n"}


def test_a_stop_ends_it_and_keeps_the_outputs(processing: ProcessingJobs) -> None:
    job = processing.running(
        f"trap 'echo told > {OUT}/told; exit 0' TERM; echo ready; while :; do sleep 0.05; done",
        ProcessingOutputConfig=processing.outputs("out"),
    ).wrote("ready")
    assert job.stop().ended().status == "Stopped"
    assert job.objects("out/") == {"told": b"told\n"}
    with pytest.raises(ClientError, match="Stopped"):
        job.stop()


def test_the_time_limit_stops_it(processing: ProcessingJobs) -> None:
    job = processing.running(
        "trap 'exit 0' TERM; while :; do sleep 0.05; done", StoppingCondition={"MaxRuntimeInSeconds": 50}
    )
    assert job.ended().status == "Stopped"


def test_hosts_share_the_objects_of_a_sharded_input_and_nothing_is_lost(processing: ProcessingJobs) -> None:
    objects = {f"/part-{number}": bytes([number]) * 100 for number in range(7)}
    sharded = processing.input("sharded", objects, S3DataDistributionType="ShardedByS3Key")
    everything = processing.input("everything", {"/all": b"1"}, S3DataDistributionType="FullyReplicated")
    job = processing.running(
        f"{ME} cd /opt/ml/processing/input; cat everything/all; "
        f"for f in sharded/*; do sha256sum < $f > {OUT}/$me-$(basename $f); done",
        hosts=2,
        ProcessingInputs=[sharded, everything],
        ProcessingOutputConfig=processing.outputs("out"),
    ).ended()
    assert job.status == "Completed", (job.failure_reason, job.log())
    assert job.log("algo-1") == job.log("algo-2") == ["1"]
    hosts = {name: name.partition("-part")[0] for name in job.objects("out/")}
    assert sorted(hosts) == sorted(f"algo-{number % 2 + 1}-part-{number}" for number in range(7))
    assert len(set(job.objects("out/").values())) == 7


@pytest.mark.parametrize("isolated", [False, True], ids=["open", "isolated"])
def test_hosts_talk_by_name_in_both_directions(processing: ProcessingJobs, isolated: bool) -> None:
    job = processing.running(
        "python3 /opt/ml/processing/input/code/talk.py",
        hosts=2,
        ProcessingInputs=[processing.input("code", {"/talk.py": TALK.encode()})],
        NetworkConfig={"EnableNetworkIsolation": isolated},
    ).ended()
    assert job.status == "Completed", (job.failure_reason, job.log())
    assert (job.log("algo-1"), job.log("algo-2")) == (["heard algo-2"], ["heard algo-1"])


def test_one_failing_host_ends_the_others_whose_outputs_are_kept(processing: ProcessingJobs) -> None:
    job = processing.running(
        f"{ME} [ $me = algo-2 ] && {until()} && exit 9; "
        f"trap 'echo told > {OUT}/told; exit 7' TERM; echo ready; while :; do sleep 0.05; done",
        hosts=2,
        ProcessingOutputConfig=processing.outputs("out"),
    ).wrote("ready")
    job.go().ended()
    assert (job.status, job.failure_reason) == ("Failed", "AlgorithmError: , exit code: 9")
    assert job.log("algo-1") == ["ready"]
    assert job.objects("out/") == {"told": b"told\n"}


def test_a_continuous_output_is_in_s3_while_the_job_runs(processing: ProcessingJobs) -> None:
    job = processing.running(
        f"cd {OUT}; echo one > one; while :; do date +%s.%N >> grows; sleep 0.1; done & "
        f"{until()}; echo two > one; wait",
        ProcessingOutputConfig=processing.outputs("out", mode="Continuous"),
    )
    job.stored("out/one", b"one\n").go().stored("out/one", b"two\n")
    assert job.status == "InProgress"
    is_there = "grows" in job.objects("out/")
    assert job.stop().ended().status == "Stopped"
    written = [float(line) for line in job.objects("out/")["grows"].split()]
    # A file that is being written is not uploaded, unless the machine was too busy to write to it for a second.
    assert not is_there or max(after - before for before, after in pairwise(written)) > 0.9


def test_a_manifest_file_names_the_objects(processing: ProcessingJobs) -> None:
    prefix = processing.source("data", {"/a": b"1", "/deep/b": b"2", "/not-listed": b"3"})
    manifest = json.dumps([{"prefix": prefix}, "a", "deep/b"]).encode()
    listed = processing.input("listed", {"": manifest}, suffix="", S3DataType="ManifestFile")
    job = processing.running(
        "cd /opt/ml/processing/input/listed; find . -type f | sort; cat a deep/b", ProcessingInputs=[listed]
    ).ended()
    assert job.status == "Completed", job.failure_reason
    assert job.log() == ["./a", "./deep/b", "12"]


def test_inputs_may_lie_in_each_other_and_arrive_as_they_are(processing: ProcessingJobs) -> None:
    packed = gzip.compress(b"text")
    outer = processing.input("outer", {"/a.gz": packed}, LocalPath="/opt/ml/processing/input")
    inner = processing.input("inner", {"/b": b"2"}, LocalPath="/opt/ml/processing/input/code")
    job = processing.running(
        "cd /opt/ml/processing/input; zcat a.gz; echo; cat code/b; echo; echo x > code/new; rm a.gz",
        ProcessingInputs=[outer, inner],
    ).ended()
    assert (job.status, job.log()) == ("Completed", ["text", "2"])
    source = outer["S3Input"]["S3Uri"].removeprefix(f"s3://{processing.bucket}/")
    stored = processing.clients.s3.get_object(Bucket=processing.bucket, Key=f"{source}a.gz")["Body"].read()
    assert stored == packed


def test_a_bucket_that_is_gone_fails_a_job_that_had_completed(processing: ProcessingJobs) -> None:
    outputs = processing.outputs("out")
    outputs["Outputs"][0]["S3Output"]["S3Uri"] = "s3://no-such-bucket-at-all/x"
    job = processing.running(f"echo x > {OUT}/x", ProcessingOutputConfig=outputs).ended()
    assert job.status == "Failed"
    assert "s3://no-such-bucket-at-all/x/x" in job.failure_reason
    assert "NoSuchBucket" in job.failure_reason


def test_a_missing_image_says_what_to_do(processing: ProcessingJobs, capabilities: Capabilities) -> None:
    job = processing.create(AppSpecification={"ImageUri": "no/such:image"}).ended()
    assert job.status == "Failed"
    what_to_do = "docker build -t no/such:image" if capabilities.images else "sagemaker-emulator up --programs FILE"
    assert what_to_do in job.failure_reason
    assert "ProcessingStartTime" not in job.describe()


def test_a_file_that_takes_the_place_of_one_of_its_size_and_time_is_uploaded(processing: ProcessingJobs) -> None:
    job = processing.running(
        f"cd {OUT}; printf old > a; touch -d 2020-01-01 a; {until()}; "
        "printf new > /tmp/a; touch -d 2020-01-01 /tmp/a; mv /tmp/a a",
        ProcessingOutputConfig=processing.outputs("out", mode="Continuous"),
    )
    assert job.stored("out/a", b"old").go().ended().status == "Completed"
    assert job.objects("out/") == {"a": b"new"}
