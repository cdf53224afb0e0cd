"""Everything beside jobs: what moto keeps, what is refused, who a caller is."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator.api import service_model
from emulator.contract.fidelity import operation_treatment
from emulator.contract.fidelity_rows import Treatment
from emulator.endpoint import Endpoint
from tests.jobs import Clients


def post(endpoint: Endpoint, body: bytes, **headers: str) -> tuple[int, str, dict[str, Any]]:
    """Send a raw request; return status, content type and the JSON of the answer."""
    request = urllib.request.Request(endpoint.url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], json.load(error)


def client(endpoint: Endpoint, service: str) -> Any:
    return boto3.session.Session().client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="x",
        config=Config(retries={"max_attempts": 0}),
    )


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("SageMaker.NoSuchOperation", b"{}", "UnknownOperationException"),
        ("SageMaker.", b"{}", "UnknownOperationException"),
        ("SageMaker.CreateTrainingJob", b"{not json", "SerializationException"),
        ("SageMaker.CreateTrainingJob", b"\xff\xfe", "SerializationException"),
        ("SageMaker.CreateTrainingJob", b"[" * 100000, "SerializationException"),
        ("SageMaker.CreateTrainingJob", b"[]", "ValidationException"),
        ("SageMaker.CreateTrainingJob", b"null", "ValidationException"),
        ("SageMaker.CreateTrainingJob", b'{"Nonsense": 1}', "ValidationException"),
        ("SageMaker.DescribeTrainingJob", b'{"TrainingJobName": 5}', "ValidationException"),
    ],
)
def test_bad_requests_get_one_json_4xx(endpoint: Endpoint, target: str, body: bytes, code: str) -> None:
    status, content_type, answer = post(endpoint, body, **{"X-Amz-Target": target})
    assert (status, content_type) == (400, "application/x-amz-json-1.1")
    assert answer["__type"] == code
    assert answer["message"]


def test_every_operation_that_is_not_emulated_says_so(endpoint: Endpoint) -> None:
    refused = [one for one in service_model.operation_names() if operation_treatment(one) is Treatment.REFUSED]
    assert len(refused) > 300
    for operation in sorted(refused)[::10]:
        status, content_type, answer = post(endpoint, b"{}", **{"X-Amz-Target": f"SageMaker.{operation}"})
        assert (status, content_type) == (400, "application/x-amz-json-1.1")
        assert answer["__type"] in {"UnsupportedOperationException", "ValidationException"}
        if answer["__type"] == "UnsupportedOperationException":
            assert operation in answer["message"]


def test_an_outcome_is_never_pretended(endpoint: Endpoint) -> None:
    """moto would call an endpoint InService as soon as it is made."""
    with pytest.raises(ClientError) as error:
        client(endpoint, "sagemaker").create_endpoint(EndpointName="e", EndpointConfigName="c")
    assert error.value.response["Error"]["Code"] == "UnsupportedOperationException"
    with pytest.raises(ClientError, match="not emulated"):
        client(endpoint, "sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"")


def test_records_of_models_are_kept_by_moto(endpoint: Endpoint) -> None:
    sagemaker = client(endpoint, "sagemaker")
    arn = sagemaker.create_model(
        ModelName="kept",
        PrimaryContainer={"Image": "i"},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/Role",
    )["ModelArn"]
    assert sagemaker.describe_model(ModelName="kept")["ModelArn"] == arn
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("iam", "get_context_keys_for_custom_policy", {"PolicyInputList": ["{}"]}),  # form in, XML out
        ("logs", "list_anomalies", {}),  # JSON
        ("s3", "get_bucket_analytics_configuration", {"Bucket": "xxx", "Id": "x"}),  # REST, XML
        ("lambda", "get_account_settings", {}),  # REST, JSON
    ],
)
def test_what_moto_cannot_do_is_an_error_that_the_client_can_read(
    endpoint: Endpoint, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(client(endpoint, service), operation)(**arguments)
    assert 400 <= error.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    assert error.value.response["Error"]["Code"]
    assert "<!doctype" not in error.value.response["Error"]["Message"].lower()


# Roles and callers


def test_simulate_principal_policy_allows(clients: Clients) -> None:
    pages = clients.iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn="arn:aws:iam::123456789012:role/service-role/Simulated",
        ActionNames=["s3:GetObject", "sagemaker:CreateTrainingJob"],
    )
    decisions = {one["EvalActionName"]: one["EvalDecision"] for page in pages for one in page["EvaluationResults"]}
    assert decisions == {"s3:GetObject": "allowed", "sagemaker:CreateTrainingJob": "allowed"}
    role = clients.iam.get_role(RoleName="Simulated")["Role"]
    assert role["Arn"] == "arn:aws:iam::123456789012:role/service-role/Simulated"
    assert "sagemaker.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])


def test_an_unknown_role_is_accepted_and_can_still_be_created(clients: Clients) -> None:
    assert clients.iam.get_role(RoleName="Accepted")["Role"]["Arn"] == "arn:aws:iam::123456789012:role/Accepted"
    clients.iam.create_role(RoleName="Accepted", AssumeRolePolicyDocument="{}", Description="mine")
    assert clients.iam.get_role(RoleName="Accepted")["Role"]["Description"] == "mine"
    with pytest.raises(clients.iam.exceptions.EntityAlreadyExistsException):
        clients.iam.create_role(RoleName="Accepted", AssumeRolePolicyDocument="{}")


def test_a_script_s_caller_is_the_session_of_a_role(clients: Clients, endpoint: Endpoint) -> None:
    identity = clients.sts.get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"].startswith("arn:aws:sts::123456789012:assumed-role/")
    other = Clients(endpoint.url, account="444455556666").sts.get_caller_identity()
    assert other["Account"] == "444455556666"


def test_keys_made_with_iam_are_who_iam_says(clients: Clients, endpoint: Endpoint) -> None:
    clients.iam.create_user(UserName="ann")
    key = clients.iam.create_access_key(UserName="ann")["AccessKey"]
    sts = boto3.session.Session().client(
        "sts",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert sts.get_caller_identity()["Arn"].endswith(":user/ann")


# S3 through the endpoint


def test_presigned_urls_and_virtual_hosts(clients: Clients, endpoint: Endpoint) -> None:
    clients.s3.create_bucket(Bucket="presigned-bucket")
    clients.s3.put_object(Bucket="presigned-bucket", Key="a b/ü", Body=b"x", Metadata={"under_score": "1"})
    url = clients.s3.generate_presigned_url("get_object", Params={"Bucket": "presigned-bucket", "Key": "a b/ü"})
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.read() == b"x"
    assert clients.s3.head_object(Bucket="presigned-bucket", Key="a b/ü")["Metadata"] == {"under_score": "1"}
    clients.s3.put_object_acl(Bucket="presigned-bucket", Key="a b/ü", ACL="public-read")
    request = urllib.request.Request(
        f"{endpoint.url}/a%20b/%C3%BC", headers={"Host": "presigned-bucket.s3.us-east-1.amazonaws.com"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.read() == b"x"


def test_large_uploads_and_ranges(clients: Clients) -> None:
    clients.s3.create_bucket(Bucket="large-objects")
    body = bytes(range(256)) * 4096 * 20
    import io

    clients.s3.upload_fileobj(io.BytesIO(body), "large-objects", "big")
    ranged = clients.s3.get_object(Bucket="large-objects", Key="big", Range="bytes=1000000-1000009")
    assert ranged["Body"].read() == body[1000000:1000010]
    assert ranged["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert clients.s3.get_object(Bucket="large-objects", Key="big")["Body"].read() == body


def test_health(endpoint: Endpoint) -> None:
    with urllib.request.urlopen(f"{endpoint.url}/_emulator/health", timeout=60) as answer:
        assert answer.status == 200
        assert json.load(answer)["status"] == "ok"
