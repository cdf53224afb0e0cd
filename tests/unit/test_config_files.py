"""The exact texts of config files: training.md 1.2 quotes them from real jobs, processing.md 5 from the guide."""

from __future__ import annotations

import json

from emulator.contract.config_files import config_files, hyperparameters_json, inputdataconfig_json
from emulator.contract.job import Job
from tests.builders import (
    algorithm,
    channel_request,
    cluster,
    instance_group,
    outputs,
    processing_input,
    processing_job,
    processing_output,
    training_job,
)


def text_of(name: str, job: Job, host: int = 1) -> str:
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


def test_a_channel_of_another_instance_group_is_not_this_hosts() -> None:
    groups = [instance_group("data", "ml.c5.xlarge", 1), instance_group("dnn", "ml.p3.2xlarge", 1)]
    job = training_job(
        ResourceConfig={"InstanceGroups": groups},
        InputDataConfig=[channel_request("all"), channel_request("one", source={"InstanceGroupNames": ["dnn"]})],
    )
    assert list(json.loads(text_of("inputdataconfig.json", job, host=1))) == ["all"]
    assert list(json.loads(text_of("inputdataconfig.json", job, host=2))) == ["all", "one"]


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


# Processing jobs


def test_files_of_a_processing_job() -> None:
    job = processing_job()
    assert {str(path) for path in config_files(job, job.hosts[0])} == {
        "/opt/ml/config/processingjobconfig.json",
        "/opt/ml/config/resourceconfig.json",
    }


def test_processing_job_config_as_the_guide_has_it() -> None:
    job = processing_job(
        ProcessingJobName="prep-2024-01-01",
        AppSpecification={"ImageUri": "prep:1", "ContainerEntrypoint": ["python3", "prep.py"]},
        Environment={"MODE": "full"},
        ProcessingInputs=[
            processing_input("input-1", "s3://bkt/raw/", "/opt/ml/processing/input/data/", managed=False),
        ],
        ProcessingOutputConfig=outputs(
            processing_output("train", "s3://bkt/out/train", "/opt/ml/processing/output/train", managed=False)
        ),
        ProcessingResources={"ClusterConfig": cluster(InstanceType="ml.m5.xlarge", InstanceCount=2)},
        NetworkConfig={"EnableNetworkIsolation": False},
        ExperimentConfig={"RunName": "r"},
    )
    assert text_of("processingjobconfig.json", job) == (
        '{"ProcessingJobArn":"arn:aws:sagemaker:us-east-1:123456789012:processing-job/prep-2024-01-01",'
        '"ProcessingJobName":"prep-2024-01-01",'
        '"AppSpecification":{"ImageUri":"prep:1","ContainerEntrypoint":["python3","prep.py"],'
        '"ContainerArguments":null},'
        '"Environment":{"MODE":"full"},'
        '"ProcessingInputs":[{"InputName":"input-1","S3Input":{"LocalPath":"/opt/ml/processing/input/data/",'
        '"S3Uri":"s3://bkt/raw/","S3DataDistributionType":"FullyReplicated","S3DataType":"S3Prefix",'
        '"S3InputMode":"File","S3CompressionType":"None","S3DownloadMode":"StartOfJob"}}],'
        '"ProcessingOutputConfig":{"Outputs":[{"OutputName":"train","S3Output":{'
        '"LocalPath":"/opt/ml/processing/output/train","S3Uri":"s3://bkt/out/train","S3UploadMode":"EndOfJob"}}],'
        '"KmsKeyId":null},'
        '"ProcessingResources":{"ClusterConfig":{"InstanceCount":2,"InstanceType":"ml.m5.xlarge",'
        '"VolumeSizeInGB":30,"VolumeKmsKeyId":null}},'
        '"RoleArn":"arn:aws:iam::123456789012:role/SageMakerRole",'
        '"StoppingCondition":{"MaxRuntimeInSeconds":86400}}'
    )


def test_what_was_not_sent_is_null() -> None:
    document = json.loads(text_of("processingjobconfig.json", processing_job()))
    absent = ("Environment", "ProcessingInputs", "ProcessingOutputConfig")
    assert [document[name] for name in absent] == [None, None, None]
    assert document["AppSpecification"] == {
        "ImageUri": "image",
        "ContainerEntrypoint": None,
        "ContainerArguments": None,
    }


def test_data_that_the_program_manages_is_listed_too() -> None:
    job = processing_job(
        ProcessingInputs=[processing_input("a", managed=True, LocalPath=None), {"InputName": "b", "AppManaged": True}],
        ProcessingOutputConfig=outputs({"OutputName": "c", "AppManaged": True}),
    )
    document = json.loads(text_of("processingjobconfig.json", job))
    first, second = document["ProcessingInputs"]
    assert (first["S3Input"]["S3Uri"], first["S3Input"]["LocalPath"]) == ("s3://bucket/in", None)
    assert second == {"InputName": "b", "S3Input": None}
    assert document["ProcessingOutputConfig"]["Outputs"] == [{"OutputName": "c", "S3Output": None}]


def test_the_instances_that_were_chosen_are_in_the_config() -> None:
    preferences = [{"InstanceType": "ml.c5.xlarge", "InstanceCount": 2}]
    config = cluster(InstanceType=None, InstanceCount=None, InstancePreferences=preferences)
    job = processing_job(ProcessingResources={"ClusterConfig": config})
    document = json.loads(text_of("processingjobconfig.json", job))
    assert document["ProcessingResources"]["ClusterConfig"] == {
        "InstanceCount": 2,
        "InstanceType": "ml.c5.xlarge",
        "VolumeSizeInGB": 30,
        "VolumeKmsKeyId": None,
    }


def test_resource_config_of_a_processing_job() -> None:
    job = processing_job(ProcessingResources={"ClusterConfig": cluster(InstanceCount=3)})
    assert text_of("resourceconfig.json", job, host=2) == (
        '{"current_host":"algo-2","hosts":["algo-1","algo-2","algo-3"]}'
    )
