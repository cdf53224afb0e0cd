"""What web pages may ask of the endpoint."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from emulator.browsers import is_known_host, is_of_this_machine
from emulator.endpoint import Endpoint
from emulator.reroute.site._sagemaker_emulator_reroute import AWS_DOMAINS
from tests.jobs import Clients


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("http://localhost:3000", True),
        ("https://app.localhost", True),
        ("http://127.0.0.1:4750", True),
        ("http://[::1]:4750", True),
        ("https://evil.example", False),
        ("http://evil.example:4750", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://169.254.170.2:4750", False),
        ("null", False),
        ("", False),
        ("http://[", False),
        ("file://", False),
    ],
)
def test_only_loopback_is_this_machine(origin: str, ours: bool) -> None:
    assert is_of_this_machine(origin) == ours


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:4750", True),
        ("[::1]:4750", True),
        ("169.254.170.2", True),
        ("LocalHost:4750", True),
        ("bucket.s3.localhost", True),
        ("emulator:4750", True),
        ("host.docker.internal:4750", True),
        ("sagemaker.us-east-1.amazonaws.com", True),
        ("bucket.s3.cn-north-1.amazonaws.com.cn", True),
        ("api.sagemaker.us-east-1.api.aws", True),
        ("ml.example.com:80", True),
        ("bucket.ml.example.com", True),
        ("ml.example.com.", True),
        ("xml.example.com", False),
        ("evil.example", False),
        ("amazonaws.com.evil.example", False),
        ("evilamazonaws.com", False),
        ("127.0.0.1.evil.example", False),
        ("evil.127.0.0.1", False),
        ("evil.0.0.0.0", False),
        ("evil;.localhost", False),
        ("a b.localhost", False),
        ("", False),
        ("[", False),
    ],
)
def test_a_name_that_somebody_else_can_give_is_not_known(host: str, known: bool) -> None:
    assert is_known_host(host, {"ml.example.com", "0.0.0.0"}) == known


def test_all_names_of_aws_are_known() -> None:
    for domain in AWS_DOMAINS:
        assert is_known_host(f"s3.region.{domain}", set())


def post(endpoint: Endpoint, path: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(endpoint.url + path, data=b"{}", headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"X-Amz-Target": "SageMaker.CreateTrainingJob"}),
        ("/", {"X-Amz-Target": "Logs_20140328.DeleteLogGroup"}),
        ("/_emulator/reset", {}),
        ("/moto-api/reset", {}),
        # A name that leads here: the page and the endpoint then look like one site.
        ("/_emulator/reset", {"Host": "evil.example"}),
    ],
)
def test_a_page_from_elsewhere_changes_nothing(endpoint: Endpoint, path: str, headers: dict[str, str]) -> None:
    s3 = Clients(endpoint.url).s3
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a", Body=b"1")
    status, answer = post(endpoint, path, Origin="http://evil.example", **headers)
    assert status == 403
    assert "AccessDeniedException" in answer
    assert s3.get_object(Bucket="kept", Key="a")["Body"].read() == b"1"


def test_a_page_of_this_machine_is_answered(endpoint: Endpoint) -> None:
    status, answer = post(
        endpoint, "/", Origin="http://localhost:3000", **{"X-Amz-Target": "SageMaker.ListTrainingJobs"}
    )
    assert (status, list(json.loads(answer))) == (200, ["TrainingJobSummaries"])
