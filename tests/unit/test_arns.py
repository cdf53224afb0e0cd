"""Names made from other names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.arns import ResourceName, S3Uri, Scope, instance_hostname
from emulator.contract.kinds import TRAINING
from emulator.errors import ValidationError


def test_a_job_arn_has_the_job_name_in_lower_case() -> None:
    arn = TRAINING.arn(Scope(account="123456789012", region="us-east-1"), "Task1-2020-f4j22Gh0")
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:training-job/task1-2020-f4j22gh0"


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_region_tells_the_partition(region: str, partition: str) -> None:
    assert TRAINING.arn(Scope(region=region), "j").startswith(f"arn:{partition}:sagemaker:{region}:")


def test_a_job_arn_can_be_taken_apart() -> None:
    scope = Scope(account="210987654321", region="cn-north-1")
    parsed = ResourceName.parse(TRAINING.arn(scope, "job-1"))
    assert parsed == ResourceName(scope=scope, kind="training-job", name="job-1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "job-1",
        "arn:aws:s3:::bucket",
        "arn:aws:sagemaker:us-east-1:12345:training-job/j",
        "arn:aws:sagemaker:us-east-1:123456789012:training-job/",
        "arn:aws:sagemaker:us-east-1:123456789012:training-job",
    ],
)
def test_what_is_no_sagemaker_arn_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="Invalid resource ARN"):
        ResourceName.parse(text)


@pytest.mark.parametrize(
    ("text", "bucket", "key"),
    [
        ("s3://b/p/input", "b", "p/input"),
        ("s3://b/p/input/", "b", "p/input/"),
        ("s3://b", "b", ""),
        ("s3://b/", "b", ""),
        ("s3://b//double", "b", "/double"),
        ("s3://b/a b/ü?x=1#y", "b", "a b/ü?x=1#y"),
        ("https://b/key", "b", "key"),
    ],
)
def test_an_s3_uri_is_a_bucket_and_a_key(text: str, bucket: str, key: str) -> None:
    assert S3Uri.parse(text) == S3Uri(bucket=bucket, key=key)


@pytest.mark.parametrize("text", ["", "b/key", "s3:/b/key", "s3://", "s3:///key", "S3://b/key", "ftp://b/key"])
def test_what_is_no_s3_uri_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="Invalid S3 URI"):
        S3Uri.parse(text)


@given(bucket=st.text(st.characters(exclude_characters="/"), min_size=1), key=st.text())
def test_any_key_survives_being_written_as_a_uri(bucket: str, key: str) -> None:
    uri = S3Uri(bucket=bucket, key=key)
    assert S3Uri.parse(str(uri)) == uri


@pytest.mark.parametrize(
    ("output_path", "joined"),
    [
        ("s3://b", "s3://b/job/output/model.tar.gz"),
        ("s3://b/", "s3://b/job/output/model.tar.gz"),
        ("s3://b/p", "s3://b/p/job/output/model.tar.gz"),
        ("s3://b/p/", "s3://b/p/job/output/model.tar.gz"),
    ],
)
def test_names_are_joined_to_a_uri_with_exactly_one_slash(output_path: str, joined: str) -> None:
    assert str(S3Uri.parse(output_path).joined("job", "output", "model.tar.gz")) == joined


@pytest.mark.parametrize(
    ("region", "domain"), [("us-east-1", "ec2.internal"), ("eu-west-1", "eu-west-1.compute.internal")]
)
def test_a_container_has_the_host_name_of_an_instance(region: str, domain: str) -> None:
    name = instance_hostname("arn", "algo-1", region)
    assert name.startswith("ip-10-0-")
    assert name.endswith(f".{domain}")
    assert name == instance_hostname("arn", "algo-1", region)
    assert name != instance_hostname("arn", "algo-2", region)
