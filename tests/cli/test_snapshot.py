"""`state save` and `state load`: an emulator with a loaded state answers as the one that it was saved from."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.cli.commands import sagemaker_emulator
from tests.jobs import LOG_GROUP, Clients, TrainingJobs
from tests.s3.conftest import process_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.docker

BUCKET = "first-bucket"
RULES: Any = {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 1}}]}
CORS: Any = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
CONFIGURATION = ("versioning", "lifecycle_configuration", "cors", "tagging", "policy", "encryption", "location")


def test_a_loaded_state_answers_as_the_saved_one(tmp_path: Path, image: Callable[[str], str]) -> None:
    with process_of(tmp_path / "first") as url:
        clients = Clients(url)
        upload = _fill(clients.s3)
        name = _run_a_job(TrainingJobs(clients, BUCKET, image))
        before = _answers(clients, name)
    for command, folder in (("save", "first"), ("load", "elsewhere/second")):
        done = sagemaker_emulator("state", command, tmp_path / "saved.tar.gz", "--state-dir", tmp_path / folder)
        assert done.returncode == 0, done.stderr
    with process_of(tmp_path / "elsewhere/second") as url:
        clients = Clients(url)
        assert _answers(clients, name) == before
        parts: Any = {"Parts": clients.s3.list_parts(Bucket=BUCKET, Key="parts", UploadId=upload)["Parts"]}
        for part in parts["Parts"]:
            del part["Size"], part["LastModified"]
        clients.s3.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload=parts)
        assert clients.s3.get_object(Bucket=BUCKET, Key="parts")["Body"].read() == b"1" * 5 * 1024**2 + b"2"
        assert TrainingJobs(clients, BUCKET, image).running("true").ended().status == "Completed"


def test_up_refuses_a_newer_object_store_and_leaves_it_alone(tmp_path: Path) -> None:
    with process_of(tmp_path) as url:
        Clients(url).s3.create_bucket(Bucket=BUCKET)
    with closing(sqlite3.connect(tmp_path / "objects/index.sqlite")) as connection, connection:
        (version,) = connection.execute("SELECT version FROM schema_version").fetchone()
        connection.execute("UPDATE schema_version SET version = 99")
    done = sagemaker_emulator("up", "--port", 0, "--state-dir", tmp_path)
    assert done.returncode == 2
    assert "index.sqlite has schema version 99" in done.stderr
    assert "Traceback" not in done.stderr
    with closing(sqlite3.connect(tmp_path / "objects/index.sqlite")) as connection:
        assert connection.execute("SELECT name FROM buckets").fetchall() == [(BUCKET,)]
        connection.execute("UPDATE schema_version SET version = ?", (version,))
        connection.commit()
    with process_of(tmp_path) as url:
        assert [one["Name"] for one in Clients(url).s3.list_buckets()["Buckets"]] == [BUCKET]


def _fill(s3: S3Client) -> str:
    """Store versions, a delete marker, a multipart object, an upload in progress, configuration; return the upload."""
    s3.create_bucket(Bucket=BUCKET)
    s3.create_bucket(Bucket="second-bucket")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=RULES)
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration=CORS)
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_bucket_policy(Bucket=BUCKET, Policy='{"Version":"2012-10-17","Statement":[]}')
    for body in (b"one", b"two"):
        s3.put_object(Bucket=BUCKET, Key="versions +ü", Body=body, Metadata={"is": body.decode()}, Tagging="t=1")
    s3.put_object(Bucket=BUCKET, Key="deleted", Body=b"old")
    s3.delete_object(Bucket=BUCKET, Key="deleted")
    s3.put_object(Bucket="second-bucket", Key="plain", Body=b"", ContentType="x/y")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts", Metadata={"a": "1"})["UploadId"]
    for number, body in ((1, b"1" * 5 * 1024**2), (2, b"2")):
        s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=number, Body=body)
    return upload


def _run_a_job(jobs: TrainingJobs) -> str:
    tags = [{"Key": "team", "Value": "ads"}]
    job = jobs.running(f"echo {uuid.uuid4()}; echo loss=0.5; echo m > /opt/ml/model/m", Tags=tags).ended()
    assert job.status == "Completed", job.failure_reason
    assert len(job.log()) == 2
    return job.name


def _answers(clients: Clients, job: str) -> str:
    """Return all that the API tells of objects, buckets, jobs and logs, as one text."""
    s3, sagemaker, logs = clients.s3, clients.sagemaker, clients.logs
    answers: dict[str, Any] = {"buckets": s3.list_buckets()["Buckets"]}
    for bucket in (BUCKET, "second-bucket"):
        for kind in CONFIGURATION:
            answers[f"{bucket} {kind}"] = _answer(getattr(s3, f"get_bucket_{kind}"), Bucket=bucket)
        listed = _answer(s3.list_object_versions, Bucket=bucket)
        answers[f"{bucket} versions"] = listed
        for version in listed.get("Versions", []):
            place: Any = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
            found = _answer(s3.get_object, **place)
            answers[f"object {place}"] = {**found, "Body": found["Body"].read().hex()}
            answers[f"tags {place}"] = _answer(s3.get_object_tagging, **place)
        answers[f"{bucket} uploads"] = uploads = _answer(s3.list_multipart_uploads, Bucket=bucket)
        for upload in uploads.get("Uploads", []):
            answers[f"parts {upload['Key']}"] = _answer(
                s3.list_parts, Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            )
    described = _answer(sagemaker.describe_training_job, TrainingJobName=job)
    answers["job"] = described
    answers["jobs"] = _answer(sagemaker.list_training_jobs)
    answers["tags"] = _answer(sagemaker.list_tags, ResourceArn=described["TrainingJobArn"])
    answers["groups"] = _answer(logs.describe_log_groups)
    answers["streams"] = streams = _answer(logs.describe_log_streams, logGroupName=LOG_GROUP)
    for stream in streams["logStreams"]:
        answers[f"log {stream['logStreamName']}"] = _answer(
            logs.get_log_events, logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"], startFromHead=True
        )
    assert {"Key": "team", "Value": "ads"} in answers["tags"]["Tags"]
    return json.dumps(answers, default=str, indent=1)


def _answer(operation: Callable[..., Any], **arguments: Any) -> Any:
    """Return an answer or an error without what is of one request only."""
    try:
        answer = dict(operation(**arguments))
    except ClientError as error:
        return error.response["Error"]
    del answer["ResponseMetadata"]
    return answer
