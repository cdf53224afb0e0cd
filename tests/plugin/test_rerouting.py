"""What tests ask of AWS goes to the emulator; nothing goes anywhere else; nothing of it stays behind."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Project


def test_only_tests_that_use_the_emulator_are_rerouted_and_nothing_stays(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    project.write(
        "test_rerouted.py",
        """
import os
import subprocess
import sys

import boto3
import pytest

SEEN = dict(os.environ)
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


def changed():
    return {name for name in {*SEEN, *os.environ} if SEEN.get(name) != os.environ.get(name)} - {"PYTEST_CURRENT_TEST"}


def test_before():
    assert not changed()


@pytest.fixture(scope="module")
def mine():
    return boto3.client("s3", region_name="us-east-1").meta.endpoint_url


def test_rerouted(sagemaker_emulator, mine):
    assert "AWS_PROFILE" not in os.environ
    assert boto3.client("sts").get_caller_identity()["Account"] == sagemaker_emulator.account
    assert boto3.client("s3").meta.region_name == sagemaker_emulator.region
    assert mine == sagemaker_emulator.url


def test_between():
    assert not changed()
    assert os.environ["AWS_PROFILE"] == "production"


def test_fixed_addresses_and_other_libraries(sagemaker_client):
    import http.client
    import socket
    import urllib.request

    client = boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com", region_name="eu-west-1")
    assert client.get_caller_identity()["Arn"].startswith("arn:aws")
    import requests
    assert requests.get("https://nothing.s3.amazonaws.com/x").status_code == 404
    with pytest.raises(OSError, match="sagemaker-emulator: refused: .*would have reached AWS"):
        socket.create_connection(("s3.amazonaws.com", 443))


def test_child(sagemaker_client):
    done = subprocess.run([sys.executable, "-c", WHO], capture_output=True, text=True, check=True, timeout=200)
    assert done.stdout.split() == ["123456789012"]


def test_asked_for_later(request):
    assert not changed()
    emulator = request.getfixturevalue("sagemaker_emulator")
    assert emulator.url


class TestInAClass:
    @pytest.fixture(autouse=True)
    def always(self, s3_client):
        self.s3 = s3_client

    def test_method(self):
        assert boto3.client("s3").list_buckets()["Buckets"] == self.s3.list_buckets()["Buckets"]


def test_after():
    assert not changed()
    assert boto3.DEFAULT_SESSION is None
    import socket
    assert socket.getaddrinfo.__module__ == "socket" and not hasattr(socket.getaddrinfo, "__wrapped__")
""",
    )
    project.run("test_rerouted.py").was(passed=8)


def test_no_test_reaches_aws_where_the_project_says_so(bare_project: Project) -> None:
    bare_project.ini(sagemaker_block_aws="true")
    bare_project.write(
        "test_blocked.py",
        """
import socket
import urllib.request
import boto3
import pytest

KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}


def test_boto3():
    with pytest.raises(OSError, match="would have reached AWS .nothing of this test is sent to an emulator"):
        boto3.client("s3", **KEYS).list_buckets()


def test_socket():
    with pytest.raises(OSError, match="would have reached AWS"):
        socket.create_connection(("s3.amazonaws.com", 443))
    with pytest.raises(OSError, match="would have reached AWS"):
        urllib.request.urlopen("https://s3.amazonaws.com/")
""",
    )
    bare_project.run("test_blocked.py").was(passed=2)


def test_where_aws_is_blocked_the_emulator_is_still_reached(project: Project) -> None:
    project.ini(sagemaker_block_aws="true")
    project.write(
        "test_both.py",
        """
import boto3
import pytest


def test_emulator(sagemaker_emulator):
    assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_blocked():
    with pytest.raises(OSError, match="would have reached AWS"):
        boto3.client("s3", aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1").list_buckets()


def test_emulator_again(s3_client):
    assert boto3.client("s3").list_buckets()["Buckets"] == s3_client.list_buckets()["Buckets"]
""",
    )
    project.run("test_both.py").was(passed=3)


def test_mocks_and_frozen_time_of_other_tests_do_not_reach_the_emulator(bare_project: Project) -> None:
    bare_project.write(
        "test_mocks.py",
        """
import boto3
import freezegun
from moto import mock_aws


def test_make(s3_client):
    s3_client.create_bucket(Bucket="kept")


@mock_aws
def test_mocked():
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="mocked")
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["mocked"]


@freezegun.freeze_time("2020-02-02")
def test_frozen(s3_client):
    assert [one["Name"] for one in s3_client.list_buckets()["Buckets"]] == ["kept"]
    assert s3_client.list_buckets()["Buckets"][0]["CreationDate"].year > 2020
""",
    )
    bare_project.run("test_mocks.py", "--sagemaker-engine=process").was(passed=3)
