"""The exact texts below /opt/ml/input/config, as training.md 1.2 quotes them from real jobs."""

from __future__ import annotations

import json

from emulator.contract.config_files import config_files, hyperparameters_json, inputdataconfig_json
from emulator.contract.training_job import TrainingJob
from tests.builders import algorithm, channel_request, instance_group, training_job


def text_of(name: str, job: TrainingJob, host: int = 1) -> str:
    """Return a config file of one host."""
    texts = {path.name: text for path, text in config_files(job, job.hosts[host - 1]).items()}
    return texts[name]


def test_files_that_every_job_has() -> None:
    job = training_job()
    assert {str(path) for path in config_files(job, job.hosts[0])} == {
        "/opt/ml/input/config/hyperparameters.json",
        "/opt/ml/input/config/inputdataconfig.json",
        "/opt/ml/input/config/resourceconfig.json",
        "/opt/ml/input/config/init-config.json",
        "/opt/ml/input/config/metric-definition-regex.json",
    }


def test_all_files_are_compact_json() -> None:
    job = training_job(
        HyperParameters={"a": "1", "b": "2"},
        InputDataConfig=[channel_request("train"), channel_request("test")],
        DebugHookConfig={"S3OutputPath": "s3://b/"},
    )
    for text in config_files(job, job.hosts[0]).values():
        assert text == json.dumps(json.loads(text), separators=(",", ":"))


# hyperparameters.json


def test_hyperparameters_stay_strings_byte_for_byte() -> None:
    hyperparameters = {"arg2": '"hello"', "sagemaker_container_log_level": "20", "arg1": "5", "name": "Zoë \\n"}
    assert text_of("hyperparameters.json", training_job(HyperParameters=hyperparameters)) == (
        r'{"arg2":"\"hello\"","sagemaker_container_log_level":"20","arg1":"5","name":"Zoë \\n"}'
    )


def test_no_hyperparameters_are_an_empty_object() -> None:
    assert text_of("hyperparameters.json", training_job()) == "{}"
    assert hyperparameters_json({}) == "{}"


# inputdataconfig.json


def test_input_data_config_of_two_channels() -> None:
    job = training_job(
        InputDataConfig=[
            channel_request("train", ContentType="text/libsvm"),
            channel_request("model", ContentType="application/x-sagemaker-model"),
        ]
    )
    assert text_of("inputdataconfig.json", job) == (
        '{"train":{"ContentType":"text/libsvm","TrainingInputMode":"File",'
        '"S3DistributionType":"FullyReplicated","RecordWrapperType":"None"},'
        '"model":{"ContentType":"application/x-sagemaker-model","TrainingInputMode":"File",'
        '"S3DistributionType":"FullyReplicated","RecordWrapperType":"None"}}'
    )


def test_a_content_type_that_was_not_given_is_absent() -> None:
    source = {"S3DataDistributionType": "ShardedByS3Key"}
    job = training_job(InputDataConfig=[channel_request("data", source=source, InputMode="File")])
    assert text_of("inputdataconfig.json", job) == (
        '{"data":{"TrainingInputMode":"File","S3DistributionType":"ShardedByS3Key","RecordWrapperType":"None"}}'
    )


def test_no_channels_are_an_empty_object() -> None:
    assert text_of("inputdataconfig.json", training_job()) == "{}"
    assert inputdataconfig_json([]) == "{}"


# resourceconfig.json


def test_resource_config_of_one_instance() -> None:
    job = training_job(ResourceConfig={"InstanceType": "ml.c5.xlarge", "InstanceCount": 1})
    assert text_of("resourceconfig.json", job) == (
        '{"current_group_name":"homogeneousCluster","current_host":"algo-1","current_instance_type":"ml.c5.xlarge",'
        '"hosts":["algo-1"],'
        '"instance_groups":[{"instance_group_name":"homogeneousCluster","instance_type":"ml.c5.xlarge",'
        '"hosts":["algo-1"]}],'
        '"network_interface_name":"eth0"}'
    )


def test_resource_config_of_the_second_host() -> None:
    job = training_job(ResourceConfig={"InstanceType": "ml.c5.xlarge", "InstanceCount": 2})
    document = json.loads(text_of("resourceconfig.json", job, host=2))
    assert document["current_host"] == "algo-2"
    assert document["hosts"] == ["algo-1", "algo-2"]


def test_resource_config_of_a_heterogeneous_cluster() -> None:
    groups = [instance_group("data", "ml.c5.xlarge", 1), instance_group("dnn", "ml.p3.2xlarge", 2)]
    job = training_job(ResourceConfig={"InstanceGroups": groups})
    assert json.loads(text_of("resourceconfig.json", job, host=3)) == {
        "current_group_name": "dnn",
        "current_host": "algo-3",
        "current_instance_type": "ml.p3.2xlarge",
        "hosts": ["algo-1", "algo-2", "algo-3"],
        "instance_groups": [
            {"instance_group_name": "data", "instance_type": "ml.c5.xlarge", "hosts": ["algo-1"]},
            {"instance_group_name": "dnn", "instance_type": "ml.p3.2xlarge", "hosts": ["algo-2", "algo-3"]},
        ],
        "network_interface_name": "eth0",
    }


def test_hosts_are_in_lexicographic_order() -> None:
    job = training_job(ResourceConfig={"InstanceType": "ml.c5.xlarge", "InstanceCount": 10})
    document = json.loads(text_of("resourceconfig.json", job))
    assert document["hosts"] == document["instance_groups"][0]["hosts"]
    assert document["hosts"][:3] == ["algo-1", "algo-10", "algo-2"]


# init-config.json


def test_init_config() -> None:
    job = training_job(
        InputDataConfig=[
            channel_request("data", "s3://b/p/input", source={"S3DataDistributionType": "ShardedByS3Key"}),
        ],
        ResourceConfig={"InstanceType": "ml.c5.xlarge", "InstanceCount": 2},
    )
    assert text_of("init-config.json", job) == (
        '{"inputMode":"FILE",'
        '"channels":{"data":{"s3DataSource":{"s3DataType":"S3_PREFIX","s3Uri":"s3://b/p/input",'
        '"s3DataDistributionType":"SHARDED_BY_S3_KEY","attributeNames":null},'
        '"fileSystemDataSource":null,"compressionType":"NONE","recordWrapper":"NONE","shuffleConfig":null,'
        '"inputMode":"FILE","sharded":true}},'
        '"checkpointChannel":null,'
        '"hostConfig":{"clusterSize":2,"hostNumber":1},'
        '"enableAdditionalPlatformLoggingForCustomer":false,'
        '"jobRunInfo":{"jobRunNumber":1}}'
    )


def test_init_config_of_a_replicated_channel_on_the_second_host() -> None:
    job = training_job(
        InputDataConfig=[channel_request()], ResourceConfig={"InstanceType": "ml.c5.xlarge", "InstanceCount": 2}
    )
    document = json.loads(text_of("init-config.json", job, host=2))
    assert document["hostConfig"] == {"clusterSize": 2, "hostNumber": 2}
    assert document["channels"]["train"]["s3DataSource"]["s3DataDistributionType"] == "FULLY_REPLICATED"
    assert document["channels"]["train"]["sharded"] is False


# The rest


def test_metric_definitions() -> None:
    assert text_of("metric-definition-regex.json", training_job()) == "[]"
    definitions = [{"Name": "train:error", "Regex": "error=(\\d+)"}]
    job = training_job(AlgorithmSpecification=algorithm(MetricDefinitions=definitions))
    assert text_of("metric-definition-regex.json", job) == r'[{"Name":"train:error","Regex":"error=(\\d+)"}]'


def test_the_debug_hook_has_the_jobs_own_output_path() -> None:
    for path in ("s3://b/p", "s3://b/p/"):
        document = json.loads(text_of("debughookconfig.json", training_job(DebugHookConfig={"S3OutputPath": path})))
        assert document["S3OutputPath"] == "s3://b/p/Job-1/debug-output"
        assert document["LocalPath"] == "/opt/ml/output/tensors"


def test_the_debug_hook_keeps_what_the_request_says() -> None:
    hook = {
        "S3OutputPath": "s3://b",
        "LocalPath": "/tmp/tensors",
        "HookParameters": {"save_interval": "10"},
        "CollectionConfigurations": [{"CollectionName": "losses"}],
    }
    document = json.loads(text_of("debughookconfig.json", training_job(DebugHookConfig=hook)))
    assert document == {**hook, "S3OutputPath": "s3://b/Job-1/debug-output"}
