"""What a training job does, seen through boto3 alone. Runs on every engine."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import uuid
from http.client import HTTPConnection
from typing import Any

import pytest

from emulator.endpoint import Endpoint
from emulator.jobs.ports import Capabilities
from tests.images import images_of
from tests.jobs import Clients, Job, TrainingJobs
from tests.programs import until

# How it ends


def test_a_job_completes_and_tells_its_stages(jobs: TrainingJobs) -> None:
    job = jobs.running("echo hello > /opt/ml/model/weights", InputDataConfig=[jobs.channel("train", {"/a": b"1"})])
    described = job.ended().describe()

    assert described["TrainingJobStatus"] == described["SecondaryStatus"] == "Completed"
    assert job.secondary_statuses == ["Starting", "Pending", "Downloading", "Training", "Uploading", "Completed"]
    transitions = described["SecondaryStatusTransitions"]
    assert [one["EndTime"] for one in transitions[:-1]] == [one["StartTime"] for one in transitions[1:]]
    assert transitions[-1]["StartTime"] == transitions[-1]["EndTime"] == described["TrainingEndTime"]
    assert transitions[-1]["StatusMessage"] == "Training job completed"
    assert described["TrainingStartTime"] == transitions[2]["StartTime"]
    seconds = (described["TrainingEndTime"] - described["TrainingStartTime"]).total_seconds()
    assert described["TrainingTimeInSeconds"] == described["BillableTimeInSeconds"] == math.ceil(seconds)
    artifacts = described["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifacts == f"s3://{jobs.bucket}/out/{job.name}/output/model.tar.gz"
    assert job.read("model.tar.gz", "weights") == b"hello\n"


@pytest.mark.parametrize("code", [1, 2, 42])
def test_an_exit_code_without_a_failure_file(jobs: TrainingJobs, code: int) -> None:
    job = jobs.running(f"exit {code}").ended()
    assert (job.status, job.failure_reason) == ("Failed", f"AlgorithmError: , exit code: {code}")
    assert job.secondary_statuses[-3:] == ["Training", "Uploading", "Failed"]


def test_the_failure_file_becomes_the_failure_reason(jobs: TrainingJobs) -> None:
    job = jobs.running("echo 'column age is missing' > /opt/ml/output/failure; exit 3").ended()
    assert job.failure_reason == "AlgorithmError: column age is missing, exit code: 3"


def test_a_long_failure_file_is_cut_and_the_exit_code_kept(jobs: TrainingJobs) -> None:
    job = jobs.running("yes 'é' | head -n 5000 | tr -d '\\n' > /opt/ml/output/failure; exit 9").ended()
    assert len(job.failure_reason) == 1024
    assert job.failure_reason.endswith("é, exit code: 9")


def test_exit_code_0_completes_whatever_the_failure_file_says(jobs: TrainingJobs) -> None:
    job = jobs.running("echo ignored > /opt/ml/output/failure").ended()
    assert (job.status, job.failure_reason) == ("Completed", "")


def test_a_failed_job_keeps_its_artifacts(jobs: TrainingJobs) -> None:
    job = jobs.running("echo m > /opt/ml/model/m; echo o > /opt/ml/output/data/o; exit 1").ended()
    assert job.status == "Failed"
    assert job.read("model.tar.gz", "m") == b"m\n"
    assert job.read("output.tar.gz", "o") == b"o\n"


def test_an_image_that_is_not_there(jobs: TrainingJobs) -> None:
    job = jobs.create(AlgorithmSpecification={"TrainingImage": "no/such-image:1", "TrainingInputMode": "File"}).ended()
    assert job.status == "Failed"
    assert "no/such-image:1" in job.failure_reason
    assert job.secondary_statuses[-2:] == ["Downloading", "Failed"]
    assert job.log() == []


def test_a_program_that_is_not_there(jobs: TrainingJobs) -> None:
    job = jobs.create(AlgorithmSpecification={"ContainerEntrypoint": ["/no/such/program"]}).ended()
    assert job.status == "Failed"
    assert job.failure_reason.startswith("AlgorithmError: ")
    assert job.failure_reason.endswith("exit code: 127")


# Stopping


def test_stop_sends_sigterm_and_keeps_what_the_container_saves(jobs: TrainingJobs) -> None:
    job = jobs.running(
        "trap 'echo saved > /opt/ml/model/checkpoint; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    )
    job.wrote("ready").stop()
    assert job.status in {"Stopping", "Stopped"}
    job.ended()
    assert job.status == job.describe()["SecondaryStatus"] == "Stopped"
    assert job.read("model.tar.gz", "checkpoint") == b"saved\n"
    assert job.secondary_statuses[-4:] == ["Training", "Stopping", "Uploading", "Stopped"]


def test_a_container_that_ignores_sigterm_is_killed_after_the_grace(jobs: TrainingJobs) -> None:
    job = jobs.running("trap '' TERM; echo kept > /opt/ml/model/m; echo ready; while :; do sleep 0.05; done")
    job.wrote("ready").stop().ended()
    assert job.status == "Stopped"
    times = {one["Status"]: one for one in job.describe()["SecondaryStatusTransitions"]}
    grace = (times["Stopping"]["EndTime"] - times["Stopping"]["StartTime"]).total_seconds()
    assert 4.8 <= grace < 60  # 120 s of the service at the tests' time scale
    assert job.read("model.tar.gz", "m") == b"kept\n"


def test_stopping_twice_changes_nothing_and_stopping_an_ended_job_is_refused(
    jobs: TrainingJobs, clients: Clients
) -> None:
    job = jobs.running("trap '' TERM; echo ready; while :; do sleep 0.05; done").wrote("ready").stop().stop().ended()
    with pytest.raises(clients.sagemaker.exceptions.ClientError) as refused:
        job.stop()
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "The request was rejected because the training job is in status Stopped.",
    }


def test_max_runtime_stops_the_job(jobs: TrainingJobs) -> None:
    job = jobs.running(
        "trap 'echo late > /opt/ml/model/m; exit 1' TERM; while :; do sleep 0.05; done",
        StoppingCondition={"MaxRuntimeInSeconds": 250},
    ).ended()
    described = job.describe()
    assert (described["TrainingJobStatus"], described["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert job.read("model.tar.gz", "m") == b"late\n"


# How it is run


@pytest.mark.parametrize(
    ("specification", "argv"),
    [
        ({}, ["/opt/probe/probe.py", "train"]),
        ({"ContainerArguments": ["--a", "x y", "$HOME"]}, ["/opt/probe/probe.py", "--a", "x y", "$HOME"]),
        ({"ContainerEntrypoint": ["python3", "/opt/probe/probe.py"]}, ["/opt/probe/probe.py"]),
        (
            {"ContainerEntrypoint": ["python3", "/opt/probe/probe.py", "e"], "ContainerArguments": ["a"]},
            ["/opt/probe/probe.py", "e", "a"],
        ),
    ],
    ids=["neither", "arguments", "entrypoint", "both"],
)
def test_entrypoint_and_arguments_override_on_their_own(
    jobs: TrainingJobs, specification: dict[str, Any], argv: list[str]
) -> None:
    assert jobs.create(image="probe", AlgorithmSpecification=specification).ended().seen()["argv"] == argv


def test_the_image_keeps_its_user_working_directory_and_environment(
    jobs: TrainingJobs, capabilities: Capabilities
) -> None:
    job = jobs.running("id -u; pwd; echo $SET_BY_IMAGE; echo ok > /opt/ml/model/m", image="nonroot").ended()
    assert job.status == "Completed"
    assert job.log() == ["1000" if capabilities.image_user else "0", "/srv/program", "from the image"]


def test_input_is_writable_and_code_of_the_image_is_left_alone(jobs: TrainingJobs) -> None:
    channel = jobs.channel("train", {"/a": b"1"})
    job = jobs.running(
        "set -e; echo x > /opt/ml/input/sm_training.env; echo 2 > /opt/ml/input/data/train/a; "
        "chmod +x /opt/ml/input/data/train/a; test ! -e /opt/ml/code",
        InputDataConfig=[channel],
    ).ended()
    assert job.status == "Completed", job.log()
    key = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{jobs.bucket}/") + "a"
    assert jobs.clients.s3.get_object(Bucket=jobs.bucket, Key=key)["Body"].read() == b"1"


def test_the_role_s_credentials_reach_the_container_and_the_user_s_do_not(
    jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSERSOWN")
    fetch = (
        "import json, os, urllib.request as u;"
        "e = os.environ;"
        "url = e.get('AWS_CONTAINER_CREDENTIALS_FULL_URI') or "
        "'http://169.254.170.2' + e['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];"
        "c = json.load(u.urlopen(url, timeout=60));"
        "print(c['RoleArn'], sorted(c), any('AKIA' + 'USERSOWN' in v for v in e.values()))"
    )
    job = jobs.running('python3 -c "$FETCH"', Environment={"FETCH": fetch}).ended()
    keys = "['AccessKeyId', 'Expiration', 'RoleArn', 'SecretAccessKey', 'Token']"
    role = jobs.request()["RoleArn"]
    assert job.log() == [f"{role} {keys} False"], job.failure_reason


def test_shared_memory_is_large(jobs: TrainingJobs) -> None:
    assert jobs.create(image="probe").ended().seen()["shm_bytes"] > 512 * 1024**2


# Data


def test_keys_become_paths(jobs: TrainingJobs) -> None:
    folder = jobs.channel("folder", {"/a.csv": b"1", "/deep/er/b.csv": b"2", "/marker/": b""})
    partial = jobs.channel("partial", {"-data.csv": b"3", "/inside": b"4"}, suffix="")
    exact = jobs.channel("model", {"/model.tar.gz": b"5"}, suffix="/model.tar.gz")
    job = jobs.running(
        "cd /opt/ml/input/data; find . -type f ! -name '*-manifest' -exec sh -c 'echo $1 $(cat $1)' _ {} \\; | sort; "
        "test -d folder/marker; cat model-manifest",
        InputDataConfig=[folder, partial, exact],
    ).ended()
    source = exact["DataSource"]["S3DataSource"]["S3Uri"]
    assert job.log() == [
        "./folder/a.csv 1",
        "./folder/deep/er/b.csv 2",
        "./model/model.tar.gz 5",
        "./partial/inside 4",
        "./partial/partial-data.csv 3",
        source.removeprefix(f"s3://{jobs.bucket}/"),
        source,
    ]


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        ({"/a//b": b""}, "illegal char sub-sequence '//'"),
        ({"/../../../etc/cron": b""}, "path segment '..'"),
        ({"/a": b"", "/a/b": b""}, "both need the path"),
    ],
    ids=["double-slash", "climbing", "colliding"],
)
def test_keys_that_have_no_place_fail_the_job(jobs: TrainingJobs, objects: dict[str, bytes], reason: str) -> None:
    job = jobs.running("true", InputDataConfig=[jobs.channel("train", objects)]).ended()
    assert job.failure_reason.startswith("ClientError: Data download failed:Failed to download data.")
    assert reason in job.failure_reason
    assert job.secondary_statuses == ["Starting", "Pending", "Downloading", "Failed"]
    assert job.log() == []


def test_a_channel_of_many_objects_arrives_whole(jobs: TrainingJobs, endpoint: Endpoint) -> None:
    """More than a page of a list has."""
    objects = {f"/part-{number:04}/x": str(number).encode() for number in range(1100)}
    channel = jobs.channel("train", {})
    place = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix("s3://").rstrip("/")
    # Without boto3, which takes longer than all the rest.
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/s3/aws4_request"}
    with contextlib.closing(HTTPConnection("127.0.0.1", endpoint.port, timeout=60)) as connection:
        for key, body in objects.items():
            connection.request("PUT", f"/{place}{key}", body, signed)
            with connection.getresponse() as answer:
                assert answer.status == 200, answer.read()
    job = jobs.running(
        "cd /opt/ml/input/data/train; ls | wc -l; cat part-*/x | sha256sum", InputDataConfig=[channel]
    ).ended()
    digest = hashlib.sha256(b"".join(objects[key] for key in sorted(objects))).hexdigest()
    assert job.log() == ["1100", f"{digest}  -"]


def test_archives_keep_modes_links_and_empty_directories(jobs: TrainingJobs) -> None:
    job = jobs.running(
        "cd /opt/ml/model; mkdir -p empty bin; echo x > bin/run; chmod 750 bin/run; ln -s bin/run link; "
        "ln bin/run hard; ln -s /etc/passwd outside; mkfifo pipe; echo secret > private; chmod 600 private"
    ).ended()
    members = job.archive("model.tar.gz")
    assert members is not None
    assert sorted(members) == ["bin", "bin/run", "empty", "hard", "link", "outside", "private"]
    assert members["empty"].isdir()
    assert members["hard"].mode == 0o750
    assert members["private"].mode == 0o600
    assert (members["link"].issym(), members["link"].linkname) == (True, "bin/run")
    assert (members["outside"].issym(), members["outside"].linkname) == (True, "/etc/passwd")
    assert [members["hard"].islnk(), members["bin/run"].islnk()].count(True) == 1


def test_empty_directories_give_no_archive_and_other_output_is_not_uploaded(jobs: TrainingJobs) -> None:
    job = jobs.running("echo x > /opt/ml/output/elsewhere; mkdir /opt/ml/output/algo-1").ended()
    assert job.status == "Completed"
    assert job.archive("model.tar.gz") is None
    assert job.archive("output.tar.gz") is None


def test_a_link_out_of_the_output_does_not_show_this_machine_s_files(jobs: TrainingJobs) -> None:
    job = jobs.running(
        "mkdir /decoy; echo container > /decoy/f; rmdir /opt/ml/output/data; ln -s /decoy /opt/ml/output/data"
    ).ended()
    assert job.status == "Completed"
    assert set(job.archive("output.tar.gz") or {}) <= {"f"}


def test_a_missing_output_bucket_fails_the_job(jobs: TrainingJobs) -> None:
    job = jobs.running(
        "echo m > /opt/ml/model/m", OutputDataConfig={"S3OutputPath": "s3://there-is-no-such-bucket/out"}
    ).ended()
    assert job.failure_reason.startswith("ClientError: Artifact upload failed:")
    assert "NoSuchBucket" in job.failure_reason


def test_a_job_that_failed_says_its_own_reason_also_when_its_output_is_lost(jobs: TrainingJobs) -> None:
    job = jobs.running(
        "echo m > /opt/ml/model/m; echo mine > /opt/ml/output/failure; exit 9",
        OutputDataConfig={"S3OutputPath": "s3://there-is-no-such-bucket/out"},
    ).ended()
    assert job.failure_reason == "AlgorithmError: mine, exit code: 9"


@pytest.mark.parametrize("name", [".", "..", "../containers/json", "a b", "a//b"])
def test_an_image_name_that_is_none(jobs: TrainingJobs, name: str) -> None:
    job = jobs.create(AlgorithmSpecification={"TrainingImage": name, "TrainingInputMode": "File"}).ended()
    assert job.failure_reason.startswith(f"ClientError: Cannot find the image {name}.")


def test_an_empty_entrypoint_is_the_job_s_mistake(jobs: TrainingJobs) -> None:
    job = jobs.create(AlgorithmSpecification={"ContainerEntrypoint": [""]}).ended()
    assert job.failure_reason.startswith("AlgorithmError: the container could not be started: ")


def test_a_region_that_nobody_has_heard_of_is_a_region(endpoint: Endpoint) -> None:
    clients = Clients(endpoint.url, region="us-west-9")
    bucket = f"far-away-{uuid.uuid4().hex[:8]}"
    clients.s3.create_bucket(
        Bucket=bucket,
        CreateBucketConfiguration={"LocationConstraint": "us-west-9"},  # type: ignore[typeddict-item]
    )
    jobs = TrainingJobs(clients, bucket, images_of(endpoint))
    job = jobs.running(
        "echo loss=1; echo $AWS_REGION; hostname",
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]},
    ).ended()
    assert job.status == "Completed", job.failure_reason
    assert job.log()[1] == "us-west-9"
    assert job.log()[2].endswith(".us-west-9.compute.internal")


# Logs and metrics


def test_both_output_streams_reach_the_log_in_order(jobs: TrainingJobs) -> None:
    lines = ["out 1", "err 1", "out 2", "err 2"]
    steps = f"echo out $n; {until('out.$n')}; echo err $n >&2; {until('err.$n')}"
    job = jobs.running(f"for n in 1 2; do {steps}; done")
    for line in lines:
        job.wrote(line).go(line.replace(" ", "."))
    assert job.ended().log() == lines
    streams = jobs.clients.logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job.name}/", limit=1
    )
    assert "nextToken" not in streams  # the SDK would ask for ever
    (stream,) = streams["logStreams"]
    host, _, started = stream["logStreamName"].rpartition("-")
    assert host == f"{job.name}/algo-1"
    assert abs(int(started) - job.describe()["CreationTime"].timestamp()) < 300


def test_long_lines_and_binary_noise_survive(jobs: TrainingJobs) -> None:
    job = jobs.running(
        "printf 'tab\\there\\rback \\033[1mbold\\n'; head -c 300000 /dev/zero | tr '\\0' x; echo; "
        "printf '\\377\\376 noise \\0\\n\\nlast without newline'"
    ).ended()
    first, long, rest, noise, empty, last = job.log()
    assert first == "tab#011here#015back #033[1mbold"
    assert (len(long + rest), set(long + rest)) == (300000, {"x"})
    assert noise == "\ufffd\ufffd noise #000"
    assert empty == " "
    assert last == "last without newline"


def test_ten_thousand_lines_are_complete_when_the_job_is(jobs: TrainingJobs) -> None:
    assert jobs.running("seq 10000").ended().log() == [str(number) for number in range(1, 10001)]


def test_metrics_are_read_from_the_log(jobs: TrainingJobs, clients: Clients) -> None:
    definitions = [
        {"Name": "validation:auc", "Regex": "auc=([0-9.]+)"},
        {"Name": "loss", "Regex": r"loss: (\S+)"},
        {"Name": "never", "Regex": "never=(.*)"},
    ]
    job = jobs.running(
        "echo 'loss: 0.5 auc=0.6'; echo 'loss: nan-ish' >&2; echo 'loss: 0.25 auc=0.7'",
        AlgorithmSpecification={"MetricDefinitions": definitions},
    ).ended()
    described = job.describe()
    final = {one["MetricName"]: one["Value"] for one in described["FinalMetricDataList"]}
    assert final == {"validation:auc": pytest.approx(0.7), "loss": 0.25}
    assert described["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is True
    statistics = clients.cloudwatch.get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": job.name}],
        StartTime=described["TrainingStartTime"],
        EndTime=described["TrainingEndTime"].timestamp() + 60,
        Period=60,
        Statistics=["SampleCount", "Sum"],
    )["Datapoints"]
    assert sum(point["SampleCount"] for point in statistics) == 2
    assert sum(point["Sum"] for point in statistics) == pytest.approx(0.75)


# Side by side


def test_jobs_run_side_by_side_each_in_a_network_of_its_own(jobs: TrainingJobs, capabilities: Capabilities) -> None:
    started = [
        jobs.running(f"hostname -i; getent hosts algo-1; echo $TRAINING_JOB_NAME > /opt/ml/model/name; {until()}")
        for _ in range(6)
    ]
    for job in started:
        job.wrote("algo-1")
    for job in started:
        job.go()
    for job in started:
        job.ended()
    spans = [(job.describe()["TrainingStartTime"], job.describe()["TrainingEndTime"]) for job in started]
    assert max(start for start, _ in spans) < min(end for _, end in spans), "the jobs did not overlap"
    addresses = [job.log()[0] for job in started]
    assert len(set(addresses)) == (len(started) if capabilities.own_network else 1)
    for job, address in zip(started, addresses, strict=True):
        assert job.status == "Completed"
        assert job.log()[1].split()[:2] == [address, "algo-1"]
        assert job.read("model.tar.gz", "name").decode().strip() == job.name


def test_hyperparameters_stay_strings(jobs: TrainingJobs) -> None:
    sent = {"epochs": "3", "quoted": '"x"', "json": '{"a": [1]}', "text": "naïve"}
    job: Job = jobs.running("cp /opt/ml/input/config/hyperparameters.json /opt/ml/model/", HyperParameters=sent).ended()
    assert json.loads(job.read("model.tar.gz", "hyperparameters.json")) == sent
