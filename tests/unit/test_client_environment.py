"""The variables with which a client finds the endpoint, and what must not stand beside them."""

from __future__ import annotations

import ast
import json
import subprocess
from importlib import resources
from pathlib import Path

import pytest
import yaml

from emulator.errors import EmulatorError, UsageError
from emulator.reroute.environment import (
    SITE,
    cache_folder,
    client_environment,
    env_environment,
    exec_environment,
    exported,
    proxy_exceptions,
    sdk_config_text,
    unset_names,
    write_sdk_config,
)
from emulator.reroute.site._sagemaker_emulator_reroute import address_of, aws_target, is_aws_host

ENDPOINT = "http://127.0.0.1:4750"
CONFIG = Path("/cache/sdk-config.yaml")


def test_a_client_gets_endpoint_account_region_and_configuration() -> None:
    variables = client_environment(ENDPOINT, region="eu-west-1", account_id="000000000042", sdk_config=CONFIG)

    assert variables["AWS_ENDPOINT_URL"] == ENDPOINT
    assert variables["AWS_ACCESS_KEY_ID"] == "000000000042"
    assert variables["AWS_SECRET_ACCESS_KEY"]
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert variables["AWS_EC2_METADATA_DISABLED"] == "true"
    assert variables["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"] == "/cache/sdk-config.yaml"


@pytest.mark.parametrize("account_id", ["", "42", "12345678901a", "1234567890123", "123456789012\n"])
def test_an_account_has_twelve_digits(account_id: str) -> None:
    with pytest.raises(UsageError, match="twelve digits"):
        client_environment(ENDPOINT, account_id=account_id, sdk_config=CONFIG)


@pytest.mark.parametrize("region", ["", "us_east_1", "us-east", "us-east-1; rm -rf /", "US-EAST-1"])
def test_a_region_is_spelt_as_aws_spells_it(region: str) -> None:
    with pytest.raises(UsageError, match="region"):
        sdk_config_text(region, "123456789012")


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "eusc-de-east-1", "us-isob-east-1"])
def test_regions_of_all_partitions_pass(region: str) -> None:
    assert region in sdk_config_text(region, "123456789012")


def test_what_beats_or_bypasses_the_endpoint_is_named() -> None:
    caller = {
        "AWS_PROFILE": "work",
        "AWS_ENDPOINT_URL": "http://elsewhere",
        "AWS_ENDPOINT_URL_S3": "http://minio:9000",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://elsewhere",
        "AWS_SESSION_TOKEN": "token",
        "AWS_CONFIG_FILE": "/home/me/aws",
        "AWS_PAGER": "",
        "PATH": "/bin",
    }

    assert unset_names(caller) == [
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
    ]


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ({}, "127.0.0.1"),
        ({"NO_PROXY": "corp.example, .internal"}, "corp.example,.internal,127.0.0.1"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, "a,127.0.0.1"),
        ({"NO_PROXY": "127.0.0.1,b"}, "127.0.0.1,b"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_proxies_are_told_of_exceptions_in_both_spellings(caller: dict[str, str], expected: str) -> None:
    assert proxy_exceptions(caller, ["127.0.0.1"]) == {"NO_PROXY": expected, "no_proxy": expected}


def test_a_shell_is_told_of_the_endpoint_only_where_exec_takes_all_of_aws() -> None:
    caller = {"HTTPS_PROXY": "http://proxy:3128"}

    assert env_environment(caller, ENDPOINT, sdk_config=CONFIG)["NO_PROXY"] == "127.0.0.1"
    assert ".amazonaws.com" in exec_environment(caller, ENDPOINT, sdk_config=CONFIG)["NO_PROXY"].split(",")


def test_a_program_keeps_its_environment_but_for_what_bypasses() -> None:
    caller = {
        "PATH": "/bin",
        "HTTP_PROXY": "http://proxy:3128",
        "AWS_PROFILE": "work",
        "PYTHONPATH": "src:lib",
    }

    child = exec_environment(caller, ENDPOINT, sdk_config=CONFIG)

    assert child["PATH"] == "/bin"
    assert child["HTTP_PROXY"] == "http://proxy:3128"
    assert "AWS_PROFILE" not in child
    assert child["PYTHONPATH"] == f"{SITE}:src:lib"
    assert child["SAGEMAKER_EMULATOR_ENDPOINT"] == ENDPOINT
    assert caller["AWS_PROFILE"] == "work"


@pytest.mark.parametrize("given", [{}, {"PYTHONPATH": ""}, {"PYTHONPATH": ":"}])
def test_an_empty_python_path_does_not_come_to_mean_the_current_folder(given: dict[str, str]) -> None:
    assert exec_environment(given, ENDPOINT, sdk_config=CONFIG)["PYTHONPATH"] == str(SITE)


def test_exec_inside_exec_is_one_exec() -> None:
    once = exec_environment({"PYTHONPATH": "src"}, ENDPOINT, sdk_config=CONFIG)

    assert exec_environment(once, ENDPOINT, sdk_config=CONFIG) == once


def test_the_folder_on_the_path_offers_two_modules_and_no_more() -> None:
    names = {path.name for path in SITE.iterdir() if path.name != "__pycache__"}

    assert names == {"sitecustomize.py", "_sagemaker_emulator_reroute.py"}


@pytest.mark.parametrize("source", sorted(SITE.glob("*.py")), ids=lambda path: path.name)
def test_the_injected_modules_are_python_3_8(source: Path) -> None:
    ast.parse(source.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_a_shell_reads_back_what_was_exported() -> None:
    text = exported({"A": "it's", "B": 'a b $(false) `false` \n"c"'}, ["OLD"])
    script = text + 'printf "%s|%s|%s" "$A" "$B" "${OLD-gone}"'

    done = subprocess.run(["/bin/sh", "-c", script], env={"OLD": "x"}, capture_output=True, text=True, check=True)

    assert done.stdout == 'it\'s|a b $(false) `false` \n"c"|gone'


def test_the_sdk_learns_its_bucket_and_sends_no_telemetry() -> None:
    document = yaml.safe_load(sdk_config_text("eu-west-1", "000000000042"))

    assert document == {
        "SchemaVersion": "1.0",
        "SageMaker": {
            "PythonSDK": {
                "Modules": {
                    "TelemetryOptOut": True,
                    "Session": {"DefaultS3Bucket": "sagemaker-eu-west-1-000000000042"},
                }
            }
        },
    }


def test_the_sdk_configuration_is_written_once_and_whole(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "ours"

    path = write_sdk_config(folder, region="eu-west-1", account_id="000000000042")
    before = path.stat()
    again = write_sdk_config(folder, region="eu-west-1", account_id="000000000042")
    other = write_sdk_config(folder)

    assert path.read_text(encoding="utf-8") == sdk_config_text("eu-west-1", "000000000042")
    assert again == path
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sorted(folder.iterdir()) == sorted([path, other])


def test_a_changed_sdk_configuration_is_put_right(tmp_path: Path) -> None:
    path = write_sdk_config(tmp_path)
    path.write_text("edited", encoding="utf-8")

    assert write_sdk_config(tmp_path).read_text(encoding="utf-8") == sdk_config_text("us-east-1", "123456789012")


def test_a_folder_that_cannot_be_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmulatorError, match="XDG_CACHE_HOME"):
        write_sdk_config(tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"XDG_CACHE_HOME": "/var/cache/me", "HOME": "/home/me"}, "/var/cache/me/sagemaker-emulator"),
        ({"HOME": "/home/me"}, "/home/me/.cache/sagemaker-emulator"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/home/me"}, "/home/me/.cache/sagemaker-emulator"),
    ],
)
def test_the_cache_is_where_the_desktop_says(environment: dict[str, str], folder: str) -> None:
    assert cache_folder(environment) == Path(folder)


@pytest.mark.parametrize(
    "host",
    [
        "sts.amazonaws.com",
        "STS.US-EAST-1.AmazonAWS.com",
        "bucket.s3.us-east-1.amazonaws.com.",
        b"s3.amazonaws.com",
        "api.sagemaker.cn-north-1.amazonaws.com.cn",
        "ecr.us-east-1.api.aws",
        "amazonaws.com",
    ],
)
def test_names_of_aws(host: str | bytes) -> None:
    assert is_aws_host(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "amazonaws.com.evil.example", "notamazonaws.com", "", None, b"\xff", 7]
)
def test_names_of_others(host: object) -> None:
    assert not is_aws_host(host)


def test_every_partition_that_botocore_knows_is_aws() -> None:
    data = json.loads(resources.files("botocore").joinpath("data/partitions.json").read_bytes())
    suffixes = {
        partition["outputs"][key] for partition in data["partitions"] for key in ("dnsSuffix", "dualStackDnsSuffix")
    }

    assert len(suffixes) > 8
    assert {suffix for suffix in suffixes if not is_aws_host(f"s3.region.{suffix}")} == set()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://sts.us-east-1.amazonaws.com", ("sts.us-east-1.amazonaws.com", "/")),
        ("https://sts.amazonaws.com?Action=X", ("sts.amazonaws.com", "/?Action=X")),
        ("https://b.s3.amazonaws.com:443/a%20b//c?d=%2F", ("b.s3.amazonaws.com", "/a%20b//c?d=%2F")),
        ("http://b.s3.amazonaws.com:8080/", ("b.s3.amazonaws.com:8080", "/")),
        ("HTTPS://user:secret@S3.amazonaws.com/x", ("S3.amazonaws.com", "/x")),
        ("https://example.com/s3.amazonaws.com", None),
        ("https://example.com?next=https://s3.amazonaws.com/", None),
        ("http://127.0.0.1:4750/", None),
        ("http://[::1]:4750/", None),
        ("ftp://s3.amazonaws.com/", None),
        ("/path", None),
        (None, None),
    ],
)
def test_the_path_and_the_host_of_a_request_for_aws(url: object, target: tuple[str, str] | None) -> None:
    assert aws_target(url) == target


def test_the_address_of_the_endpoint() -> None:
    assert address_of("http://127.0.0.1:4750/") == ("127.0.0.1", 4750)
    assert address_of("http://[::1]:4750") == ("::1", 4750)


@pytest.mark.parametrize("written", ["", "127.0.0.1:4750", "https://127.0.0.1:4750", "http://localhost"])
def test_an_endpoint_that_makes_no_sense(written: str) -> None:
    with pytest.raises(ValueError, match="SAGEMAKER_EMULATOR_ENDPOINT"):
        address_of(written)
