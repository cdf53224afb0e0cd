"""A channel of a training job: training.md 3.1."""

from __future__ import annotations

from emulator.contract.arns import S3Uri
from emulator.contract.channels import Channel, manifest_text
from emulator.contract.job import hosts
from tests.builders import channel, channel_request, instance_group


def test_a_channel_takes_the_mode_of_the_algorithm_unless_it_has_its_own() -> None:
    assert Channel.parse(channel_request(), "FastFile").input_mode == "FastFile"
    assert Channel.parse(channel_request(InputMode="File"), "FastFile").input_mode == "File"


def test_defaults_of_a_channel() -> None:
    parsed = Channel.parse(channel_request("train", "s3://b/p"), "File")
    assert parsed == Channel(name="train", source=S3Uri(bucket="b", key="p"))
    assert (parsed.distribution, parsed.compression, parsed.record_wrapper) == ("FullyReplicated", "None", "None")
    assert parsed.content_type is None


def test_a_channel_is_a_directory_with_a_manifest_beside_it() -> None:
    assert str(channel(name="train").container_path) == "/opt/ml/input/data/train"
    assert str(channel(name="train").manifest_path) == "/opt/ml/input/data/train-manifest"


def test_the_manifest_has_the_prefix_and_every_object() -> None:
    text = manifest_text(S3Uri.parse("s3://bkt/tests/Task1/input/"), ["tests/Task1/input/test", "tests/Task1/input/t2"])
    assert text == "tests/Task1/input\ns3://bkt/tests/Task1/input/test\ns3://bkt/tests/Task1/input/t2\n"


def test_a_channel_goes_to_the_hosts_of_its_instance_groups_or_to_all() -> None:
    cluster = hosts({"InstanceGroups": [instance_group("a", "t", 1), instance_group("b", "t", 2)]})
    named = Channel.parse(channel_request(source={"InstanceGroupNames": ["b"]}), "File")
    assert [host.name for host in named.receivers(cluster)] == ["algo-2", "algo-3"]
    assert channel().receivers(cluster) == cluster
