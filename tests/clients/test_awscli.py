"""awscli, boto3 in a plain environment, and AWS clients inside the container."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Callable

import pytest

from tests.clients.programs import EMULATOR, SCRIPTS, Finished, Programs, Server, client
from tests.jobs import LOG_GROUP, Clients, Job, TrainingJobs

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-s3")]


@pytest.fixture(scope="module")
def bucket(aws: Clients) -> str:
    name = f"awscli-{uuid.uuid4().hex[:8]}"
    aws.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def jobs(aws: Clients, bucket: str, image: Callable[[str], str]) -> TrainingJobs:
    return TrainingJobs(aws, bucket, image)


@pytest.fixture(scope="module")
def aws_command(programs: Programs) -> Callable[..., Finished]:
    def run(*arguments: str) -> Finished:
        return programs.fork("awscli", client("awscli", "aws"), *arguments).result().succeeded()

    return run


def test_a_job_from_its_request_to_its_log(aws_command: Callable[..., Finished], jobs: TrainingJobs) -> None:
    request = jobs.request(
        Environment={"PROGRAM": "echo from the container; echo m > /opt/ml/model/m"},
        Tags=[{"Key": "team", "Value": "ads"}],
    )
    name = request["TrainingJobName"]
    created = aws_command("sagemaker", "create-training-job", "--cli-input-json", json.dumps(request))
    arn = json.loads(created.stdout)["TrainingJobArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
    jobs_seen = json.loads(aws_command("sagemaker", "list-training-jobs", "--name-contains", name).stdout)
    assert [one["TrainingJobName"] for one in jobs_seen["TrainingJobSummaries"]] == [name]
    Job(jobs.clients, name, jobs.bucket).ended()  # or `wait` would look again after two minutes
    aws_command("sagemaker", "wait", "training-job-completed-or-stopped", "--training-job-name", name)
    described = json.loads(aws_command("sagemaker", "describe-training-job", "--training-job-name", name).stdout)
    assert described["TrainingJobStatus"] == "Completed"
    tags = json.loads(aws_command("sagemaker", "list-tags", "--resource-arn", arn).stdout)
    assert tags["Tags"] == [{"Key": "team", "Value": "ads"}]
    streams = json.loads(
        aws_command(
            "logs", "describe-log-streams", "--log-group-name", LOG_GROUP, "--log-stream-name-prefix", f"{name}/"
        ).stdout
    )
    (stream,) = streams["logStreams"]
    events = aws_command(
        "logs", "get-log-events", "--log-group-name", LOG_GROUP, "--log-stream-name", stream["logStreamName"],
        "--start-from-head",
    )  # fmt: skip
    assert [event["message"] for event in json.loads(events.stdout)["events"]] == ["from the container"]


def test_s3_and_stop(aws_command: Callable[..., Finished], jobs: TrainingJobs, bucket: str) -> None:
    job = jobs.running("trap 'exit 0' TERM; echo ready; sleep 600 & wait").wrote("ready")
    aws_command("sagemaker", "stop-training-job", "--training-job-name", job.name)
    assert job.ended().status == "Stopped"
    aws_command("s3", "cp", str(SCRIPTS / "ask_aws.py"), f"s3://{bucket}/copied/ask_aws.py")
    assert (
        aws_command("s3", "cp", f"s3://{bucket}/copied/ask_aws.py", "-").stdout == (SCRIPTS / "ask_aws.py").read_text()
    )
    assert "ask_aws.py" in aws_command("s3", "ls", f"s3://{bucket}/copied/").stdout


def test_env_is_enough_for_awscli_and_boto3(programs: Programs, server: Server, bucket: str) -> None:
    env = shlex.join([*EMULATOR, "env", "--port", server.port])
    aws_path, python_path = client("awscli", "aws"), client("sdk-v2", "python")
    program = "import boto3; print('boto3 is', boto3.client('sts').get_caller_identity()['Arn'])"
    lines = [
        f'eval "$({env})"',
        f"{aws_path} s3 ls",
        f"{aws_path} sts get-caller-identity",
        f"{aws_path} sagemaker list-training-jobs --max-results 1 --query 'length(TrainingJobSummaries)'",
        f"{python_path} -c {shlex.quote(program)}",
    ]
    user = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL_S3": "http://s3.invalid"}
    finished = programs.plain("sh", "-e", "-c", "\n".join(lines), **user).result().succeeded()
    assert bucket in finished.stdout
    assert '"Account": "123456789012"' in finished.stdout
    assert "boto3 is arn:aws:sts::123456789012:assumed-role/sagemaker-emulator/session" in finished.lines


def test_a_service_error_is_one_clear_line(programs: Programs) -> None:
    finished = programs.exec(
        client("awscli", "aws"), "sagemaker", "create-endpoint", "--endpoint-name", "e", "--endpoint-config-name", "c"
    ).result()
    assert finished.exit_code != 0
    assert "UnsupportedOperationException" in finished.stderr
    assert "max retries" not in finished.stderr
    assert "<html" not in finished.stderr.lower()


def test_clients_inside_the_container_are_the_job_s_role(jobs: TrainingJobs, toolkit_image: str, bucket: str) -> None:
    code = jobs.channel("code", {"/ask_aws.py": (SCRIPTS / "ask_aws.py").read_bytes()})
    job = jobs.create(
        TrainingJobName=f"Ask-AWS-{uuid.uuid4().hex[:6]}",
        AlgorithmSpecification={
            "TrainingImage": toolkit_image,
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/ask_aws.py"],
        },
        InputDataConfig=[code],
        Environment={"BUCKET": bucket, "PREFIX": code["DataSource"]["S3DataSource"]["S3Uri"].split("/", 3)[3]},
    ).ended()
    assert job.status == "Completed", "\n".join(job.log())
    told = json.loads(job.read("model.tar.gz", "told.json"))
    assert told["caller"] == f"arn:aws:sts::123456789012:assumed-role/SageMakerExecutionRole/{job.name}"
    assert told["asked_for"] == job.name.lower()
    assert (told["job"], told["status"]) == (job.name, "Training")
    assert [key.rpartition("/")[2] for key in told["listed"]] == ["ask_aws.py"]
    stored = jobs.clients.s3.get_object(Bucket=bucket, Key="uploaded/by-the-job.py")["Body"].read()
    assert stored == (SCRIPTS / "ask_aws.py").read_bytes()
